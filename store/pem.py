"""Signing with a key in PEM: the only module that runs ``openssl``.

A private key is never read here. ``openssl`` signs with the file, and asks for a
passphrase itself, on a terminal. Signatures of Ed25519 come out the same again; of
P-256 each is another one, as ECDSA draws a number for each.
"""

import base64
import os
import subprocess
import tempfile
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from lineage.errors import StoreError, UsageError

ED25519, P256 = "Ed25519", "P-256"
_STARTS = {  # of a public key in DER (RFC 8410 and RFC 5480), up to its own bytes
    ED25519: bytes.fromhex("302a300506032b6570032100"),
    P256: bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004"),
}
_KEYID = '{{"keytype":"{}","keyval":{{"public":"{}"}},"scheme":"{}"}}'
HOW = {
    ED25519: "make one: `openssl genpkey -algorithm ed25519 -out key.pem`",
    P256: "make one: `openssl genpkey -algorithm EC "
    "-pkeyopt ec_paramgen_curve:P-256 -out key.pem`",
}


class PublicKey(NamedTuple):
    """A public key: its kind, one of `HOW`, and its bytes as DER has them."""

    kind: str
    der: bytes

    @property
    def pem(self) -> str:
        """The key as ``openssl pkey -pubout`` prints it."""
        text = base64.b64encode(self.der).decode()
        lines = [text[at : at + 64] for at in range(0, len(text), 64)]
        head, foot = (f"-----{word} PUBLIC KEY-----" for word in ("BEGIN", "END"))
        return "\n".join([head, *lines, foot, ""])

    @property
    def hint(self) -> str:
        """SHA-256 of the PEM: how a model-signing bundle names its key."""
        return sha256(self.pem.encode()).hexdigest()

    @property
    def keyid(self) -> str:
        """How securesystemslib names the key: SHA-256 of its form in OLPC JSON."""
        if self.kind == ED25519:
            raw = self.der[len(_STARTS[ED25519]) :].hex()
            named = _KEYID.format("ed25519", raw, "ed25519")
        else:
            named = _KEYID.format("ecdsa", self.pem, "ecdsa-sha2-nistp256")
        return sha256(named.encode()).hexdigest()


class PrivateKey:
    """A private key in a file, of a kind that is wanted.

    Raises:
        StoreError: when there is no such file, or openssl cannot use it.
        UsageError: when it holds another kind of key.
    """

    def __init__(self, path: Path, *kinds: str) -> None:
        self._path, self._kinds = path, kinds

    @cached_property
    def public(self) -> PublicKey:
        """Its public half."""
        if not self._path.is_file():
            raise StoreError(f"there is no key {self._path}", hint=self._hint)
        der = self._openssl("pkey", "-in", str(self._path), "-pubout", "-outform=DER")
        for kind in self._kinds:
            if der.startswith(_STARTS[kind]):
                return PublicKey(kind, der)
        wanted = " or ".join(self._kinds)
        message = f"the key {self._path} is of another kind than {wanted}"
        raise UsageError(message, hint=self._hint)

    def sign(self, message: bytes) -> bytes:
        """A signature of `message`: 64 bytes of Ed25519, or ECDSA in DER."""
        ours = str(self._path)
        words = ["dgst", "-sha256", "-sign", ours]
        if self.public.kind == ED25519:
            words = ["pkeyutl", "-sign", "-inkey", ours, "-rawin", "-in"]
        with tempfile.NamedTemporaryFile(prefix="lineage-") as file:
            file.write(message)
            file.flush()
            return self._openssl(*words, file.name)

    @property
    def _hint(self) -> str:
        return HOW[self._kinds[0]]

    def _openssl(self, *words: str) -> bytes:
        """Run it; it asks on the terminal itself, and reads nothing of ours."""
        try:
            done = subprocess.run(
                ["openssl", *words],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                env={**os.environ, "LC_ALL": "C"},
                check=False,
            )
        except FileNotFoundError:
            hint = "install OpenSSL 3 or newer"
            message = "there is no openssl on this machine"
            raise StoreError(message, hint=hint) from None
        if done.returncode or not done.stdout:
            raise self._failed(done.stderr.decode(errors="replace"))
        return done.stdout

    def _failed(self, said: str) -> StoreError:
        """What openssl said, without the codes of its errors."""
        if "pass phrase" in said:
            hint = "openssl asks for it on a terminal; nothing else is read"
            message = f"the passphrase of the key {self._path} was not given"
            return StoreError(message, hint=hint)
        lines = (line for line in said.splitlines() if ":error:" not in line)
        told = next(filter(None, map(str.strip, lines)), "openssl did not say why")
        hint = f"give a private key in PEM, or {self._hint}"
        return StoreError(f"the key {self._path} cannot sign: {told}", hint=hint)
