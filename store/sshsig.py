"""SSH's public keys and signatures: what they say, and whether a signature holds.

Signatures are OpenSSH's (PROTOCOL.sshsig), as ``ssh-keygen -Y sign`` and git make
them. Checking thousands takes no process each: ed25519, ECDSA and RSA are checked
here, kinds that need more (a security key's) by ``ssh-keygen`` itself.
"""

import base64
import hashlib
from typing import TYPE_CHECKING, NamedTuple, Self

from lineage.errors import UsageError
from lineage.store.openssh import holds

if TYPE_CHECKING:
    from collections.abc import Callable

_BEGIN = b"-----BEGIN SSH SIGNATURE-----\n"
_END = b"\n-----END SSH SIGNATURE-----"
_MAGIC, _VERSION = b"SSHSIG", 1
_HASHES = ("sha256", "sha512")
_CURVES = {
    "ecdsa-sha2-nistp256": "SHA256",
    "ecdsa-sha2-nistp384": "SHA384",
    "ecdsa-sha2-nistp521": "SHA512",
}
_RSA = {"rsa-sha2-256": "SHA256", "rsa-sha2-512": "SHA512"}


class PublicKey(NamedTuple):
    """A public key: its kind (``ssh-ed25519``) and its bytes as SSH sends them."""

    kind: str
    blob: bytes

    @property
    def line(self) -> str:
        """The key as a `.pub` file has it, without its comment."""
        return f"{self.kind} {base64.b64encode(self.blob).decode()}"

    @property
    def fingerprint(self) -> str:
        """``SHA256:…``, as ``ssh-keygen -l`` prints it."""
        digest = base64.b64encode(hashlib.sha256(self.blob).digest())
        return f"SHA256:{digest.decode().rstrip('=')}"

    @classmethod
    def of(cls, blob: bytes) -> Self:
        """The key of these bytes.

        Raises:
            ValueError: when they are none.
        """
        return cls(_Reader(blob).text(), blob)

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read the line of a `.pub` file.

        Raises:
            UsageError: when it is no public key.
        """
        kind, _, rest = line.strip().partition(" ")
        try:
            key = cls.of(base64.b64decode(rest.split(" ")[0], validate=True))
        except ValueError:
            key = None
        if key is None or key.kind != kind or "-cert-" in kind:
            hint = "give the .pub file that ssh-keygen made"
            raise UsageError("that is no public key of SSH", hint=hint)
        return key


class Signature(NamedTuple):
    """One SSH signature; `armored` is how it was written."""

    key: PublicKey
    namespace: str
    reserved: bytes
    hash: str
    algorithm: str
    value: bytes
    armored: bytes

    @classmethod
    def parse(cls, armored: bytes) -> Self:
        """Read a signature as ``ssh-keygen -Y sign`` prints it.

        Raises:
            ValueError: when it is none.
        """
        text = armored.strip()
        if not (text.startswith(_BEGIN) and text.endswith(_END)):
            raise ValueError("not an SSH signature")
        body = text[len(_BEGIN) : -len(_END)].replace(b"\n", b"")
        outer = _Reader(base64.b64decode(body, validate=True))
        if outer.take(6) != _MAGIC or outer.number() != _VERSION:
            raise ValueError("not a signature of a known version")
        key = PublicKey.of(outer.string())
        namespace, reserved, hash_ = outer.text(), outer.string(), outer.text()
        inner = _Reader(outer.string())
        made = cls(
            key, namespace, reserved, hash_, inner.text(), inner.string(), armored
        )
        if hash_ not in _HASHES or outer.left:
            raise ValueError("not a signature of a known form")
        return made

    @classmethod
    def read(cls, armored: bytes | None) -> Self | None:
        """As `parse`; None for what is no signature."""
        try:
            return cls.parse(armored) if armored else None
        except ValueError:
            return None

    @classmethod
    def make(
        cls,
        key: PublicKey,
        sign: "Callable[[bytes], bytes]",
        message: bytes,
        namespace: str,
    ) -> Self:
        """The signature of `message` by `key`, whose private half is in `sign`.

        As ``ssh-keygen -Y sign`` does it: by the SHA-512 of the message.
        """
        value = sign(_signed(message, namespace, b"", "sha512"))
        outer = _strings(
            key.blob,
            namespace.encode(),
            b"",
            b"sha512",
            _strings(key.kind.encode(), value),
        )
        text = base64.b64encode(_MAGIC + _VERSION.to_bytes(4) + outer)
        lines = [text[at : at + 70] for at in range(0, len(text), 70)]
        return cls.parse(_BEGIN + b"\n".join(lines) + _END + b"\n")

    def holds(self, message: bytes, namespace: str) -> bool:
        """Whether its key signed `message`, in this namespace."""
        if self.namespace != namespace:
            return False
        signed = _signed(message, namespace, self.reserved, self.hash)
        if self.key.kind not in ("ssh-ed25519", "ssh-rsa", *_CURVES):
            return holds(message, self.armored, namespace)
        return _holds(self, signed)


def _signed(message: bytes, namespace: str, reserved: bytes, hash_: str) -> bytes:
    """What the key itself signs (PROTOCOL.sshsig, 3)."""
    digest = hashlib.new(hash_, message).digest()
    return _MAGIC + _strings(namespace.encode(), reserved, hash_.encode(), digest)


def _strings(*parts: bytes) -> bytes:
    """SSH's encoding of byte strings, one after the other."""
    return b"".join(len(part).to_bytes(4) + part for part in parts)


def _holds(signature: Signature, signed: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    unknown = UnsupportedAlgorithm, NotImplementedError  # the latter: of odd points
    try:
        _verify(signature, signed)
    except (InvalidSignature, ValueError, LookupError, *unknown):
        return False
    return True


def _verify(signature: Signature, signed: bytes) -> None:
    """Raise whatever `cryptography` raises when the signature does not hold."""
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    kind, algorithm, value = signature.key.kind, signature.algorithm, signature.value
    key = serialization.load_ssh_public_key(signature.key.line.encode())
    if isinstance(key, rsa.RSAPublicKey):
        digest = getattr(hashes, _RSA[algorithm])()
        key.verify(value, signed, padding.PKCS1v15(), digest)
        return
    if algorithm != kind:
        raise ValueError("signed in another way than the key can")
    if isinstance(key, ec.EllipticCurvePublicKey):
        numbers = _Reader(value)
        pair = encode_dss_signature(numbers.integer(), numbers.integer())
        key.verify(pair, signed, ec.ECDSA(getattr(hashes, _CURVES[kind])()))
        return
    assert isinstance(key, ed25519.Ed25519PublicKey)
    key.verify(value, signed)


class _Reader:
    """SSH's encoding, read from the front."""

    def __init__(self, data: bytes) -> None:
        self.left = data

    def take(self, count: int) -> bytes:
        if len(self.left) < count:
            raise ValueError("it ends too early")
        taken, self.left = self.left[:count], self.left[count:]
        return taken

    def number(self) -> int:
        return int.from_bytes(self.take(4))

    def string(self) -> bytes:
        return self.take(self.number())

    def text(self) -> str:
        return self.string().decode("ascii")

    def integer(self) -> int:
        return int.from_bytes(self.string(), signed=True)
