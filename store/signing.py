"""Making signatures of SSH, as plain git reads them.

``ssh-keygen`` signs with the file of a private key, which is never read here, or
through ``ssh-agent`` where the file is a public key, and asks for a passphrase itself,
on a terminal. Where no OpenSSH is, `own_keys` does what can be done without.
"""

from pathlib import Path

from lineage.errors import StoreError
from lineage.store import own_keys
from lineage.store.openssh import NoOpenSSH, ssh_keygen

NAMESPACE = "git"  # what git asks of the signature of a commit


def sign(message: bytes, key: Path, namespace: str = NAMESPACE) -> bytes:
    """A signature of `message` with the key at `key` (see the module).

    It holds in that namespace alone: no commit's is one of a file.

    Raises:
        StoreError: when that key cannot sign here and now.
    """
    check_file(key)
    try:
        words = ("-Y", "sign", "-n", namespace, "-f", str(key))
        done = ssh_keygen(*words, data=message)
    except NoOpenSSH:
        return own_keys.sign(message, key, namespace)
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
