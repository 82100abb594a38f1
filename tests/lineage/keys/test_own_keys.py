"""Keys on a machine without OpenSSH: what is made there is OpenSSH's, too."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

import lineage
from lineage.errors import StoreError
from lineage.keys.making import make
from lineage.store import own_keys
from lineage.store.key_files import generate, read_public
from lineage.store.openssh import NoOpenSSH
from lineage.store.signing import sign
from lineage.store.sshsig import Signature
from lineage.verify import verify
from tests.tools import needs_openssh

Files = dict[str, Path]


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave nothing but git on the PATH."""
    git = shutil.which("git")
    assert git
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "git").symlink_to(git)
    monkeypatch.setenv("PATH", str(folder))


@needs_openssh
def test_the_signature_is_the_one_of_openssh(key_files: Files) -> None:
    """The same key signs the same message with the same bytes, here and there."""
    for message, namespace in ((b"message", "git"), (b"", "x"), (b"m" * 9_999, "file")):
        there = sign(message, key_files["ada"], namespace)
        assert own_keys.sign(message, key_files["ada"], namespace) == there


@needs_openssh
def test_openssh_takes_the_key(tmp_path: Path) -> None:
    """A key that is made here is one for ssh-keygen, with its comment and mode."""
    key, public = tmp_path / "key", tmp_path / "key.pub"
    own_keys.generate(key, public, "ada@example.com")

    told = subprocess.run(
        ["ssh-keygen", "-y", "-f", key], capture_output=True, text=True, check=True
    )
    assert told.stdout.split()[:2] == public.read_text().split()[:2]
    assert public.read_text().split()[2] == "ada@example.com"
    assert key.stat().st_mode & 0o777 == 0o600
    assert own_keys.sign(b"message", key, "git") == sign(b"message", key)


@pytest.mark.usefixtures("bare")
def test_a_registry_is_signed_without_openssh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine that has git alone, keys are made, events signed and verified."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "own"))
    with lineage.init(tmp_path / "registry") as registry:
        made = make(registry, "Ada", "ada@example.com", passphrase=False)
        registry.commit("dataset", "seed", __file__, origin={"type": "human"})

        found = verify(registry)
    assert (found.checked, found.problems) == (1, [])
    assert read_public(Path(f"{made.path}.pub")) == made.public
    assert Signature.parse(sign(b"it", made.path)).holds(b"it", "git")


@pytest.mark.usefixtures("bare")
def test_what_needs_openssh_says_so(key_files: Files, tmp_path: Path) -> None:
    """Other kinds, public files and wide modes cannot sign; passphrases not be set."""
    wide = tmp_path / "wide"
    wide.write_bytes(key_files["ada"].read_bytes())
    wide.chmod(0o644)
    beside = Path(f"{key_files['ada']}.pub")
    alone = tmp_path / "alone.pub"
    alone.write_bytes(beside.read_bytes())

    assert sign(b"message", beside) == sign(b"message", key_files["ada"])
    for key in (key_files["rsa"], key_files["locked"], alone):
        with pytest.raises(StoreError, match="without ssh-keygen a file of"):
            sign(b"message", key)
    with pytest.raises(StoreError, match="its mode is to be 600"):
        sign(b"message", wide)
    with pytest.raises(NoOpenSSH, match="no ssh-keygen") as caught:
        generate(tmp_path / "new", "", passphrase=True)
    assert "--no-passphrase" in caught.value.hint
    assert not (tmp_path / "new").exists()
