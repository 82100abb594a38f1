"""What a commit is made of, as data.

`trace` is the question; docs/trace.md has the definitions and an example that can be
worked out by hand. Training data and inherited weights are told apart: records came
to the one, and to the other what somebody else learned.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from lineage.descent.ancestry import Ancestry, gather
from lineage.descent.gaps import Gap, gaps
from lineage.descent.parcels import NONE, UNITS, Share, Source, total
from lineage.descent.paths import (
    Distance,
    Link,
    Trail,
    distances,
    extended,
    flow,
    source_trails,
    trails,
)
from lineage.descent.roles import CONTAINS, RECORDS, WEIGHTS
from lineage.descent.shares import Composition, Shares
from lineage.evidence import GRADES
from lineage.registry import Registry
from lineage.statements import statements, subjects
from lineage.store.canonical import Json
from lineage.store.objects import Commit, Edge

_FIRST = ("model", "dataset")  # of a generation's parts, the one that it is made for


@dataclass(frozen=True, slots=True)
class Amount:
    """The records, or tokens, of one commit: how many, and what they are made of."""

    unit: str
    count: int | None
    made_of: Composition


@dataclass(frozen=True, slots=True)
class Statement:
    """What is said of where a dataset comes from, and by whom."""

    type: str
    source: Json
    licence: Json
    by: str


@dataclass(frozen=True, slots=True)
class Part:
    """One source of records: `id` is a dataset, the model that wrote, or a dead end.

    `shares` are by unit. `trail` is the best-known path to it, None where a commit
    is its own source. `said` is what a dataset's commit says of its origin.
    """

    origin: str
    id: str
    shares: Mapping[str, Share]
    trail: Trail | None
    said: Statement | None


@dataclass(frozen=True, slots=True)
class Made:
    """The records of one commit: all of a dataset, or those a model was trained on."""

    id: str
    amounts: tuple[Amount, ...]
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Inherited:
    """A model that weights came from, and the records that it was trained on itself.

    `amount` is None for one that was put together from others without training.
    """

    id: str
    trail: Trail
    amount: Amount | None


@dataclass(frozen=True)
class Trace:
    """What the commit `subject` is made of.

    `made` are its records; of a generation, those of its models and then those of its
    datasets. `together` sums what the models that it `inherited` from were trained
    on, where all counts are known. `weakest` is the worst-known edge that any of this
    rests on. `ancestry` and `records` are what all of it was worked out from.
    """

    subject: str
    generation: int
    distance: Distance | None
    weakest: Link | None
    made: tuple[Made, ...]
    inherited: tuple[Inherited, ...]
    together: Amount | None
    gaps: tuple[Gap, ...]
    ancestry: Ancestry
    records: Shares

    def telling(self) -> list[Made]:
        """What was made, but for data that a model beside them was trained on."""
        commits = (self.ancestry.commits[made.id] for made in self.made)
        used = {id_ for commit in commits for id_ in commit.ids("trained_on")}
        return [made for made in self.made if made.id not in used]


def trace(registry: Registry, revision: str) -> Trace:
    """What `revision` is made of.

    Raises:
        NotFound: when there is no such commit.
    """
    ancestry = gather(registry, registry.resolve(revision))
    return _Tracer(registry, ancestry).trace()


class _Tracer:
    """What is worked out once for all answers."""

    def __init__(self, registry: Registry, ancestry: Ancestry) -> None:
        self._registry = registry
        self._ancestry = ancestry
        self._records = Shares(ancestry, "records")
        self._rooted = subjects(registry, "records")
        self._units = [self._records]
        if "tokens" in _counted(ancestry):
            self._units.append(Shares(ancestry, "tokens"))

    def trace(self) -> Trace:
        subject = self._ancestry.subject
        parts = self._parts()
        inherited = tuple(self._inherited(parts))
        return Trace(
            subject,
            self._registry.ids.get(subject).generation,
            distances(self._ancestry, self._records).get(subject),
            self._weakest(),
            tuple(self._made(id_) for id_ in parts),
            inherited,
            _together(inherited),
            gaps(self._ancestry, self._units),
            self._ancestry,
            self._records,
        )

    def _parts(self) -> list[str]:
        """The commits whose records are told: the subject, or its parts."""
        subject, commits = self._ancestry.subject, self._ancestry.commits
        if commits[subject].kind != "generation":
            return [subject] if commits[subject].kind in _FIRST else []
        parts = commits[subject].ids("includes")
        here = [id_ for id_ in parts if id_ in commits]
        return [i for kind in _FIRST for i in here if commits[i].kind == kind]

    def _made(self, id_: str) -> Made:
        amounts = tuple(self._amounts(id_, self._units))
        return Made(id_, amounts, tuple(self._sources(id_)))

    def _amounts(self, id_: str, units: Iterable[Shares]) -> Iterator[Amount]:
        commit = self._ancestry.commits[id_]
        for shares in units:
            if made_of := shares.compositions.get(id_):
                count = self._count(commit, id_, shares.unit)
                yield Amount(shares.unit, count, made_of)

    def _count(self, commit: Commit, id_: str, unit: str) -> int | None:
        """How many records or tokens there are, as shares or a statement say.

        A model that was trained on one dataset without a share has read all of it.
        """
        count = total(commit, unit)
        if count is None and unit == "records":
            count = self._proved(id_)
        read = commit.ids(*RECORDS) if commit.kind == "model" else ()
        if count is None and len(read) == 1 and read[0] in self._ancestry.commits:
            return self._count(self._ancestry.commits[read[0]], read[0], unit)
        return count

    def _proved(self, id_: str) -> int | None:
        """How many records a dataset has by the newest statement of its Merkle root."""
        if id_ not in self._rooted:
            return None
        *_, newest = statements(self._registry, id_, "records")
        count = newest.event.data.get("count")
        return count if isinstance(count, int) else None

    def _sources(self, id_: str) -> Iterator[Part]:
        """Every source of a commit's records, the greatest share first."""
        found = {shares.unit: shares.sources(id_) for shares in self._units}
        ends = source_trails(self._ancestry, self._records, id_, self._to(id_))
        records = found["records"]
        order = sorted(records, key=lambda source: (-records[source].high, source))
        for source in order:
            nothing = Share(NONE, NONE)
            shares = {unit: each.get(source, nothing) for unit, each in found.items()}
            said = self._said(source)
            yield Part(*source, shares, ends[source], said)

    def _to(self, id_: str) -> Trail | None:
        """The path from the subject to a part of it."""
        subject = self._ancestry.subject
        for edge in self._ancestry.commits[subject].edges:
            if edge.id == id_ and edge.role in CONTAINS:
                return extended(self._ancestry, None, subject, edge)
        return None

    def _said(self, source: Source) -> Statement | None:
        """What is said of a dataset that nothing here came before."""
        commit = self._ancestry.commits.get(source.id)
        if commit is None or not commit.origin or source.origin == "machine":
            return None
        said = commit.origin
        by = said.get("by") or self._recorder(source.id)
        licence, told = said.get("licence"), said.get("source")
        return Statement(str(said["type"]), told, licence, str(by))

    def _recorder(self, id_: str) -> str:
        return self._registry.first_event(id_).actor.get("name", "")

    def _inherited(self, parts: Iterable[str]) -> Iterator[Inherited]:
        """The models up the weights, the nearest first."""
        commits = self._ancestry.commits

        def along(child: str) -> Iterator[Edge]:
            model = commits[child].kind == "model"
            return (e for e in commits[child].edges if model and e.role in WEIGHTS)

        found: dict[str, Trail] = {}
        for part in parts:
            before = self._to(part)
            for id_, trail in trails(self._ancestry, along, part, before).items():
                if trail and id_ != part and trail.is_better(found.get(id_)):
                    found[id_] = trail
        for id_, trail in sorted(found.items(), key=lambda item: item[1].length):
            known = self._amounts(id_, [self._records]) if id_ in commits else ()
            yield Inherited(id_, trail, next(iter(known), None))

    def _weakest(self) -> Link | None:
        """The worst-known edge along which anything came, the nearest of them."""
        along = flow(self._ancestry, self._records)
        links = (
            Link(id_, edge.role, edge.id, self._ancestry.grade(id_, edge))
            for id_ in reversed(self._ancestry.order)
            for edge in along(id_)
        )
        return min(links, key=lambda link: GRADES.index(link.grade), default=None)


def _counted(ancestry: Ancestry) -> set[str]:
    """The units that any share counts."""
    edges = (edge for commit in ancestry.commits.values() for edge in commit.edges)
    return {unit for edge in edges for unit in edge.share or () if unit in UNITS}


def _together(inherited: Iterable[Inherited]) -> Amount | None:
    """What all those models were trained on, each record as often as it was used."""
    known = [each.amount for each in inherited if each.amount]
    count = sum(amount.count or 0 for amount in known)
    if not count or any(amount.count is None for amount in known):
        return None
    human, machine = NONE, NONE
    for amount in known:
        part = Fraction(amount.count or 0, count)
        human += part * amount.made_of.human
        machine += part * amount.made_of.machine
    return Amount("records", count, Composition(human, machine))
