"""Bytes that are away on purpose: erased for good, or freed by gc.

Events of the types ``erase`` and ``gc`` say so.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import ClassVar

from lineage.errors import LineageError, StoreError
from lineage.noted import noted, written_down
from lineage.repository import Repository
from lineage.store.event_reading import Logged
from lineage.store.files import FileEntry
from lineage.store.objects import Event


@dataclass(slots=True)
class Tombstones:
    """By SHA-256 of a file, or id of a commit: the git oid of the event that says so.

    `erased` are files (and DVC's lists of folders), `stripped` the commits that they
    are of, `freed` commits whose files gc has taken from this clone.
    """

    FILE: ClassVar[str] = "gone"
    TYPES: ClassVar[frozenset[str]] = frozenset({"erase", "gc"})

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
        elif data["clone"] == clone:
            self.freed.update((item["id"], logged.git) for item in data["commits"])


def tombstones(registry: Repository) -> Tombstones:
    """What is away on purpose as of the newest event."""
    return noted(registry, Tombstones)


def known_tombstones(registry: Repository) -> Tombstones:
    """The same; as last written down, where the log cannot be read."""
    with suppress(LineageError):
        return tombstones(registry)
    return written_down(registry, Tombstones)


def told(event: Event) -> str:
    """How an event of these types is cited: on …, by …, for …."""
    day, who = event.time[:10], event.actor.get("name", "")
    if event.type == "gc":
        return f"freed by gc on {day}"
    reason, authority = event.data["reason"], event.data["authority"]
    return f"erased on {day} by {who} for {authority}: {reason}"


def explain_erased(
    registry: Repository, id_: str, entries: Iterable[FileEntry]
) -> None:
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


def explain_freed(registry: Repository, id_: str, entries: Iterable[FileEntry]) -> None:
    """Say when gc freed files of the commit `id_` that are not here.

    Raises:
        StoreError: when it did.
    """
    if not missing(registry, entries):
        return
    if found := tombstones(registry).freed.get(id_):
        event = registry.events_log.whole.event(found)
        hint = "`lineage gc --restore` brings back what is still in the trash"
        message = f"the files of {id_[:12]} were {told(event)}"
        raise StoreError(message, hint=hint)


def missing(registry: Repository, entries: Iterable[FileEntry]) -> list[FileEntry]:
    """The files whose bytes are not here."""
    files = (entry for entry in entries if not entry.is_directory)
    return [entry for entry in files if not registry.payloads.has(entry.md5)]
