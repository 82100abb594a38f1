"""Which commits a taint reached: the tainted ones and all that came of them.

Whoever draws a commit asks here. Where nothing was ever tainted that costs nothing.
Otherwise a derived file knows (`lineage.taints.known`): new commits are added from
their manifests, and when there is a new taint, or a lot of new commits, the index is
asked once. Lifted taints stay in it, since the past may be asked for.
"""

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from lineage.repository import Repository
from lineage.store.event_reading import Logged
from lineage.store.ids import Ids
from lineage.store.objects import Commit
from lineage.taints import Taint, standing, taints
from lineage.taints.known import Known
from lineage.taints.sightings import Sighting, Sightings
from lineage.taints.spread import HOLDS, REACHED, Reach, spread

if TYPE_CHECKING:
    from lineage.store.index_asking import Ask
    from lineage.store.index_graph import Flow

_FEW = 256  # new commits that are read one by one


class Mark(NamedTuple):
    """A taint that reached a commit; `itself`: it is this commit that is tainted.

    `perhaps`: only if some of its records are tainted ones, which nobody knows.
    `seen` is how many of them are, where somebody has looked.
    """

    taint: Taint
    itself: bool
    perhaps: bool
    seen: Sighting | None


class Marks:
    """The standing taints of a registry as of its time, and what they reached."""

    def __init__(
        self,
        standing_: Iterable[Taint],
        known: Known,
        seen: Sightings,
        ids: Ids | None = None,
    ) -> None:
        self._standing = {one.event: one for one in standing_}
        self._known = known
        self._seen = seen
        self._then = ids  # what there was, where that is not all

    def __bool__(self) -> bool:
        """Whether any taint stands."""
        return bool(self._standing)

    def of(self, id_: str) -> list[Mark]:
        """The taints that reached the commit `id_`, the newest last."""
        found = self._known.of(id_) if self._standing else {}
        marks = (self._mark(id_, one, found) for one in self._standing.values())
        return [mark for mark in marks if mark]

    def _mark(self, id_: str, one: Taint, found: Reach) -> Mark | None:
        seen = self._seen.of(one.event, id_)
        if one.subject == id_:
            return Mark(one, itself=True, perhaps=False, seen=seen)
        if one.event not in found:
            return None
        perhaps = found[one.event] == HOLDS and not (seen and seen.low)
        return Mark(one, itself=False, perhaps=perhaps, seen=seen)

    def ids(self) -> Iterator[str]:
        """Every commit that a standing taint reached, or speaks of."""
        return (id_ for id_, _ in self._reached())

    def counts(self) -> dict[str, int]:
        """How many commits came of what each standing taint speaks of, by its event."""
        found = dict.fromkeys(self._standing, 0)
        for id_, events in self._reached():
            for event in events:
                found[event] += self._standing[event].subject != id_
        return found

    def _reached(self) -> Iterator[tuple[str, AbstractSet[str]]]:
        """The commits of the registry's time, with the standing taints of each."""
        for id_, reach in self._known if self._standing else ():
            events = self._standing.keys() & reach.keys()
            if events and (self._then is None or self._then.find(id_)):
                yield id_, events


def recorded(registry: Repository) -> Marks:
    """What all taints reached by what is recorded alone: the same in every clone.

    Raises:
        StoreError: when the index has to be asked and cannot be used.
    """
    found, nothing = taints(registry), Sightings()
    if not Sightings.read(registry.home).count:
        return marks(registry, lifted=True)
    whole = _of_now(registry)
    asked = sorted(one.event for one in taints(whole))
    known = _Adding(whole, nothing).all(Known(whole.events_log.tip() or "", asked))
    then = registry.ids if registry.events_log.at else None
    return Marks(found, known, nothing, then)


def marks(registry: Repository, *, lifted: bool = False) -> Marks:
    """What the standing taints reached, or all that were, as of the registry's time.

    Raises:
        StoreError: when the index has to be asked and cannot be used.
    """
    found = taints(registry) if lifted else standing(registry)
    if not found:
        return Marks((), Known(), Sightings())
    then = registry.ids if registry.events_log.at else None
    return Marks(found, _known(registry), Sightings.read(registry.home), then)


