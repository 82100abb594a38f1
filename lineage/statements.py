"""What was said of commits after they were made, by events that move no name.

`TYPES` are the statements that answers depend on: measurements (``metrics``), taints
and what lifts them (``taint``, ``untaint``), what the bytes say of an edge
(``evidence``), the Merkle root of a dataset's records (``records``), what people state
(``statement``), what is live somewhere (``release``). Which events there are is noted
(see `lineage.noted`); what they say is read when somebody asks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias
from weakref import WeakKeyDictionary

from lineage.noted import noted
from lineage.repository import Repository
from lineage.store.event_reading import Logged
from lineage.store.order import in_order

RELEASE = "release"
TYPES = frozenset(
    {"metrics", "taint", "untaint", "evidence", "records", "statement", RELEASE}
)


_Said: TypeAlias = Mapping[str, Mapping[str, Sequence[str]]]
_kept: WeakKeyDictionary[Repository, tuple[str | None, _Said]] = WeakKeyDictionary()


@dataclass(slots=True, eq=False)
class Statements:
    """By type, then by the id of a commit: the git oids of the events.

    Each comes after those that it came after; the order is otherwise that in which
    this clone heard of them, and says nothing. `releases` are those of all commits:
    one ends another's.
    """

    FILE: ClassVar[str] = "said"
    TYPES: ClassVar[frozenset[str]] = TYPES

    tip: str = ""
    said: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    releases: list[str] = field(default_factory=list)

    def take(self, logged: Logged, _clone: str) -> None:
        """Note one event; one that speaks of no commit says nothing."""
        if subject := logged.event.subject:
            about = self.said.setdefault(logged.event.type, {})
            about.setdefault(subject, []).append(logged.git)
            if logged.event.type == RELEASE:
                self.releases.append(logged.git)

    def __eq__(self, other: object) -> bool:
        """Whether both know the same events, in whatever order they heard of them."""
        return isinstance(other, Statements) and (self.tip, self._heard()) == (
            other.tip,
            other._heard(),
        )

    __hash__ = None  # type: ignore[assignment]  # it changes

    def _heard(self) -> set[tuple[str, str, str]]:
        of_releases = {(RELEASE, "", oid) for oid in self.releases}
        return of_releases | {
            (type_, subject, oid)
            for type_, about in self.said.items()
            for subject, oids in about.items()
            for oid in oids
        }


def subjects(registry: Repository, type_: str) -> Mapping[str, Sequence[str]]:
    """The commits that statements of a type speak of, with the events' git oids.

    Of a registry as it was at some event, only what had been said by then.
    """
    return _said(registry).get(type_, {})


def statements(registry: Repository, id_: str, *types: str) -> list[Logged]:
    """What was said of the commit `id_` in events of these types, oldest first.

    The order is the same in every clone (see `lineage.store.order`).
    """
    log = registry.events_log
    told = [subjects(registry, type_).get(id_, ()) for type_ in types]
    events = [Logged(oid, log.event(oid)) for oids in told for oid in oids]
    return in_order(registry.git, events, heard=sum(map(bool, told)) < 2)


def released(registry: Repository) -> list[Logged]:
    """The events of the type ``release``, of whatever commit, oldest first."""
    log = registry.events_log
    here = {oid for oids in subjects(registry, RELEASE).values() for oid in oids}
    oids = noted(registry, Statements).releases if here else ()
    events = [Logged(oid, log.event(oid)) for oid in oids if oid in here]
    return in_order(registry.git, events)


def _said(registry: Repository) -> _Said:
    """All statements as of the newest event, kept at hand until there is another."""
    tip = registry.events_log.whole.tip()
    if registry not in _kept or _kept[registry][0] != tip:
        found = noted(registry, Statements).said
        _kept[registry] = tip, _by_then(registry, found)
    return _kept[registry][1]


def _by_then(registry: Repository, said: _Said) -> _Said:
    """What of it had been said at the end of this registry's log."""
    at = registry.events_log.at
    if at is None or not said:
        return said
    later = registry.events_log.whole.later(at)
    found: dict[str, dict[str, list[str]]] = {}
    for type_, about in said.items():
        then = {id_: [g for g in oids if g not in later] for id_, oids in about.items()}
        found[type_] = {id_: oids for id_, oids in then.items() if oids}
    return found
