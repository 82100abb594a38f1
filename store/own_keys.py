"""SSH keys where no OpenSSH is, as in a small container: made here, and read to sign.

Files and signatures are those that ``ssh-keygen`` makes and reads. What only OpenSSH
can do is left to it: passphrases, ``ssh-agent``, security keys, and kinds of keys
that nobody makes here.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from lineage.errors import StoreError
from lineage.store.disk import read_file, write_atomically
from lineage.store.sshsig import PublicKey, Signature

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_HINT = "nothing was recorded; with OpenSSH 8.9 or newer every key can sign"


def generate(path: Path, public: Path, comment: str) -> None:
    """Make an ed25519 key without a passphrase at `path`, mode 600, and `public`."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption(),
    )
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(private)
        file.flush()
        os.fsync(descriptor)  # before anything is signed with it
    line = f"{_public(key).line} {comment}\n"
    write_atomically(public, line.encode(), sync=True)


def sign(message: bytes, key: Path, namespace: str) -> bytes:
    """A signature of `message` with the private ed25519 key in the file `key`.

    Of a public file it is the private half beside it, as for ``ssh-keygen``.

    Raises:
        StoreError: when this needs OpenSSH, or others may read the key.
    """
    half = key.with_suffix("")
    key = half if key.suffix == ".pub" and half.is_file() else key
    private = _private(key)
    if key.stat().st_mode & 0o077:
        raise _cannot(key, "others may read it, and its mode is to be 600")
    return Signature.make(_public(private), private.sign, message, namespace).armored


def _private(key: Path) -> "Ed25519PrivateKey":
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_ssh_private_key

    try:
        private = load_ssh_private_key(read_file(key), password=None)
    except (TypeError, ValueError, UnsupportedAlgorithm):
        private = None
    if not isinstance(private, Ed25519PrivateKey):
        what = (
            "without ssh-keygen a file of an ed25519 key without passphrase is needed"
        )
        raise _cannot(key, what)
    return private


def _public(private: "Ed25519PrivateKey") -> PublicKey:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    line = private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return PublicKey.parse(line.decode())


def _cannot(key: Path, why: str) -> StoreError:
    return StoreError(f"the key {key} cannot sign: {why}", hint=_HINT)
