"""The files of the commits that a report speaks of, for whoever may read them all."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256

from lineage.errors import StoreError, VerificationError
from lineage.registry import Registry
from lineage.store.files import FileEntry
from lineage.tombstones import tombstones
from lineage.transfer import bring

_CHUNK = 1 << 20


@dataclass(slots=True)
class Files:
    """Files by SHA-256: those that are here, and why the others are not.

    A reason is ``erased EVENT``, ``freed EVENT`` or ``not-stored COMMIT``.
    """

    here: dict[str, FileEntry] = field(default_factory=dict)
    away: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, registry: Registry, ids: Iterable[str]) -> "Files":
        """The files of these commits; those that a DVC remote has are fetched.

        Raises:
            StoreError: when one is missing that nobody erased or freed.
        """
        files = cls()
        for id_ in ids:
            files._take(registry, id_)
        for digest in files.here:
            files.away.pop(digest, None)
        return files

    def _take(self, registry: Registry, id_: str) -> None:
        payload = registry.load(id_).payload
        if payload is None:
            return
        entries = [e for e in registry.files(id_) if not e.is_directory]
        if not payload.stored:
            self.away.update((e.sha256, f"not-stored {id_}") for e in entries)
            return
        gone, log = tombstones(registry), registry.events_log.whole
        freed = gone.freed.get(id_)
        if not freed:
            bring(registry, id_)
        for entry in entries:
            if found := gone.erased.get(entry.sha256):
                self.away[entry.sha256] = f"erased {log.event(found).id}"
            elif freed and not registry.payloads.has(entry.md5):
                self.away[entry.sha256] = f"freed {log.event(freed).id}"
            else:
                self.here[entry.sha256] = entry

    @property
    def size(self) -> int:
        return sum(entry.size for entry in self.here.values())

    @property
    def lines(self) -> bytes:
        """What is not here: SHA-256 and reason, sorted."""
        return "".join(f"{d} {why}\n" for d, why in sorted(self.away.items())).encode()


def read(registry: Registry, entry: FileEntry) -> Iterator[bytes]:
    """A file's bytes, piece by piece.

    Raises:
        VerificationError: at the end, when they are not what the commit recorded.
    """
    found, size = sha256(), 0
    with registry.payloads.open(entry.md5) as file:
        while chunk := file.read(_CHUNK):
            found.update(chunk)
            size += len(chunk)
            yield chunk
    if (found.hexdigest(), size) != (entry.sha256, entry.size):
        message = f"{entry.path} does not have its recorded SHA-256"
        hint = "run `lineage verify` to see how far the damage goes"
        raise VerificationError(message, hint=hint)


def check_here(registry: Registry, files: Files) -> None:
    """Refuse to begin what would break off.

    Raises:
        StoreError: naming the first file that is missing.
    """
    for entry in files.here.values():
        if not registry.payloads.has(entry.md5):
            message = f"the bytes of {entry.path} are missing"
            hint = "`lineage fetch` or `lineage verify --repair` brings them back"
            raise StoreError(message, hint=hint)
