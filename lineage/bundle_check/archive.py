"""Opening what somebody else packed: nothing is unpacked, and nothing is believed.

The end of a zip file is read first: how many entries it claims, and how much they
would unpack to. Names, links and overlaps are looked at before any byte is inflated.
Files are then read in pieces, straight out of the archive.
"""

import hashlib
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import IO, Protocol

MOST_FILES = 65_535
_MORE = "--entries takes more"
MOST_BYTES = 256 * 2**20  # of a file that is read as a whole
RATIO, SLACK = 100, 64 * 2**20  # how much more than its own size it may unpack to
_PIECE = 2**20
_PART = "[A-Za-z0-9_-][A-Za-z0-9._-]*"
_NAME = re.compile(f"{_PART}(/{_PART})*")
_TOP = re.compile("lineage-[0-9a-f]{12}/")
_LONGEST = 512  # characters of a name
_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_BROKEN = (
    zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError,
)  # fmt: skip


class Refused(Exception):
    """The archive is not opened at all, or a file of it cannot be read."""


class Folder(Protocol):
    """Files by name, with their sizes in bytes."""

    sizes: dict[str, int]

    def open(self, name: str) -> IO[bytes]: ...


class Bundle:
    """The files of one bag; `digests` are their SHA-256, by name."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self.sizes = folder.sizes
        self.digests: dict[str, str] = {}

    def hash(self, name: str) -> str:
        """Read a file to its end once, and remember its SHA-256.

        Raises:
            Refused: when it cannot be read, or is longer than was said.
        """
        made, left = hashlib.sha256(), self.sizes[name]
        with self._opened(name) as file:
            while piece := file.read(_PIECE):
                left -= len(piece)
                if left < 0:
                    raise Refused("is longer than it claims")
                made.update(piece)
        if left:
            raise Refused("is shorter than it claims")
        self.digests[name] = made.hexdigest()
        return self.digests[name]

    def read(self, name: str) -> bytes:
        """A file as a whole; b"" where there is none.

        Raises:
            Refused: when it cannot be read, or is larger than anything of its kind.
        """
        if name not in self.sizes:
            return b""
        if self.sizes[name] > MOST_BYTES:
            raise Refused(f"is larger than {MOST_BYTES:,} bytes")
        with self._opened(name) as file:
            return file.read(self.sizes[name])

    def text(self, name: str) -> str:
        """The same as text; "" where it cannot be read, which `hash` has told of."""
        try:
            return self.read(name).decode(errors="replace")
        except Refused:
            return ""

    def copy(self, name: str, to: IO[bytes]) -> None:
        """Write a file's bytes into another one."""
        with self._opened(name) as file:
            while piece := file.read(_PIECE):
                to.write(piece)

    @contextmanager
    def _opened(self, name: str) -> Iterator[IO[bytes]]:
        try:
            with self._folder.open(name) as file:
                yield file
        except _BROKEN as error:
            raise Refused(f"cannot be read: {error}") from None


@contextmanager
def opened(path: Path, most: int = MOST_FILES) -> Iterator[Bundle]:
    """The bag of `most` files in a zip file, or in a folder that somebody unpacked.

    Raises:
        Refused: when it is none, or not safe to read.
    """
    if path.is_dir():
        yield Bundle(_Unpacked(path, most))
        return
    try:
        with path.open("rb") as file:
            _look_at_end(file, most)
            with zipfile.ZipFile(file) as archive:
                yield Bundle(_Zipped(archive, path.stat().st_size))
    except _BROKEN as error:
        raise Refused(f"it is not a zip archive that can be read: {error}") from None


class _Zipped:
    """The files of a zip archive, below its one folder."""

    def __init__(self, archive: zipfile.ZipFile, size: int) -> None:
        self._archive = archive
        entries = archive.infolist()
        for entry in entries:
            _check_entry(entry)
        _check_names([entry.filename for entry in entries])
        _check_layout(entries, archive.start_dir)
        whole = sum(entry.file_size for entry in entries)
        if whole > RATIO * size + SLACK:
            raise Refused(f"it would unpack to {whole:,} bytes from {size:,}")
        self._top = _top(entry.filename for entry in entries)
        self.sizes = {e.filename.removeprefix(self._top): e.file_size for e in entries}

    def open(self, name: str) -> IO[bytes]:
        return self._archive.open(self._top + name)


