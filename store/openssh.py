"""``ssh-keygen``: the only module that runs it."""

import os
import subprocess

from lineage.errors import StoreError
from lineage.store.git_environment import environment


class NoOpenSSH(StoreError):
    """There is no ``ssh-keygen`` on this machine."""


def ssh_keygen(
    *words: str, data: bytes = b"", talks: bool = False
) -> "subprocess.CompletedProcess[bytes]":
    """Run it; with `talks` the person on the terminal sees what it asks.

    Raises:
        NoOpenSSH: when it is not installed.
    """
    captured = None if talks else subprocess.PIPE
    try:
        return subprocess.run(
            ["ssh-keygen", *words],
            input=None if talks else data,
            stdout=captured,
            stderr=captured,
            env={**environment(), "LC_ALL": os.environ.get("LC_ALL", "C")},
            check=False,
        )
    except FileNotFoundError:
        hint = "install OpenSSH 8.9 or newer"
        message = "there is no ssh-keygen on this machine"
        raise NoOpenSSH(message, hint=hint) from None


def holds(message: bytes, signature: bytes, namespace: str) -> bool:
    """Whether ``ssh-keygen`` finds that a signature holds, whoever made it.

    Raises:
        NoOpenSSH: when it is not installed.
    """
    import tempfile

    with tempfile.NamedTemporaryFile(prefix="lineage-") as file:
        file.write(signature)
        file.flush()
        words = ("-Y", "check-novalidate", "-n", namespace, "-s", file.name)
        return ssh_keygen(*words, data=message).returncode == 0
