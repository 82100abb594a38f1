"""Payload bytes: read once, kept once, pinned, healed, given back verified."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from lineage.errors import StoreError, VerificationError
from lineage.store.disk import locked
from lineage.store.files import FileEntry, dvc_address, dvc_directory
from lineage.store.hashes import HashCache
from lineage.store.payloads import Payloads

if TYPE_CHECKING:
    from pathlib import Path

LARGE = 6_000_000
# Two files of one MD5 (X. Wang and others, 2004).
TWIN = (
    "d131dd02c5e6eec4693d9a0698aff95c2fcab5%s712467eab4004583eb8fb7f8955ad340"
    "609f4b30283e4888325%s1415a085125e8f7cdc99fd91dbd%s280373c5bd8823e3156348"
    "f5bae6dacd436c919c6dd53e2%s487da03fd02396306d248cda0e99f33420f577ee8ce54"
    "b67080%s80d1ec69821bcb6a8839396f965%sb6ff72a70"
)
TWINS = [bytes.fromhex(TWIN % tuple(digits)) for digits in ("87fba2", "0f732a")]


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def payloads(cache: Path, tmp_path: Path) -> Payloads:
    return Payloads(cache, "own", HashCache(tmp_path / "hashes.sqlite"))


@pytest.fixture
def top(tmp_path: Path) -> Path:
    path = tmp_path / "top"
    path.mkdir()
    return path


def write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def places(cache: Path, oid: str) -> tuple[Path, Path]:
    """Where an object is pinned, and where DVC looks for it."""
    return tuple(
        cache / root / oid[:2] / oid[2:] for root in ("lineage/own", "files/md5")
    )  # type: ignore[return-value]


def kept(cache: Path) -> set[str]:
    """All files of the cache."""
    return {str(p.relative_to(cache)) for p in cache.rglob("*") if p.is_file()}


# writing


@pytest.mark.parametrize("size", [0, 1, 4 << 20, (4 << 20) + 1, LARGE, 3 << 20])
def test_a_file_is_hashed_and_copied(
    size: int, payloads: Payloads, cache: Path, top: Path
) -> None:
    """MD5, SHA-256, size and copy are right on both sides of the threads' threshold."""
    data = os.urandom(size)
    done: list[int] = []
    payload, [entry] = payloads.add(write(top / "f", data), progress=done.append)
    digests = hashlib.sha256(data).hexdigest(), hashlib.md5(data).hexdigest()  # noqa: S324

    assert entry == FileEntry("f", "100644", size, *digests)
    assert (payload.count, payload.size, payload.type) == (1, size, "file")
    assert sum(done) == size
    for place in places(cache, entry.md5):
        assert place.read_bytes() == data


def test_an_object_is_one_read_only_file(
    payloads: Payloads, cache: Path, top: Path
) -> None:
    """Pin and DVC's object are two links; the user's file is not a third."""
    path = write(top / "f", b"text")
    [entry] = payloads.add(path)[1]
    pin, place = places(cache, entry.md5)

    assert pin.samefile(place)
    assert pin.stat().st_nlink == 2
    assert stat.S_IMODE(pin.stat().st_mode) == 0o444
    assert not path.samefile(pin)
    assert os.access(path, os.W_OK)


def test_a_folder_is_its_files_and_a_list(
    payloads: Payloads, cache: Path, top: Path
) -> None:
    """Same bytes are kept once; modes and empty folders are in the entries alone."""
    for name in ("b", "a/x", "a/y"):
        write(top / name, b"same")
    (top / "b").chmod(0o755)
    (top / "empty").mkdir()
    payload, entries = payloads.add(top)

    assert [(entry.path, entry.mode) for entry in entries] == [
        ("a/x", "100644"), ("a/y", "100644"), ("b", "100755"), ("empty", "040000")
    ]  # fmt: skip
    oid, size = dvc_address("directory", entries)
    assert places(cache, oid)[1].read_bytes() == dvc_directory(entries)
    assert (payload.count, payload.size, size) == (3, 12, 12)
    assert len(kept(cache)) == 4


def test_adding_again_writes_nothing(
    payloads: Payloads, cache: Path, top: Path, tmp_path: Path
) -> None:
    """What is there stays the file that it is, for another registry's object too."""
    write(top / "f", b"text")
    first = payloads.add(top)
    before = {name: (cache / name).stat().st_ino for name in kept(cache)}
    again = Payloads(cache, "own", HashCache(tmp_path / "other.sqlite"))

    assert again.add(top) == first
    assert {name: (cache / name).stat().st_ino for name in kept(cache)} == before


