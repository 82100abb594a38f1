"""Packed objects are read as loose ones are, and lent to who needs a file."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lineage.errors import StoreError, VerificationError
from lineage.store.files import FileEntry
from lineage.store.hashes import HashCache
from lineage.store.payloads import MISSING, Payloads
from tests import packs

OLD = os.urandom(3 * packs.BLOCK + 5)
NEW = OLD[: packs.BLOCK] + os.urandom(packs.BLOCK) + OLD[2 * packs.BLOCK :] + b"more"


@pytest.fixture
def payloads(tmp_path: Path) -> Payloads:
    return Payloads(tmp_path / "cache", "own", HashCache(tmp_path / "hashes.sqlite"))


@pytest.fixture
def top(tmp_path: Path) -> Path:
    folder = tmp_path / "top"
    folder.mkdir()
    (folder / "new").write_bytes(NEW)
    (folder / "old").write_bytes(OLD)
    return folder


@pytest.fixture
def entries(payloads: Payloads, top: Path) -> list[FileEntry]:
    """Two files of one folder, one much like the other, packed and released."""
    found = payloads.add(top)[1]
    packs.pack(payloads, [entry.md5 for entry in reversed(found)])
    return found


def loose(payloads: Payloads) -> list[str]:
    """The names of all plain objects, but DVC's lists."""
    found = payloads.cache.glob("files/md5/*/*")
    pinned = payloads.cache.glob("lineage/own/*/*")
    return sorted(
        {p.parent.name + p.name for p in (*found, *pinned)} - _lists(payloads)
    )


def _lists(payloads: Payloads) -> set[str]:
    found = payloads.cache.glob("files/md5/*/*.dir")
    return {path.parent.name + path.name for path in found}


def test_packed_objects_are_read(
    payloads: Payloads, entries: list[FileEntry], tmp_path: Path
) -> None:
    """They are here, whole, checked and copied, and are no plain files."""
    assert loose(payloads) == []
    for entry, data in zip(entries, (NEW, OLD), strict=True):
        assert payloads.has(entry.md5)
        assert payloads.is_packed(entry.md5)
        assert payloads.intact(entry.md5, entry.size)
        assert not payloads.intact(entry.md5, entry.size + 1)
        assert payloads.check(entry) == ""
        assert payloads.digests(entry.md5) == (entry.md5, entry.sha256)
        payloads.copy(entry, tmp_path / entry.path)
        assert (tmp_path / entry.path).read_bytes() == data
        with payloads.open(entry.md5) as file:
            file.seek(-7, os.SEEK_END)
            assert (file.tell(), file.read()) == (len(data) - 7, data[-7:])


def test_what_is_packed_is_not_stored_again(
    payloads: Payloads, top: Path, entries: list[FileEntry]
) -> None:
    """Neither an unchanged file nor another one of the same bytes is."""
    assert payloads.add(top)[1] == entries
    (top / "twin").write_bytes(OLD)
    added = {entry.path: entry for entry in payloads.add(top)[1]}
    assert added["twin"].md5 == added["old"].md5
    assert loose(payloads) == []


