"""Archives that hurt whoever opens them are refused, before they can."""

from __future__ import annotations

import stat
import struct
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from lineage.bundle_check.archive import MOST_FILES
from tests.lineage.bundle_check.bag import Bag
from tests.lineage.bundle_check.conftest import Office, by_script, by_tool

if TYPE_CHECKING:
    from pathlib import Path

Makes = Callable[[Bag, "Path"], bytes]
HOSTILE: dict[str, Makes] = {}


def hostile(what: str) -> Callable[[Makes], Makes]:
    def add(makes: Makes) -> Makes:
        HOSTILE[what] = makes
        return makes

    return add


def _named(bag: Bag, name: str, data: bytes = b"x") -> bytes:
    """The bundle and one more file of that name, whatever it is."""
    out = BytesIO(bag.data())
    with zipfile.ZipFile(out, "a") as archive:
        info = zipfile.ZipInfo("placeholder")
        info.filename = name
        archive.writestr(info, data)
    return out.getvalue()


@hostile("a name with ..")
def _(bag: Bag, _: Path) -> bytes:
    return _named(bag, f"{bag.top}/../../evil.sh")


@hostile("an absolute name")
def _(bag: Bag, _: Path) -> bytes:
    return _named(bag, "/tmp/evil.sh")  # noqa: S108


@hostile("a name with a backslash")
def _(bag: Bag, _: Path) -> bytes:
    return _named(bag, f"{bag.top}/..\\evil.sh")


@hostile("a name with a line break")
def _(bag: Bag, _: Path) -> bytes:
    return _named(bag, f"{bag.top}/a\nb")


@hostile("a name that begins with a dot")
def _(bag: Bag, _: Path) -> bytes:
    return _named(bag, f"{bag.top}/data/.git/config")


@hostile("a name that is not UTF-8")
def _(bag: Bag, _: Path) -> bytes:
    return _named(bag, f"{bag.top}/nam_").replace(b"/nam_", b"/na\xff\xfe")


@hostile("a second folder")
def _(bag: Bag, _: Path) -> bytes:
    return _named(bag, "lineage-000000000000/bagit.txt")


@hostile("two files of one name")
def _(bag: Bag, _: Path) -> bytes:
    with pytest.warns(UserWarning, match="Duplicate"):
        return _named(bag, f"{bag.top}/data/report.json", b"{}")


@hostile("a symbolic link")
def _(bag: Bag, _: Path) -> bytes:
    out = BytesIO(bag.data())
    with zipfile.ZipFile(out, "a") as archive:
        info = zipfile.ZipInfo(f"{bag.top}/data/link")
        info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    return out.getvalue()


