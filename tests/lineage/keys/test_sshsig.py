"""Signatures of SSH, as OpenSSH makes and judges them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.errors import StoreError, UsageError
from lineage.store.key_files import read_public
from lineage.store.openssh import holds
from lineage.store.signing import sign
from lineage.store.sshsig import PublicKey, Signature
from tests.tools import needs_openssh

KINDS = ("ed25519", "ecdsa", "ecdsa521", "rsa")
Files = dict[str, Path]


@needs_openssh
@pytest.mark.parametrize("kind", KINDS)
def test_what_openssh_signs_holds_and_nothing_else(kind: str, key_files: Files) -> None:
    """A signature holds for its message and namespace only, for us and ssh-keygen."""
    made = sign(b"message", key_files[kind])
    found = Signature.parse(made)

    for message, namespace in (
        (b"message", "git"),
        (b"other", "git"),
        (b"message", "x"),
    ):
        expected = holds(message, made, namespace)
        assert found.holds(message, namespace) is expected
        assert expected is ((message, namespace) == (b"message", "git"))


@needs_openssh
@pytest.mark.parametrize("kind", KINDS)
def test_a_public_key_is_what_openssh_says(kind: str, key_files: Files) -> None:
    """Fingerprint and line of a key are those that ssh-keygen prints."""
    path = Path(f"{key_files[kind]}.pub")
    said = subprocess.run(
        ["ssh-keygen", "-lf", path], capture_output=True, text=True, check=True
    )
    key = read_public(path)

    assert key.fingerprint == said.stdout.split()[1]
    assert path.read_text(encoding="utf-8").startswith(f"{key.line} {kind}")
    assert Signature.parse(sign(b"x", key_files[kind])).key == key


@pytest.mark.parametrize("kind", KINDS)
def test_a_flipped_bit_is_found(kind: str, key_files: Files) -> None:
    """No signature with one other bit in its value holds, for us as for ssh-keygen."""
    made = Signature.parse(sign(b"message", key_files[kind]))
    value = made.value
    for at in range(0, len(value) * 8, 41):
        flipped = bytearray(value)
        flipped[at // 8] ^= 1 << at % 8
        assert not made._replace(value=bytes(flipped)).holds(b"message", "git")


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_what_is_no_signature_is_an_error(junk: bytes) -> None:
    """Reading junk raises ValueError and nothing else."""
    import base64

    body = base64.b64encode(b"SSHSIG\x00\x00\x00\x01" + junk)
    text = b"-----BEGIN SSH SIGNATURE-----\n%s\n-----END SSH SIGNATURE-----" % body
    for given_ in (junk, text):
        with pytest.raises(ValueError, match=r".*"):
            Signature.parse(given_)


@pytest.mark.parametrize(
    "line", ["", "ssh-ed25519", "ssh-ed25519 AAAA", "ssh-rsa !", "hello world"]
)
def test_what_is_no_public_key_is_refused(line: str) -> None:
    """A line that is no public key is a usage error."""
    with pytest.raises(UsageError, match="no public key"):
        PublicKey.parse(line)


def test_a_key_is_not_read_as_another_kind(key_files: Files) -> None:
    """The kind before the key has to be the one inside it."""
    line = read_public(Path(f"{key_files['rsa']}.pub")).line

    with pytest.raises(UsageError, match="no public key"):
        PublicKey.parse(line.replace("ssh-rsa", "ssh-ed25519"))


def test_a_private_key_is_not_read(key_files: Files) -> None:
    """Whoever gives a private key is told to give the public one."""
    with pytest.raises(UsageError, match="is a private key") as caught:
        read_public(key_files["ada"])

    assert caught.value.hint.endswith("ada.pub")


@needs_openssh
def test_an_agent_signs_for_a_public_key(
    key_files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the private half in ssh-agent alone, the .pub file signs."""
    socket, public = tmp_path / "agent", tmp_path / "ada.pub"
    public.write_bytes(Path(f"{key_files['ada']}.pub").read_bytes())
    with pytest.raises(StoreError, match="cannot sign"):
        sign(b"message", public)
    agent = subprocess.Popen(
        ["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert agent.stdout
        agent.stdout.readline()
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        added = ["ssh-add", "-q", str(key_files["ada"])]
        subprocess.run(added, check=True, capture_output=True)
        assert Signature.parse(sign(b"message", public)).holds(b"message", "git")
    finally:
        agent.terminate()
        agent.communicate()


def test_a_key_that_others_can_read_does_not_sign(
    key_files: Files, tmp_path: Path
) -> None:
    """A private key with wide permissions is refused, with ssh's own words."""
    path = tmp_path / "wide"
    path.write_bytes(key_files["ada"].read_bytes())
    path.chmod(0o644)

    with pytest.raises(StoreError, match="cannot sign"):
        sign(b"message", path)