class _Unpacked:
    """The files of a folder; links are not followed."""

    def __init__(self, root: Path, most: int) -> None:
        self._root = root
        self.sizes = {}
        for path, status in _listed(root):
            name = path.relative_to(root).as_posix()
            if not stat.S_ISREG(status.st_mode):
                raise Refused(f"{_shown(name)} is a link, or no plain file")
            self.sizes[name] = status.st_size
            if len(self.sizes) > most:
                raise Refused(f"it has more than {most:,} files ({_MORE})")
        _check_names(list(self.sizes))

    def open(self, name: str) -> IO[bytes]:
        descriptor = os.open(self._root / name, os.O_RDONLY | os.O_NOFOLLOW)
        return os.fdopen(descriptor, "rb")


def _listed(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    waiting = [folder]
    while waiting:
        with os.scandir(waiting.pop()) as found:
            for entry in found:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
                else:
                    yield Path(entry.path), entry.stat(follow_symlinks=False)


def _look_at_end(file: IO[bytes], most: int) -> None:
    """Refuse too many entries before the list of them is read."""
    size = file.seek(0, os.SEEK_END)
    if size < _END.size:
        raise Refused("it is not a zip archive")
    file.seek(size - _END.size)
    mark, disk, first, here, count, length, start, comment = _END.unpack(
        file.read(_END.size)
    )
    if mark != b"PK\5\6" or comment or disk or first or here != count:
        raise Refused("it is not a whole zip archive without a comment")
    end = size - _END.size
    if count == 0xFFFF or 0xFFFFFFFF in (length, start):
        count, length, start, end = _end64(file, end)
    if count > most:
        raise Refused(f"it has {count:,} entries, more than {most:,} ({_MORE})")
    if start + length != end or length > count * (46 + 2 * _LONGEST):
        raise Refused("its list of entries is not where, or as long as, it claims")
    file.seek(0)


def _end64(file: IO[bytes], end: int) -> tuple[int, int, int, int]:
    """The same of an archive beyond 4 GiB; the position where its list has to end."""
    file.seek(max(end - _LOCATOR.size, 0))
    mark, _, position, _ = _LOCATOR.unpack(file.read(_LOCATOR.size))
    if mark != b"PK\6\7" or position + _END64.size != end - _LOCATOR.size:
        raise Refused("it is not a whole zip archive")
    file.seek(position)
    fields = _END64.unpack(file.read(_END64.size))
    if fields[0] != b"PK\6\6" or fields[6] != fields[7]:
        raise Refused("it is not a whole zip archive")
    return fields[7], fields[8], fields[9], position


def _check_entry(entry: zipfile.ZipInfo) -> None:
    mode = entry.external_attr >> 16
    if entry.flag_bits & 0x1:
        raise Refused(f"{_shown(entry.filename)} is encrypted")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Refused(f"{_shown(entry.filename)} is packed in another way")
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG) or entry.is_dir():
        raise Refused(f"{_shown(entry.filename)} is a link, or no plain file")


def _check_names(names: list[str]) -> None:
    for name in names:
        if not _NAME.fullmatch(name) or len(name) > _LONGEST:
            raise Refused(f"{_shown(name)} is no name of a file in a bundle")
    if len({name.lower() for name in names}) < len(names):
        raise Refused("it has two files of one name")
    folders = {parent for name in names for parent in _parents(name)}
    if clash := folders & set(names):
        raise Refused(f"{_shown(min(clash))} is a file and a folder")


def _parents(name: str) -> Iterator[str]:
    parts = name.split("/")
    return ("/".join(parts[:count]) for count in range(1, len(parts)))


def _check_layout(entries: list[zipfile.ZipInfo], directory: int) -> None:
    """Refuse entries that share bytes: a few then unpack to as much as you like."""
    ordered = sorted(entries, key=lambda entry: entry.header_offset)
    if not ordered or ordered[0].header_offset:
        raise Refused("it does not begin with its first file")
    starts = [*(entry.header_offset for entry in ordered), directory]
    for entry, (start, end) in zip(ordered, pairwise(starts), strict=True):
        if start + 30 + len(entry.filename) + entry.compress_size > end:
            raise Refused(f"{_shown(entry.filename)} overlaps another file")


def _top(names: Iterator[str]) -> str:
    tops = {"".join(name.partition("/")[:2]) for name in names}
    if len(tops) != 1 or not _TOP.fullmatch(top := tops.pop()):
        raise Refused("it does not hold one folder, called after a commit")
    return top


def _shown(name: str) -> str:
    """A name as it can be printed, and not too long."""
    shown = ascii(name)
    return shown if len(shown) < 100 else f"{shown[:96]}…'"
