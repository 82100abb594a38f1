"""What was said of commits after they were made, by events that move no name.

`TYPES` are the statements that answers depend on: measurements (``metrics``), taints
and what lifts them (``taint``, ``untaint``), what the bytes say of an edge
(``evidence``), the Merkle root of a dataset's records (``records``). Which events
there are is noted (see `lineage.noted`); what they say is read when somebody asks.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from lineage.noted import noted
from lineage.registry import Registry
from lineage.store.events import Logged

TYPES = frozenset({"metrics", "taint", "untaint", "evidence", "records"})


@dataclass(slots=True)
class Statements:
    """By type, then by the id of a commit: the git oids of the events, oldest first."""

    FILE: ClassVar[str] = "said"
    TYPES: ClassVar[frozenset[str]] = TYPES

    tip: str = ""
    said: dict[str, dict[str, list[str]]] = field(default_factory=dict)

    def take(self, logged: Logged, _clone: str) -> None:
        """Note one event; one that speaks of no commit says nothing."""
        if subject := logged.event.subject:
            about = self.said.setdefault(logged.event.type, {})
            about.setdefault(subject, []).append(logged.git)


def subjects(registry: Registry, type_: str) -> dict[str, list[str]]:
    """The commits that statements of a type speak of, with the events' git oids.

    Of a registry as it was at some event, only what had been said by then.
    """
    found = noted(registry, Statements).said.get(type_, {})
    at = registry.events_log.at
    if at is None or not found:
        return found
    later = registry.events_log.whole.later(at)
    then = {id_: [g for g in oids if g not in later] for id_, oids in found.items()}
    return {id_: oids for id_, oids in then.items() if oids}


def statements(registry: Registry, id_: str, *types: str) -> Iterator[Logged]:
    """What was said of the commit `id_` in events of these types, oldest first."""
    for type_ in types:
        for oid in subjects(registry, type_).get(id_, ()):
            yield Logged(oid, registry.events_log.event(oid))
