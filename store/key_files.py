"""The files of SSH keys: made, and the public half read."""

from pathlib import Path

from lineage.errors import StoreError, UsageError
from lineage.store import own_keys
from lineage.store.disk import read_file
from lineage.store.openssh import NoOpenSSH, ssh_keygen
from lineage.store.sshsig import PublicKey


def generate(path: Path, comment: str, *, passphrase: bool) -> PublicKey:
    """Make an ed25519 key at `path` and `path`.pub; ``ssh-keygen`` asks the passphrase.

    Without OpenSSH the key is made here, and has none.

    Raises:
        UsageError: when there is a key already.
        StoreError: when it cannot be made.
    """
    if path.exists() or public_half(path).exists():
        raise taken(path)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        _with_openssh(path, comment, passphrase=passphrase)
    except NoOpenSSH as error:
        if passphrase:
            error.hint += ", or give --no-passphrase"
            raise
        own_keys.generate(path, public_half(path), comment)
    return read_public(public_half(path))


def _with_openssh(path: Path, comment: str, *, passphrase: bool) -> None:
    words = ["-q", "-t", "ed25519", "-C", comment, "-f", str(path)]
    done = ssh_keygen(*words, *([] if passphrase else ["-N", ""]), talks=passphrase)
    if done.returncode:
        said = (done.stderr or b"").decode(errors="replace").strip()
        raise StoreError(f"no key was made: {said or 'ssh-keygen gave up'}")


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
    text = read_file(path).decode(errors="replace")
    if "PRIVATE KEY" in text:
        hint = f"give its public half: {path}.pub"
        raise UsageError(f"{path} is a private key", hint=hint)
    try:
        return PublicKey.parse(text)
    except UsageError as error:
        message = f"{path} holds no public key of SSH"
        raise UsageError(message, hint=error.hint) from None
