"""Signatures and public keys of OpenSSH, as events and files carry them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from lineage.errors import LineageError
from lineage.store.sshsig import PublicKey, Signature

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RUNS = ("ssh-keygen",)
TRIES = 150
MESSAGE = b"a message"


def _text(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4) + part for part in parts)


def _armored(body: bytes) -> bytes:
    lines = base64.encodebytes(body)
    return b"-----BEGIN SSH SIGNATURE-----\n%b-----END SSH SIGNATURE-----\n" % lines


def _made(key: bytes, way: bytes, value: bytes) -> bytes:
    inner = _text(way, value)
    return b"SSHSIG" + (1).to_bytes(4) + _text(key, b"git", b"", b"sha512", inner)


CURVE = b"ecdsa-sha2-nistp256"
POINT = bytes(65)  # an uncompressed one begins with 4
KEPT = [_made(_text(CURVE, b"nistp256", POINT), CURVE, _text(b"\1", b"\2"))]


def seeds(folder: Path) -> Sequence[bytes]:
    """One of each kind that is checked here; what follows the magic is not armored."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    del folder
    edwards = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))
    keys: dict[bytes, Any] = {
        b"ssh-ed25519": edwards.public_key(),
        b"ecdsa-sha2-nistp256": ec.derive_private_key(7, ec.SECP256R1()).public_key(),
        b"rsa-sha2-512": rsa.RSAPublicNumbers(65537, (1 << 1024) - 105).public_key(),
    }
    made = []
    for way, key in keys.items():
        line = key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        blob = base64.b64decode(line.split()[1])
        value = _text(b"\1", b"\2") if b"ecdsa" in way else bytes(64)
        made.append(_made(blob, way, value))
    return made


def attack(data: bytes, folder: Path) -> None:
    del folder
    for armored in (_armored(data), data):
        try:
            found = Signature.parse(armored)
        except ValueError:  # what it says it raises
            continue
        found.holds(MESSAGE, "git")
    line = b"ssh-ed25519 " + base64.b64encode(data)
    for text in (line, data):
        try:
            key = PublicKey.parse(text.decode(errors="replace"))
        except LineageError:
            continue
        assert PublicKey.parse(key.line) == key
