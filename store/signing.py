"""Making keys and signatures: the only module that runs ``ssh-keygen``.

A private key is never read here. ``ssh-keygen`` signs with the file, or through
``ssh-agent`` where the file is a public key, and asks for a passphrase itself, on a
terminal.
"""

import os
import subprocess
from pathlib import Path

from lineage.errors import StoreError, UsageError
from lineage.store.git import environment
from lineage.store.sshsig import PublicKey

NAMESPACE = "git"  # what git asks of the signature of a commit


def sign(message: bytes, key: Path, namespace: str = NAMESPACE) -> bytes:
    """A signature of `message` with the key at `key` (see the module).

    It holds in that namespace alone: no commit's is one of a file.

    Raises:
        StoreError: when that key cannot sign here and now.
    """
    check_file(key)
    words = ("-Y", "sign", "-n", namespace, "-f", str(key))
    done = _ssh_keygen(*words, data=message)
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
        return _ssh_keygen(*words, data=message).returncode == 0


def generate(path: Path, comment: str, *, passphrase: bool) -> PublicKey:
    """Make an ed25519 key at `path` and `path`.pub; ``ssh-keygen`` asks the passphrase.

    Raises:
        UsageError: when there is a key already.
        StoreError: when it cannot be made.
    """
    if path.exists() or public_half(path).exists():
        raise taken(path)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    words = ["-q", "-t", "ed25519", "-C", comment, "-f", str(path)]
    done = _ssh_keygen(*words, *([] if passphrase else ["-N", ""]), talks=passphrase)
    if done.returncode:
        said = (done.stderr or b"").decode(errors="replace").strip()
        raise StoreError(f"no key was made: {said or 'ssh-keygen gave up'}")
    return read_public(public_half(path))


def taken(path: Path) -> UsageError:
    """The error that there is a key at `path` already."""
    hint = f"use it with `lineage key add {path}.pub`, or choose another name"
    return UsageError(f"there is a key {path} already", hint=hint)


def public_half(path: Path) -> Path:
    """Where the public half of a key lies, as ssh-keygen puts it."""
    return path if path.suffix == ".pub" else path.with_name(f"{path.name}.pub")


def read_public(path: Path) -> PublicKey:
    """The public key in a file.

    Raises:
        StoreError: when the file cannot be read.
        UsageError: when it holds something else, a private key above all.
    """
    try:
        text = path.read_bytes().decode(errors="replace")
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from None
    if "PRIVATE KEY" in text:
        hint = f"give its public half: {path}.pub"
        raise UsageError(f"{path} is a private key", hint=hint)
    return PublicKey.parse(text)


def _ssh_keygen(
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