def check(registry: Repository) -> bool:
    """Whether what is written down is right; it is made again if not."""
    home = registry.home
    known = Known.read(home)
    if known.tip and not registry.events_log.follows(known.tip):
        known = Known()
    now = _known(registry)
    fresh = _Adding(registry).all(Known(now.tip, now.asked))
    if known.tip and dict(now) == dict(fresh):
        return True
    fresh.write(home)
    return False


def _known(registry: Repository) -> Known:
    """What all taints reached, as of the newest event of the whole log."""
    whole = _of_now(registry)
    log, home = whole.events_log, whole.home
    asked = sorted(one.event for one in taints(whole))
    known, tip = Known.read(home), log.tip() or ""
    if known.asked == asked and known.tip == tip:
        return known
    if known.asked == asked and log.follows(known.tip):
        new = list(log.iterate(since=known.tip, oldest_first=True))
        if sum(len(logged.event.commits) for logged in new) <= _FEW:
            known.tip = tip
            _Adding(whole).add(known, new)
            if known.fresh or len(new) > _FEW:
                known.write(home)
            return known
    known = _Adding(whole).all(Known(tip, asked))
    known.write(home)
    return known


def _of_now(registry: Repository) -> Repository:
    """The registry without an end of its own: what is derived is of now."""
    if registry.events_log.at is None:
        return registry
    url = registry.settings.get("index.url")
    return Repository(registry.git, {"index.url": url} if url else None)


class _Adding:
    """Finds what the taints of a registry reached, from parents to children."""

    def __init__(self, registry: Repository, seen: Sightings | None = None) -> None:
        self._registry = registry
        self._seen = seen or Sightings.read(registry.home)
        self._own: dict[str, dict[str, int]] = {}
        for one in taints(registry):
            how = REACHED if one.records is None else HOLDS
            self._own.setdefault(one.subject, {})[one.event] = how

    def add(self, known: Known, events: Iterable[Logged]) -> None:
        """Add what new events brought, from the manifests."""
        pairs = [pair for logged in events for pair in logged.event.commits]
        manifests = self._registry.git.read_many(f"{g}:lineage.json" for _, g in pairs)
        for (id_, _), found in zip(pairs, manifests, strict=True):
            if found is not None:
                commit = Commit.parse(found[1].data)
                above = ((edge.role, known.of(edge.id)) for edge in commit.edges)
                self._note(known, id_, spread(commit.kind, above, self._clean(id_)))

    def all(self, known: Known) -> Known:
        """Find everything, from the edges that the index has."""
        from lineage.indexing import index_of
        from lineage.store.index_asking import numbers
        from lineage.store.index_graph import flow

        def question(ask: "Ask") -> "Flow | None":
            starts = numbers(ask, self._own)
            return flow(ask, min(starts), "records") if starts else None

        with index_of(self._registry) as index:
            graph = index.read(question)
        if graph is None:
            return known
        reached: dict[int, Reach] = {}
        for number, node in graph.commits.items():
            if node.id in self._own:
                reached[number] = self._own[node.id]
        for child, rows in groupby(graph.edges, key=itemgetter(0)):
            above = [(row[1], reached[row[2]]) for row in rows if row[2] in reached]
            if above:
                node = graph.commits[child]
                found = spread(node.kind, above, self._clean(node.id))
                found |= self._own.get(node.id, {})
                if found:
                    reached[child] = found
        for number, reach in reached.items():
            known.add(graph.commits[number].id, reach)
        return known

    def _clean(self, id_: str) -> Callable[[str], bool]:
        return lambda event: self._seen.none_in(event, id_)

    def _note(self, known: Known, id_: str, found: dict[str, int]) -> None:
        found |= self._own.get(id_, {})
        if found:
            known.add(id_, found)