def test_damage_is_found_and_healed_by_a_commit(
    payloads: Payloads, top: Path, entries: list[FileEntry]
) -> None:
    """A packed file with a wrong byte is told of; equal bytes are stored whole then."""
    [pack] = payloads.packs.folder.iterdir()
    pack.chmod(0o644)
    data = bytearray(pack.read_bytes())
    data[packs.BLOCK // 2] ^= 1
    pack.write_bytes(data)
    fresh = Payloads(payloads.cache, "own", HashCache(top.parent / "other"))
    assert "cannot be read" in fresh.check(entries[1])
    with pytest.raises(VerificationError):
        fresh.copy(entries[1], top / "copy")
    (top / "copy").unlink()
    assert fresh.add(top)[1] == entries
    assert fresh.check(entries[1]) == ""
    assert entries[1].md5 in loose(fresh)


def test_a_damaged_block_is_read_from_another_pack(
    payloads: Payloads, entries: list[FileEntry], top: Path, tmp_path: Path
) -> None:
    """Files are made plain again though the first pack would give other bytes."""
    other = Payloads(tmp_path / "other", "own", HashCache(tmp_path / "more.sqlite"))
    other.add(top)
    packs.pack(other, [entry.md5 for entry in entries])
    (twin,) = other.packs
    shutil.copy(twin.path, payloads.packs.folder)
    first, _ = payloads.packs
    first.path.chmod(0o644)
    with first.path.open("r+b") as file:
        file.seek(packs.BLOCK // 2)  # of noise, which is kept as it is
        file.write(b"damage")
    assert payloads.restore(entry.md5 for entry in entries) == 2
    assert all(payloads.is_plain(entry) for entry in entries)


def test_a_path_stays_while_it_is_used(
    payloads: Payloads, entries: list[FileEntry], top: Path
) -> None:
    """A packed file is written out, a plain one linked, until nobody needs them."""
    (top / "new").write_bytes(b"plain")
    plain = {e.path: e for e in payloads.add(top)[1]}["new"]
    work = payloads.cache / "lineage" / "tmp"
    with payloads.at(entries[1].md5) as path, payloads.at(plain.md5) as linked:
        assert (path.read_bytes(), linked.read_bytes()) == (OLD, b"plain")
        packs.pack(payloads, [plain.md5])
        assert linked.read_bytes() == b"plain"
        with payloads.at(plain.md5) as again:
            assert again == linked
        assert linked.exists()
    assert payloads.path(plain.md5).read_bytes() == b"plain"
    payloads.close()
    assert list(work.iterdir()) == []


def test_little_is_kept_of_what_was_written_out(
    payloads: Payloads, entries: list[FileEntry], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is in use stays; of the rest only as much as is worth it."""
    monkeypatch.setattr("lineage.store.lent.KEPT", entries[1].size)
    with payloads.at(entries[0].md5) as new:
        with payloads.at(entries[1].md5) as old:
            assert old.exists()
        assert old.exists()
    assert (new.exists(), old.exists()) == (False, True)


KILLED = """\
import os, sys
from pathlib import Path
from lineage.store.hashes import HashCache
from lineage.store.payloads import Payloads

payloads = Payloads(Path(sys.argv[1]), "own", HashCache(Path(sys.argv[2])))
print(payloads.path(sys.argv[3]))
if sys.argv[4] == "killed":
    sys.stdout.flush()
    os.kill(os.getpid(), 9)
if sys.argv[4] == "forked" and os.fork() == 0:
    sys.exit()
if sys.argv[4] == "forked":
    os.wait()
    print(Path(payloads.path(sys.argv[3])).exists())
"""


@pytest.mark.parametrize("end", ["killed", "forked", "well"])
def test_nothing_is_left_by_a_reader_that_ends(
    payloads: Payloads, entries: list[FileEntry], tmp_path: Path, end: str
) -> None:
    """At its end it removes what was written out; if it is killed, the next one does.

    A fork of it removes nothing.
    """
    places = [str(payloads.cache), str(tmp_path / "other"), entries[0].md5, end]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, *places],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    path = Path(done.stdout.splitlines()[0])
    assert path.exists() == (end == "killed")
    assert "False" not in done.stdout
    with payloads.workspace():
        assert not path.exists()
        assert len(list((payloads.cache / "lineage" / "tmp").glob("*.lock"))) == 1


def test_what_cannot_be_decoded_here_is_not_called_missing(
    payloads: Payloads, entries: list[FileEntry], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without what packs need, looking at a packed file says what to install."""
    monkeypatch.delitem(sys.modules, "lineage.store.packed.codec", raising=False)
    monkeypatch.setitem(sys.modules, "zstandard", None)
    again = Payloads(payloads.cache, "own", HashCache(payloads.cache / "hashes"))
    with pytest.raises(StoreError, match="packs need zstandard"):
        again.check(entries[0])


def test_packed_files_become_plain_again(
    payloads: Payloads, entries: list[FileEntry]
) -> None:
    """`restore` writes them out for good; nothing that is no whole packed file goes."""
    oids = [entry.md5 for entry in entries]
    assert payloads.restore(oids) == 2
    assert payloads.restore(oids) == 0
    assert loose(payloads) == sorted(oids)
    for pack in payloads.packs.folder.iterdir():
        pack.unlink()
    assert [payloads.check(entry) for entry in entries] == ["", ""]
    with payloads.alone(), pytest.raises(VerificationError, match="in no pack"):
        payloads.release(oids[:1])
    payloads.cache.rename(payloads.cache.with_name("away"))
    assert payloads.check(entries[0]) == MISSING
    with pytest.raises(StoreError, match="missing from the cache"):
        payloads.open(entries[0].md5)
