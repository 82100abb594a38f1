"""What events of a few types say, kept in small derived files of this clone.

Nobody reads the whole log to learn that nothing was erased, or tainted. A note knows
the event that it has come to, and takes in those after it when it is asked for; it is
written down with its SHA-256, and made again where it is damaged or missing.
"""

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from typing import Any, ClassVar, Protocol, TypeVar

from lineage.repository import Repository
from lineage.store import summed
from lineage.store.event_reading import Logged

_FEW = 32  # events that are read again rather than noted


class Note(Protocol):
    """A dataclass of plain data: `tip` is the git oid of the newest event in it."""

    __dataclass_fields__: ClassVar[dict[str, Any]]
    FILE: ClassVar[str]  # in the registry's own folder
    TYPES: ClassVar[frozenset[str]]  # of the events that it takes in

    tip: str

    def take(self, logged: Logged, clone: str) -> None:
        """Note what one event says; `clone` is the name of this one."""


N = TypeVar("N", bound=Note)


def noted(registry: Repository, kind: type[N]) -> N:
    """The note of a kind as of the newest event of the whole log."""
    log = registry.events_log.whole
    found = written_down(registry, kind)
    if found.tip and not log.follows(found.tip):
        found = kind()
    fresh = log.since(found.tip or None)[::-1]
    few = (Logged(oid, log.brief(oid)) for oid in fresh)
    read = few if len(fresh) <= _FEW else log.many(fresh)
    telling = [item for item in read if item.event.type in kind.TYPES]
    _take(registry, found, telling)
    found.tip = log.tip() or ""
    if telling or len(fresh) > _FEW or not (registry.home / kind.FILE).exists():
        _write(registry, found)
    return found


def recounted(registry: Repository, kind: type[N]) -> N:
    """The same, read from the whole log and nothing else."""
    log, found = registry.events_log.whole, kind()
    found.tip = log.tip() or ""
    _take(registry, found, log.iterate(oldest_first=True))
    return found


def written_down(registry: Repository, kind: type[N]) -> N:
    """What was written down; nothing where that is damaged."""
    data = summed.read(registry.home / kind.FILE)
    with suppress(ValueError, TypeError, AttributeError):
        fields = json.loads(data or b"{}")
        if fields.pop("types", None) == sorted(kind.TYPES):  # an older version has less
            return kind(**fields)
    return kind()


def forget(registry: Repository, kind: type[N]) -> None:
    """Remove what was written down and make it again."""
    (registry.home / kind.FILE).unlink(missing_ok=True)
    noted(registry, kind)


def _take(registry: Repository, found: Note, events: Iterable[Logged]) -> None:
    for logged in events:
        if logged.event.type in found.TYPES:
            found.take(logged, registry.uuid())


def _write(registry: Repository, found: Note) -> None:
    fields = {**asdict(found), "types": sorted(found.TYPES)}
    data = json.dumps(fields, sort_keys=True).encode()
    summed.write(registry.home / found.FILE, data)
