"""Writing packs: the same from the same, whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lineage.errors import VerificationError
from lineage.store.packed import writer as writer_module
from lineage.store.packed.packs import Packs
from lineage.store.packed.reading_back import read_back
from lineage.store.packed.writer import Writer
from tests.store.packed.making import (
    add_chain,
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


@pytest.mark.parametrize("threads", [1, 7])
def test_threads_make_no_difference(
    threads: int, packs: Packs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same files give the same pack, however many threads code them."""
    names = []
    for count in (2, threads):
        monkeypatch.setattr(writer_module, "THREADS", count)
        with Writer(packs, tmp_path / f"{count}") as writer:
            add_chain(writer, chain(12))
            names.append(writer.finish())
    assert names[0] == names[1]


def test_a_file_is_added_once(packs: Packs, tmp_path: Path) -> None:
    """Who adds a file twice gets a pack that names it once, and can be read back."""
    data = weights(1)
    with Writer(packs, tmp_path / "pack") as writer:
        writer.add(md5(data), sha256(data), pieces(data))
        writer.add(md5(data), sha256(data), pieces(data))
        writer.finish()
    read_back(tmp_path / "pack", packs)
    assert writer.files == 1


def test_what_is_taken_back_leaves_no_trace(packs: Packs, tmp_path: Path) -> None:
    """A pack after `back_to` is the one that never had what was added since."""
    files = chain(3)
    with Writer(packs, tmp_path / "pack") as writer:
        add_chain(writer, files[:2])
        mark = writer.mark()
        other = weights(99)
        writer.add(md5(other), sha256(other), pieces(other))
        writer.back_to(mark)
        with pytest.raises(VerificationError, match="does not have its SHA-256"):
            writer.add(md5(other), sha256(b""), pieces(other))
        data = files[2]
        writer.add(md5(data), sha256(data), pieces(data, files[1]))
        name = writer.finish()
    (tmp_path / "pack").unlink()
    assert name == published(packs, tmp_path, files)
    assert contents(packs, [*files, other]) == [*files, None]


def test_what_is_there_is_not_written_again(packs: Packs, tmp_path: Path) -> None:
    """A file whose blocks other packs have takes no room but for its segments."""
    files = chain(2)
    published(packs, tmp_path, files)
    both = files[0] + files[1][:-4]
    with Writer(packs, tmp_path / "pack") as writer:
        added = writer.add(md5(both), sha256(both), pieces(both, files[0]))
        name = writer.finish()
    assert added.whole == len(both)
    assert added.shared > len(both) * 0.8
    packs.publish(tmp_path / "pack", name)
    assert contents(packs, [both]) == [both]


def test_a_full_chain_goes_on_from_its_root(packs: Packs, tmp_path: Path) -> None:
    """After four bases a file builds on the first one, and the next ones on it."""
    files = chain(10)
    published(packs, tmp_path, files)
    (pack,) = packs
    depths = []
    for data in files:
        parts = packs.segments(md5(data))
        assert parts
        rows = [pack.find_block(part.block) for part in parts]
        depths.append({row.depth for row in rows if row})
    assert depths == [{depth} for depth in (0, 1, 2, 3, 4, 1, 2, 3, 4, 1)]
    assert contents(Packs(tmp_path / "cache", "registry"), files) == files