@hostile("a file that is said to be encrypted")
def _(bag: Bag, _: Path) -> bytes:
    data = bytearray(bag.data())
    data[6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1
    return bytes(data)


@hostile("a wrong checksum")
def _(bag: Bag, _: Path) -> bytes:
    data = bytearray(bag.data())
    data[14] ^= 1
    data[data.index(b"PK\1\2") + 16] ^= 1
    return bytes(data)


@hostile("the last byte cut off")
def _(bag: Bag, _: Path) -> bytes:
    return bag.data()[:-1]


@hostile("half of it cut off")
def _(bag: Bag, _: Path) -> bytes:
    data = bag.data()
    return data[: len(data) // 2]


@hostile("no zip file at all")
def _(_bag: Bag, _: Path) -> bytes:
    return b"PK\3\4 all is well " * 100


@hostile("an empty file")
def _(_bag: Bag, _: Path) -> bytes:
    return b""


@hostile("a bomb: 120 MB of zeros in 120 kB")
def _(bag: Bag, work: Path) -> bytes:
    return _bomb(bag, work)


@hostile("a bomb that says so: 4 GB in 20 bytes")
def _(bag: Bag, _: Path) -> bytes:
    data = bytearray(bag.data())
    struct.pack_into("<L", data, 22, 2**32 - 2)
    struct.pack_into("<L", data, data.index(b"PK\1\2") + 24, 2**32 - 2)
    return bytes(data)


@hostile("files that overlap, each of them a part of the others")
def _(bag: Bag, _: Path) -> bytes:
    """As in 42.zip's successors: all entries point at one piece of data."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{bag.top}/data/00000", b"\0" * 10**7)
        entry = archive.infolist()[0]
        for number in range(1, 1000):
            again = zipfile.ZipInfo(f"{bag.top}/data/{number:05}")
            for field in ("CRC", "compress_size", "file_size", "header_offset",
                          "compress_type", "external_attr"):  # fmt: skip
                setattr(again, field, getattr(entry, field))
            archive.filelist.append(again)
    return out.getvalue()


@hostile("a size that it does not have")
def _(bag: Bag, _: Path) -> bytes:
    """Both lists say 1 byte of a file that is as long as ever."""
    data = bytearray(bag.data())
    struct.pack_into("<L", data, 22, 1)
    struct.pack_into("<L", data, data.index(b"PK\1\2") + 24, 1)
    return bytes(data)


@hostile("100,000 files")
def _(bag: Bag, _: Path) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(100_000):
            archive.writestr(zipfile.ZipInfo(f"{bag.top}/{number}"), b"")
    assert MOST_FILES < 100_000
    return out.getvalue()


def _bomb(bag: Bag, work: Path) -> bytes:
    path = work / "bomb"
    path.write_bytes(bag.data())
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr(f"{bag.top}/data/bomb", bytes(12 * 10**7))
    return path.read_bytes()


@pytest.mark.parametrize("what", HOSTILE)
def test_an_archive_that_hurts_is_refused_by_both(
    what: str, office: Office, tmp_path: Path
) -> None:
    """It is named `archive`, in little time, and nothing is written beside it."""
    path = tmp_path / "it.zip"
    path.write_bytes(HOSTILE[what](Bag.read(office.bundles["none"]), tmp_path))
    before = {p.name for p in tmp_path.iterdir()}

    for by in (by_tool, by_script):
        start = time.monotonic()
        verdict = by(path, *office.held("signers"))
        assert verdict.code == 3, verdict.said
        assert "archive" in verdict.findings, verdict.said
        assert verdict.findings <= {"archive", "bag"}, verdict.said
        assert time.monotonic() - start < 60
    assert {p.name for p in tmp_path.iterdir()} == before


def test_a_bomb_takes_no_memory(office: Office, tmp_path: Path) -> None:
    """`lineage verify` refuses it without unpacking it: nothing grows."""
    path = tmp_path / "bomb.zip"
    path.write_bytes(_bomb(Bag.read(office.bundles["none"]), tmp_path))
    tracemalloc.start()

    assert by_tool(path).findings == {"archive"}

    assert tracemalloc.get_traced_memory()[1] < 2 * 10**6
    tracemalloc.stop()


def test_links_in_an_unpacked_folder_are_not_followed(
    office: Office, tmp_path: Path
) -> None:
    """A link is no file of a bundle, wherever it leads."""
    bag = Bag.read(office.bundles["none"])
    folder = tmp_path / bag.top
    for name, data in bag.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    assert by_tool(folder).code == 0
    (folder / "data" / "report.html").unlink()
    (folder / "data" / "report.html").symlink_to("/etc/hostname")

    for by in (by_tool, by_script):
        assert by(folder).findings == {"archive"}


def test_a_pack_that_unpacks_to_too_much_is_refused(
    office: Office, tmp_path: Path
) -> None:
    """Git's own pack can be a bomb, too: its sizes are added up before it is read."""
    bag = Bag.read(office.bundles["none"])
    with bag.git() as git:
        blob = tmp_path / "zeros"
        with blob.open("wb") as file:
            file.truncate(90 * 2**20)
        oid = git.run("hash-object", "-w", str(blob)).decode().strip()
        git.run("update-ref", f"refs/lineage/attic/{oid}", oid)
    bag.sign(office.keys["ada"])

    verdict = by_tool(bag.write(tmp_path / "it.zip"), *office.held("signers"))

    assert verdict.findings == {"git"}, verdict.said