def test_what_dvc_has_already_is_not_kept_twice(
    payloads: Payloads, cache: Path, top: Path
) -> None:
    """An object that `dvc add` made is pinned without a second copy staying."""
    data = b"text"
    oid = hashlib.md5(data).hexdigest()  # noqa: S324
    pin, place = places(cache, oid)
    write(place, data)
    payloads.add(write(top / "f", data))

    assert pin.samefile(place)


def test_hashing_without_storing_writes_nothing(
    payloads: Payloads, cache: Path, top: Path
) -> None:
    """A reference is hashed where it is, and not even a folder is made."""
    write(top / "f", b"text")
    payload, entries = payloads.add(top, store=False)

    assert not payload.stored
    assert entries == payloads.add(top)[1]
    shutil.rmtree(cache)
    payloads.add(top, store=False)
    assert not cache.exists()


def test_an_object_damaged_in_length_or_bytes_is_renewed(
    payloads: Payloads, cache: Path, top: Path
) -> None:
    """Committing the same bytes again makes good what a disk or a person spoilt."""
    path = write(top / "f", b"text")
    [entry] = payloads.add(path)[1]
    for damaged in (b"tex", b"tExt", b""):
        pin, place = places(cache, entry.md5)
        pin.chmod(0o644)
        pin.write_bytes(damaged)
        assert payloads.check(entry)
        payloads.add(path)
        assert payloads.check(entry) == ""
        assert pin.samefile(place)


@pytest.mark.parametrize("together", [False, True])
def test_two_files_of_one_md5_are_refused(
    together: bool,  # noqa: FBT001
    payloads: Payloads,
    cache: Path,
    top: Path,
) -> None:
    """The second cannot take the place of the first, which stays whole."""
    assert hashlib.md5(TWINS[0]).digest() == hashlib.md5(TWINS[1]).digest()  # noqa: S324
    write(top / "a", TWINS[0])
    [entry] = payloads.add(top / "a")[1]
    write(top / "b", TWINS[1])
    with pytest.raises(
        StoreError, match="have one MD5, 79054025255fb1a26e4bc422aef54eb4"
    ):
        payloads.add(top if together else top / "b")

    assert payloads.check(entry) == ""
    assert len(kept(cache)) == 2


# a file that changes


@pytest.mark.parametrize("size", [10, LARGE])
@pytest.mark.parametrize("change", ["append", "truncate", "rewrite", "replace"])
def test_a_file_that_changes_while_it_is_read_is_refused(
    change: str, size: int, payloads: Payloads, cache: Path, top: Path
) -> None:
    """Nothing is kept of a file that is not the same from start to end."""
    path = write(top / "data", bytes(size))

    def meddle(_: int) -> None:
        if change == "replace":
            write(top / "new", bytes(size)).replace(path)
        else:
            mode = {"append": "ab", "truncate": "wb", "rewrite": "r+b"}[change]
            with path.open(mode) as file:
                file.write(b"x")

    with pytest.raises(StoreError, match="data changed while it was read"):
        payloads.add(path, progress=meddle)
    assert kept(cache) == set()


def test_a_file_that_goes_while_the_folder_is_read_is_named(
    payloads: Payloads, cache: Path, top: Path
) -> None:
    """What was there when the folder was listed must be there to be read."""
    for name in ("a", "b"):
        write(top / name, b"text")
    with pytest.raises(StoreError, match="top/b cannot be read: No such file"):
        payloads.add(top, progress=lambda _: (top / "b").unlink(missing_ok=True))
    assert kept(cache) == set()


# other writers


def test_copies_of_dead_writers_are_swept_and_of_living_ones_not(
    payloads: Payloads, cache: Path, top: Path
) -> None:
    """A workspace whose lock nobody holds is rubbish; the others are somebody's."""
    work = cache / "lineage" / "tmp"
    for name in ("dead", "alive"):
        write(work / name / "copy", b"half")
        (work / f"{name}.lock").touch()
    with locked(work / "alive.lock"):
        payloads.add(write(top / "f", b"text"))
        assert {p.name for p in work.iterdir()} == {"alive", "alive.lock"}
    payloads.add(write(top / "g", b"more"))
    assert list(work.iterdir()) == []


def test_a_lock_file_that_was_swept_under_the_waiting_is_made_again(
    tmp_path: Path,
) -> None:
    """Who waited for a lock holds the one that others find there."""
    path = tmp_path / "lock"
    held = threading.Event()

    def wait() -> None:
        with locked(path) as descriptor:
            assert os.path.samestat(os.fstat(descriptor), path.stat())
            held.set()

    with locked(path):
        waiting = threading.Thread(target=wait)
        waiting.start()
        waiting.join(0.1)
        path.unlink()
    waiting.join(10)
    assert held.is_set()


