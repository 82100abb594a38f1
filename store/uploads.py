"""Files on their way to a commit: sent by content address, whole or in pieces.

``<cache>/lineage/uploads/<registry>/`` holds each below the first two digits of its
SHA-256: called after the other 62, ``<62>-<md5>`` when it is whole and checked, and
``<62>.part`` before. They are on the file system of the cache, so a commit takes them
over by a link. What no commit took is swept.
"""

import os
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from errno import ENOSPC
from functools import partial
from pathlib import Path
from typing import NamedTuple

from lineage.errors import Conflict, StoreError, VerificationError
from lineage.store.digests import Digests
from lineage.store.disk import disk_errors, locked, make_folder
from lineage.store.payloads import Payloads

_MD5 = "[0-9a-f]" * 32
_PART = ".part"
_AGE = 24 * 3600  # seconds


class Whole(NamedTuple):
    """A file that came whole: where it lies, its MD5 and size."""

    path: Path
    md5: str
    size: int


class Uploads:
    """What was sent to one registry and no commit has yet."""

    def __init__(self, payloads: Payloads) -> None:
        self._folder = payloads.places.uploads

    def find(self, sha256: str) -> Whole | None:
        """The file of this SHA-256, if it is here whole."""
        for path in self._bucket(sha256).glob(f"{sha256[2:]}-{_MD5}"):
            with suppress(FileNotFoundError):
                return Whole(path, path.name[-32:], path.stat().st_size)
        return None

    def of_md5(self, md5: str) -> Iterator[Path]:
        """Where whole files of this MD5 lie."""
        return self._folder.glob(f"??/*-{md5}")

    def begun(self, sha256: str) -> int:
        """How many bytes of a file have come that is not whole yet."""
        try:
            return self._part(sha256).stat().st_size
        except FileNotFoundError:
            return 0

    def receive(self, sha256: str, size: int | None) -> "Arriving":
        """Take a file from its first byte; many may send the same one at once.

        Raises:
            StoreError: when the disk has no room for `size` bytes.
        """
        self._make_room(sha256, size or 0)
        try:
            arriving = Arriving(sha256, self._part(sha256))
        except Conflict:  # somebody sends the same file: let the quicker one have it
            copy = self._bucket(sha256) / f"{sha256[2:]}.{os.urandom(8).hex()}"
            arriving = Arriving(sha256, copy)
        arriving.restart()
        return arriving

    def resume(self, sha256: str, offset: int, size: int) -> "Arriving":
        """Go on with a file where it stopped; `size` is that of the whole file.

        Raises:
            Conflict: when it did not stop at `offset`, or somebody is sending it.
            StoreError: when the disk has no room for the rest.
        """
        self._make_room(sha256, size - offset)
        arriving = Arriving(sha256, self._part(sha256))
        if arriving.offset != offset:
            arriving.stop()
            message = (
                f"{arriving.offset} bytes of {sha256[:12]} have come, not {offset}"
            )
            raise Conflict(message, hint="go on from there")
        return arriving

    def take(self, files: Iterable[Whole], payloads: Payloads) -> None:
        """Pin whole files and show them to DVC: they are a commit's now."""
        staged = {whole.md5: whole.path for whole in files}
        if staged:
            with payloads.workspace() as work:
                payloads.publish(staged, work)

    def drop(self, files: Iterable[Whole]) -> None:
        """Forget files that a commit has taken."""
        for whole in files:
            whole.path.unlink(missing_ok=True)

    def sweep(self) -> int:
        """Remove what nobody has touched for a day; how many files."""
        limit, removed = time.time() - _AGE, 0
        for path in self._folder.glob("??/*"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < limit:
                    path.unlink()
                    removed += 1
        return removed

    def _bucket(self, sha256: str) -> Path:
        return self._folder / sha256[:2]

    def _part(self, sha256: str) -> Path:
        return self._bucket(sha256) / f"{sha256[2:]}{_PART}"

    def _make_room(self, sha256: str, size: int) -> None:
        with disk_errors("taking a file"):
            make_folder(str(self._bucket(sha256)))
            if shutil.disk_usage(self._folder).free < size:
                raise OSError(ENOSPC, os.strerror(ENOSPC), str(self._folder))


class Arriving:
    """A file while it arrives: `write` what came, then `finish`, `stop` or `discard`.

    Nobody else writes to its copy meanwhile; `offset` is how long that is.

    Raises:
        Conflict: when somebody else does.
    """

    def __init__(self, sha256: str, path: Path) -> None:
        self._sha256, self._path = sha256, path
        self._held = ExitStack()
        try:
            with disk_errors("taking a file"):
                self._file = self._held.enter_context(locked(path, wait=False))
                self.offset = self._start = os.lseek(self._file, 0, os.SEEK_END)
        except StoreError as error:
            if not isinstance(error.__cause__, BlockingIOError):
                raise
            message = f"somebody else is sending {sha256[:12]}"
            raise Conflict(message, hint="try again in a moment") from None
        self._digests = None if self.offset else Digests()

    def restart(self) -> None:
        """Forget what has come so far."""
        os.ftruncate(self._file, 0)
        self.offset = self._start = os.lseek(self._file, 0, os.SEEK_SET)
        self._digests = Digests()

    def write(self, data: bytes) -> None:
        """Append `data`.

        Raises:
            StoreError: when the disk takes no more. What was here before is kept.
        """
        try:
            with disk_errors("taking a file"):
                rest = memoryview(data)
                while rest:
                    rest = rest[os.write(self._file, rest) :]
        except StoreError:
            os.ftruncate(self._file, self._start)
            self.stop()
            raise
        self.offset += len(data)
        if self._digests:
            self._digests.update(data)

    def finish(self) -> Whole:
        """See whether the file is what its address says, and keep it.

        Raises:
            VerificationError: when it is not; nothing is kept then.
        """
        found = self._digests or self._read_again()
        if found.sha256 != self._sha256:
            self.discard()
            message = f"the bytes have the SHA-256 {found.sha256}, not {self._sha256}"
            raise VerificationError(message, hint="send the file that has it")
        place = self._path.with_name(f"{self._sha256[2:]}-{found.md5}")
        with self._held, disk_errors("taking a file"):
            os.fchmod(self._file, 0o444)
            self._path.rename(place)
        return Whole(place, found.md5, self.offset)

    def _read_again(self) -> Digests:
        """What a file that came in pieces is."""
        os.lseek(self._file, 0, os.SEEK_SET)
        return Digests.of(partial(os.read, self._file))

    def stop(self) -> None:
        """Keep what has come: somebody may go on from there."""
        with self._held:
            if not os.fstat(self._file).st_size or self._path.suffix != _PART:
                self._path.unlink(missing_ok=True)

    def discard(self) -> None:
        """Keep nothing."""
        with self._held:
            self._path.unlink(missing_ok=True)
