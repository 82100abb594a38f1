"""Bytes by content address: those that a server has, and those that it lacks."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lineage.client.http import Server
from lineage.errors import NotFound, StoreError
from lineage.protocol import LENGTH, OFFSET, PIECE
from lineage.store.files import FileEntry
from lineage.store.hashes import HashCache
from lineage.store.parallel import Crew
from lineage.store.payloads import Payloads
from lineage.store.reading import Progress, compared
from lineage.store.remote_payloads import RemotePayloads

_CHUNK = 1 << 18
_JOBS = 4  # files at once
_MANY = 5000  # files that are asked for at once
_TRIES = 4  # for each file, each from where the one before it stopped


class MirrorPayloads(Payloads):
    """The bytes that a mirror has; others are brought when somebody reads them."""

    def __init__(
        self,
        cache: Path,
        registry: str,
        hashes: HashCache,
        bring: Callable[[str], None],
    ) -> None:
        super().__init__(cache, registry, hashes)
        self._bring = bring

    def loose(self, oid: str) -> Path | None:
        """The file of an object, which is brought here first if it has to be.

        Raises:
            StoreError: when it cannot be had.
        """
        if not self.has(oid):
            self._bring(oid)
        return super().loose(oid)


class ServedPayloads(RemotePayloads):
    """The files of a server, as payloads are brought from a DVC remote."""

    def __init__(self, server: Server) -> None:
        self.name = self.url = str(server)
        self.jobs = _JOBS
        self._server = server

    def close(self) -> None:
        """The server stays open."""

    def __str__(self) -> str:
        return self.url

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Nothing goes this way: commits bring their files."""
        raise StoreError(f"{self} takes files with their commits only")
        yield

    def packs(self) -> dict[str, int]:
        """None: the server decodes what it has packed."""
        return {}

    def receive(self, entry: FileEntry, copy: Path, progress: Progress) -> str:
        """Bring one file, going on where a connection broke, and compare it."""
        copy.touch()
        for tries_left in reversed(range(_TRIES)):
            try:
                self._receive(entry, copy, progress)
                break
            except NotFound:
                raise FileNotFoundError from None
            except StoreError:
                if not tries_left:
                    raise
        copy.chmod(0o444)
        return compared(copy, entry, progress)

    def _receive(self, entry: FileEntry, copy: Path, progress: Progress) -> None:
        start = copy.stat().st_size
        if start >= entry.size > 0:
            return
        asked = {"Range": f"bytes={start}-"} if start else {}
        with (
            self._server.asked(
                "GET", f"/files/{entry.sha256}", headers=asked
            ) as answer,
            copy.open("ab" if answer.status == 206 else "wb") as file,
        ):
            for chunk in answer.stream(_CHUNK):
                progress(file.write(chunk))
                if file.tell() > entry.size:  # it is another one, perhaps without end
                    break


def upload(
    server: Server,
    payloads: Payloads,
    entries: Iterable[FileEntry],
    progress: Progress | None = None,
) -> None:
    """Send what the server lacks of these files, going on where others stopped.

    Raises:
        StoreError: when a file did not get there.
        LineageError: as the server's problem says.
    """
    files = {e.sha256: e for e in entries if not e.is_directory}
    lacking = [
        (files[one["sha256"]], int(one["offset"]))
        for batch in _batches(list(files.values()))
        for one in server.json("POST", "/files/lacking", batch)
    ]
    crew = Crew(_JOBS, progress)

    def send(one: tuple[FileEntry, int]) -> None:
        _send(server, payloads, *one, crew.tick)

    for _, outcome in crew.each(send, lacking):
        if isinstance(outcome, Exception):
            raise outcome


def _batches(entries: list[FileEntry]) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(entries), _MANY):
        some = entries[start : start + _MANY]
        yield [{"sha256": entry.sha256, "size": entry.size} for entry in some]


def _send(
    server: Server, payloads: Payloads, entry: FileEntry, offset: int, tick: Progress
) -> None:
    for tries_left in reversed(range(_TRIES)):
        try:
            return _send_from(server, payloads, entry, offset, tick)
        except StoreError:
            if not tries_left:
                raise
            [*left] = server.json("POST", "/files/lacking", next(_batches([entry])))
            if not left:
                return None
            offset = int(left[0]["offset"])
    return None


def _send_from(
    server: Server, payloads: Payloads, entry: FileEntry, offset: int, tick: Progress
) -> None:
    headers = {
        "Content-Type": PIECE,
        "Content-Length": str(entry.size - offset),
        OFFSET: str(offset),
        LENGTH: str(entry.size),
    }

    def body() -> Iterator[bytes]:
        with payloads.open(entry.md5) as file:
            file.seek(offset)
            while chunk := file.read(_CHUNK):
                yield chunk
                tick(len(chunk))

    place = f"/files/{entry.sha256}"
    with server.asked("PATCH", place, body=body(), headers=headers):
        pass
