"""The packs of a registry: found, read, published, removed and damaged."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from lineage.errors import VerificationError
from lineage.store.packed.packs import Packs
from lineage.store.packed.reading_back import read_back
from lineage.store.packed.writer import Writer
from tests.store.packed.making import (
    chain,
    contents,
    md5,
    pieces,
    published,
    sha256,
    weights,
)

if TYPE_CHECKING:
    from pathlib import Path

FEW = """\
import resource, sys
from pathlib import Path

from lineage.errors import StoreError
from lineage.store.packed.packs import Packs

resource.setrlimit(resource.RLIMIT_NOFILE, tuple(map(int, sys.argv[2:])))
try:
    print(len(list(Packs(Path(sys.argv[1]), "registry"))))
except StoreError as error:
    print(error)
"""


def test_a_chain_of_files_comes_back(packs: Packs, tmp_path: Path) -> None:
    """Twenty generations in two packs are read bit for bit; strangers are not there."""
    files = chain(20)
    name = published(packs, tmp_path, files[:10])
    second = published(packs, tmp_path, files[9:])

    anew = Packs(tmp_path / "cache", "registry")
    assert contents(anew, files) == files
    assert {pack.name for pack in anew} == {name, second}
    assert anew.open(md5(b"other")) is None
    assert not anew.has("")
    for pack in anew:
        assert hashlib.sha256(pack.path.read_bytes()).hexdigest() == pack.name
        assert max(block.depth for block in pack.tables.all_blocks()) <= 8


def test_packs_come_and_go_under_a_reader(packs: Packs, tmp_path: Path) -> None:
    """What others publish is seen; who reads a pack that is removed reads on."""
    reader = Packs(tmp_path / "cache", "registry")
    assert not reader.has(md5(b""))
    files = chain(3, count=200_000)
    name = published(packs, tmp_path, files)

    stream = reader.open(md5(files[2]))
    assert stream
    with stream:
        begun = stream.read(1000)
        packs.path(name).unlink()
        assert not reader.has(md5(files[0]))
        assert begun + stream.read() == files[2]


def test_a_damaged_pack_hides_no_other(packs: Packs, tmp_path: Path) -> None:
    """Of two packs one has no trailer any more; the other's files are read."""
    first, second = chain(2, seed=1), chain(2, seed=7)
    name = published(packs, tmp_path, first)
    published(packs, tmp_path, second)
    packs.path(name).chmod(0o644)
    data = packs.path(name).read_bytes()
    packs.path(name).write_bytes(data[:-1])

    anew = Packs(tmp_path / "cache", "registry")
    assert contents(anew, [*first, *second]) == [None, None, *second]
    assert anew.damaged == {name: "it does not end as a pack does"}


def test_what_does_not_come_back_is_noticed(packs: Packs, tmp_path: Path) -> None:
    """A file that its segments do not make is refused when the pack is read back."""
    data = weights(5)
    with Writer(packs, tmp_path / "pack") as writer:
        added = writer.add(md5(data), sha256(data), pieces(data))
        writer.add_file(md5(b"x"), sha256(b"x"), added.segments)
        writer.finish()
    with pytest.raises(VerificationError, match="does not come back"):
        read_back(tmp_path / "pack", packs)


def test_packs_of_others_are_asked_for_their_md5(packs: Packs, tmp_path: Path) -> None:
    """A file that is called by the MD5 of another one is refused where it arrives."""
    data = weights(5)
    with Writer(packs, tmp_path / "pack") as writer:
        writer.add(md5(b"wanted"), sha256(data), pieces(data))
        writer.finish()
    read_back(tmp_path / "pack", packs)
    with pytest.raises(VerificationError, match=f"{md5(b'wanted')} does not come back"):
        read_back(tmp_path / "pack", packs, foreign=True)


def test_many_packs_are_open_at_once(packs: Packs, tmp_path: Path) -> None:
    """More than a process may open by default; where that is all, none is "damaged"."""
    packs.folder.mkdir(parents=True)
    name = published(packs, tmp_path, chain(1, count=64))
    for number in range(40):
        packs.path(f"{number}").hardlink_to(packs.path(name))
    assert said(tmp_path / "cache", 30, 400) == "41\n"
    few = "there are 41 packs, more than may be open at once\n"
    assert said(tmp_path / "cache", 30, 30) == few


def said(cache: Path, *limits: int) -> str:
    """What a process that may open so few files says of the packs."""
    words = [sys.executable, "-c", FEW, str(cache), *map(str, limits)]
    return subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout
