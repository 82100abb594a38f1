"""Making signatures: the only module that runs ``ssh-keygen``.

A private key is never read here. ``ssh-keygen`` signs with the file, or through
``ssh-agent`` where the file is a public key, and asks for a passphrase itself, on a
terminal.
"""

import os
import subprocess
from pathlib import Path

from lineage.errors import StoreError
from lineage.store.git import environment

NAMESPACE = "git"  # what git asks of the signature of a commit


def sign(message: bytes, key: Path, namespace: str = NAMESPACE) -> bytes:
    """A signature of `message` with the key at `key` (see the module).

    It holds in that namespace alone: no commit's is one of a file.

    Raises:
        StoreError: when that key cannot sign here and now.
    """
    check_file(key)
    words = ("-Y", "sign", "-n", namespace, "-f", str(key))
    done = ssh_keygen(*words, data=message)
    if done.returncode or not done.stdout.startswith(b"-----BEGIN SSH SIGNATURE"):
        said = done.stderr.decode(errors="replace").strip().splitlines()
        last = [line for line in said if not line.startswith("Signing data")][-1:]
        hint = "nothing was recorded; a private key has mode 600, or is in ssh-agent"
        told = "".join(last).removeprefix("Enter passphrase: ")
        told = told or "ssh-keygen did not say why"
        raise StoreError(f"the key {key} cannot sign: {told}", hint=hint)
    return done.stdout


def check_file(key: Path) -> None:
    """Refuse a key whose file is not there.

    Raises:
        StoreError: when it is not.
    """
    if not key.is_file():
        hint = "`lineage config signing.key FILE` says which one signs"
        raise StoreError(f"there is no key {key}", hint=hint)


def holds(message: bytes, signature: bytes, namespace: str) -> bool:
    """Whether ``ssh-keygen`` finds that a signature holds, whoever made it."""
    import tempfile

    with tempfile.NamedTemporaryFile(prefix="lineage-") as file:
        file.write(signature)
        file.flush()
        words = ("-Y", "check-novalidate", "-n", namespace, "-s", file.name)
        return ssh_keygen(*words, data=message).returncode == 0


def ssh_keygen(
    *words: str, data: bytes = b"", talks: bool = False
) -> "subprocess.CompletedProcess[bytes]":
    """Run it; with `talks` the person on the terminal sees what it asks."""
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
        raise StoreError("there is no ssh-keygen on this machine", hint=hint) from None
