"""Signing with a key in PEM: openssl alone agrees, and the key is never read."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from lineage.errors import StoreError, UsageError
from lineage.store.key_files import generate
from lineage.store.pem import ED25519, P256, PrivateKey
from tests.tools import needs

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = needs("openssl")
MADE = {
    ED25519: ("-algorithm", "ed25519"),
    P256: ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
    "P-384": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"),
    "RSA": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
}


def made(folder: Path, kind: str, *more: str) -> Path:
    path = folder / f"{kind}.pem"
    openssl("genpkey", *MADE[kind], *more, "-out", str(path))
    return path


def openssl(*words: str) -> bytes:
    done = subprocess.run(["openssl", *words], capture_output=True, check=True)
    return done.stdout


@pytest.mark.parametrize("kind", [ED25519, P256])
def test_openssl_finds_the_signature_good(tmp_path: Path, kind: str) -> None:
    """Its bytes, and the public half as others name it, are what openssl says."""
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.signer._key import SSlibKey

    path = made(tmp_path, kind)
    key = PrivateKey(path, ED25519, P256)
    public = tmp_path / "public.pem"
    public.write_bytes(openssl("pkey", "-in", str(path), "-pubout"))
    message, signature = tmp_path / "message", tmp_path / "signature"
    message.write_bytes(b"\0 what is signed \xff\n" * 100)
    signature.write_bytes(key.sign(message.read_bytes()))
    check = ["pkeyutl", "-verify", "-pubin", "-inkey", str(public), "-rawin"]
    check += ["-in", str(message), "-sigfile", str(signature)]

    assert b"Success" in openssl(*check)
    message.write_bytes(message.read_bytes()[:-1])
    with pytest.raises(subprocess.CalledProcessError):
        openssl(*check)
    assert key.public.kind == kind
    assert key.public.pem == public.read_text()
    loaded = load_pem_public_key(public.read_bytes())
    assert key.public.keyid == SSlibKey.from_crypto(loaded).keyid


@pytest.mark.parametrize("kind", ["P-384", "RSA", ED25519])
def test_another_kind_of_key_is_refused(tmp_path: Path, kind: str) -> None:
    """The error says which kind is wanted, and how to make one."""
    path = made(tmp_path, kind)

    with pytest.raises(UsageError, match="of another kind than P-256") as caught:
        PrivateKey(path, P256).sign(b"")
    assert "openssl genpkey" in caught.value.hint


def test_what_is_no_private_key_in_pem(tmp_path: Path) -> None:
    """A public half, a key of OpenSSH and a missing file are told apart from keys."""
    public = tmp_path / "public.pem"
    public.write_bytes(openssl("pkey", "-in", str(made(tmp_path, P256)), "-pubout"))
    generate(tmp_path / "ssh", "", passphrase=False)

    for name, told in {
        "public.pem": "cannot sign: Could not",
        "ssh": "cannot sign: Could not",
        "none.pem": "there is no key",
    }.items():
        with pytest.raises(StoreError, match=told):
            PrivateKey(tmp_path / name, ED25519, P256).sign(b"")


def test_a_passphrase_is_asked_on_the_terminal(tmp_path: Path) -> None:
    """Openssl itself asks; without a terminal nothing is read from elsewhere."""
    path = made(tmp_path, ED25519, "-aes256", "-pass", "pass:correct horse")
    script = (
        "import sys, pathlib; from lineage.store.pem import *; "
        "key = PrivateKey(pathlib.Path(sys.argv[1]), ED25519); "
        "print(len(key.sign(b'hello')))"
    )
    words = [sys.executable, "-c", script, str(path)]

    assert _typed(words, b"correct horse\n").rstrip().endswith(b"64")
    alone = subprocess.run(
        words,
        input=b"correct horse\n",
        capture_output=True,
        start_new_session=True,
        check=False,
    )
    assert b"the passphrase of the key" in alone.stderr


def _typed(words: list[str], answer: bytes) -> bytes:
    """What a program says on a terminal where each question gets this answer."""
    child, terminal = pty.fork()
    if child == 0:
        os.execv(words[0], words)  # noqa: S606 - a terminal of its own, no shell
    said, asked = b"", 0
    while True:
        try:
            read = os.read(terminal, 1024)
        except OSError:
            break
        said += read
        while said.count(b"pass phrase for") > asked:
            asked += 1
            os.write(terminal, answer)
    os.waitpid(child, 0)
    return said
