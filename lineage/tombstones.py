"""Bytes that are away on purpose: erased for good, or freed by gc.

Events of the types ``erase`` and ``gc`` say so. What they say is kept in one small
derived file, so that nobody reads the whole log to learn that nothing was erased.
"""

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field

from lineage.errors import LineageError, StoreError
from lineage.registry import Registry
from lineage.store.canonical import digest
from lineage.store.disk import locked, write_atomically
from lineage.store.events import Logged
from lineage.store.files import FileEntry
from lineage.store.objects import Event

_FEW = 32  # events that are read again rather than noted


@dataclass(slots=True)
class Tombstones:
    """By SHA-256 of a file, or id of a commit: the git oid of the event that says so.

    `erased` are files (and DVC's lists of folders), `stripped` the commits that they
    are of, `freed` commits whose files gc has taken from this clone.
    """

    tip: str = ""
    erased: dict[str, str] = field(default_factory=dict)
    stripped: dict[str, str] = field(default_factory=dict)
    freed: dict[str, str] = field(default_factory=dict)

    def take(self, logged: Logged, clone: str) -> None:
        """Note what one event says."""
        data = logged.event.data
        if logged.event.type == "erase":
            for item in data["objects"]:
                self.erased.setdefault(item["sha256"], logged.git)
            self.stripped.update(dict.fromkeys(data["commits"], logged.git))
        elif logged.event.type == "gc" and data["clone"] == clone:
            self.freed.update((item["id"], logged.git) for item in data["commits"])


def tombstones(registry: Registry) -> Tombstones:
    """What is away on purpose as of the newest event."""
    log, path = registry.events_log.whole, registry.home / "gone"
    found = written_down(registry)
    if found.tip and not log.follows(found.tip):
        found = Tombstones()
    fresh = list(log.iterate(since=found.tip or None, oldest_first=True))
    telling = [item for item in fresh if item.event.type in ("erase", "gc")]
    for item in telling:
        found.take(item, registry.payloads.registry)
    found.tip = log.tip() or ""
    if telling or len(fresh) > _FEW or not path.exists():
        with suppress(OSError), locked(registry.home / "gone.lock", wait=False):
            write_atomically(path, _written(found))
    return found


def known_tombstones(registry: Registry) -> Tombstones:
    """The same; as last written down, where the log cannot be read."""
    with suppress(LineageError):
        return tombstones(registry)
    return written_down(registry)


def recounted(registry: Registry) -> Tombstones:
    """The same, read from the whole log and nothing else."""
    found = Tombstones(registry.events_log.whole.tip() or "")
    for logged in registry.events_log.whole.iterate(oldest_first=True):
        found.take(logged, registry.payloads.registry)
    return found


def told(event: Event) -> str:
    """How an event of these types is cited: on …, by …, for …."""
    day, who = event.time[:10], event.actor.get("name", "")
    if event.type == "gc":
        return f"freed by gc on {day}"
    reason, authority = event.data["reason"], event.data["authority"]
    return f"erased on {day} by {who} for {authority}: {reason}"


def explain_erased(registry: Registry, id_: str, entries: Iterable[FileEntry]) -> None:
    """Say who erased files of the commit `id_`, even if their bytes are still here.

    Raises:
        StoreError: when one is erased.
    """
    gone = tombstones(registry)
    for entry in entries:
        if found := gone.erased.get(entry.sha256):
            event = registry.events_log.whole.event(found)
            message = f"{entry.path} of {id_[:12]} was {told(event)}"
            hint = "--without-erased leaves out what was erased"
            raise StoreError(message, hint=hint)


def explain_freed(registry: Registry, id_: str, entries: Iterable[FileEntry]) -> None:
    """Say when gc freed files of the commit `id_` that are not here.

    Raises:
        StoreError: when it did.
    """
    if not _missing(registry, entries):
        return
    if found := tombstones(registry).freed.get(id_):
        event = registry.events_log.whole.event(found)
        hint = "`lineage gc --restore` brings back what is still in the trash"
        message = f"the files of {id_[:12]} were {told(event)}"
        raise StoreError(message, hint=hint)


def _missing(registry: Registry, entries: Iterable[FileEntry]) -> list[FileEntry]:
    files = (entry for entry in entries if not entry.is_directory)
    return [entry for entry in files if not registry.payloads.has(entry.md5)]


def forget(registry: Registry) -> None:
    """Remove what was written down; it is made again when somebody asks."""
    (registry.home / "gone").unlink(missing_ok=True)
    tombstones(registry)


def written_down(registry: Registry) -> Tombstones:
    """What was written down; nothing where that is damaged."""
    with suppress(OSError, ValueError, TypeError, LineageError):
        sum_, _, data = (registry.home / "gone").read_bytes().partition(b"\n")
        if sum_.decode() == digest(data):
            return Tombstones(**json.loads(data))
    return Tombstones()


def _written(found: Tombstones) -> bytes:
    data = json.dumps(asdict(found), sort_keys=True).encode()
    return f"{digest(data)}\n".encode() + data