def test_a_lock_is_not_waited_for_when_told_so(tmp_path: Path) -> None:
    """`wait=False` fails at once while somebody else holds the lock."""
    with (
        locked(tmp_path / "lock"),
        pytest.raises(BlockingIOError),
        locked(tmp_path / "lock", wait=False),
    ):
        pass


# reading


WATCH = """\
import os, sys
from pathlib import Path
from lineage.store.hashes import HashCache
from lineage.store.payloads import Payloads

made = []

def watch(event, args):
    if event == "os.mkdir" and Path(args[0]).parent.name != "tmp":
        made.append(Path(args[0]))
    elif event == "open" and isinstance(args[0], (str, Path)) and args[1] is None:
        made[:] = [path for path in made if path.parent != Path(args[0])]

top, cache = map(Path, sys.argv[1:])
payloads = Payloads(cache, "own", HashCache(cache.with_name("hashes")))
sys.addaudithook(watch)
payloads.add(top)
print(*made, len(list(cache.glob("files/md5/*"))))
"""


def test_new_folders_of_the_cache_are_synced(cache: Path, top: Path) -> None:
    """An object is on disk only when the folder of its bucket is, in its own folder."""
    for number in range(5):
        write(top / f"{number}", b"%d" % number)
    command = [sys.executable, "-B", "-c", WATCH, str(top), str(cache)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout == "6\n"  # every folder that was made had its parent opened


def test_links_that_were_deleted_are_made_again(
    payloads: Payloads, cache: Path, top: Path
) -> None:
    """From the pin what `dvc gc` took, from DVC's object what took the pins."""
    [entry] = payloads.add(write(top / "f", b"text"))[1]
    pin, place = places(cache, entry.md5)
    for lost in (place, pin, place):
        lost.unlink()
        assert payloads.path(entry.md5).read_bytes() == b"text"
        assert pin.samefile(place)
    shutil.rmtree(cache)
    with pytest.raises(StoreError, match=f"the object {entry.md5} is missing"):
        payloads.path(entry.md5)


def test_damage_is_described(payloads: Payloads, cache: Path, top: Path) -> None:
    """Wrong bytes, wrong length and nothing at all are told apart."""
    [entry] = payloads.add(write(top / "f", b"text"))[1]
    pin, place = places(cache, entry.md5)
    assert payloads.check(entry) == ""
    pin.chmod(0o644)
    pin.write_bytes(b"tExt")
    assert payloads.check(entry) == "does not have its recorded SHA-256"
    pin.write_bytes(b"text and more")
    assert payloads.check(entry) == "is 13 bytes long instead of 4"
    pin.unlink()
    place.unlink()
    assert payloads.check(entry) == "is missing from the cache"


def test_what_dvc_sees_is_made_the_pinned_file(
    payloads: Payloads, cache: Path, top: Path
) -> None:
    """A check that finds the pin whole gives DVC no other bytes than those."""
    [entry] = payloads.add(write(top / "f", b"text"))[1]
    pin, place = places(cache, entry.md5)
    for other in (b"tExt", b"text", b""):
        place.unlink()
        place.write_bytes(other)
        assert payloads.check(entry) == ""
        assert pin.samefile(place)


def test_a_copy_is_a_file_of_its_own(payloads: Payloads, top: Path) -> None:
    """Writing into what `copy` gave never reaches the cache; modes come back."""
    path = write(top / "f", os.urandom(LARGE))
    path.chmod(0o755)
    [entry] = payloads.add(path)[1]
    payloads.copy(entry, top / "copy")
    assert (top / "copy").read_bytes() == path.read_bytes()
    assert stat.S_IMODE((top / "copy").stat().st_mode) == 0o755
    (top / "copy").write_bytes(b"spoilt")

    assert payloads.check(entry) == ""


@pytest.mark.parametrize("size", [4, LARGE])
def test_a_copy_is_verified_and_overwrites_nothing(
    payloads: Payloads, cache: Path, top: Path, size: int
) -> None:
    """Damaged bytes are not given out as if they were whole, be it only the last."""
    [entry] = payloads.add(write(top / "f", bytes(size)))[1]
    with pytest.raises(FileExistsError):
        payloads.copy(entry, top / "f")
    pin = places(cache, entry.md5)[0]
    pin.chmod(0o644)
    pin.write_bytes(bytes(size - 1) + b"1")
    with pytest.raises(VerificationError, match="f does not have its recorded SHA-256"):
        payloads.copy(entry, top / "copy")


def test_lists_of_folders_are_kept_as_files_are(
    payloads: Payloads, cache: Path
) -> None:
    """`add_lists` puts one at its address, and heals what is gone."""
    payloads.add_lists([b"[]"])
    pin, place = places(cache, "d751713988987e9331980363e24189ce.dir")
    place.unlink()
    payloads.add_lists([b"[]"])
    assert pin.samefile(place)
