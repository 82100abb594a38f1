"""What a commit reached: everything that came of it, each with its dose."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from lineage.descent.copies import copies
from lineage.descent.dose import Dose
from lineage.descent.reach import Reach, reach
from lineage.history import Names
from lineage.indexing import index_of
from lineage.registry import Registry
from lineage.store.objects import BACK
from lineage.wording import listed

if TYPE_CHECKING:
    from lineage.store.index import Index


class Reached(NamedTuple):
    """A commit that the source reached or, without `dose`, that was measured on it.

    `time` and `author` are those of the event that brought it first.
    """

    id: str
    git: str
    kind: str
    name: str
    generation: int
    time: str
    author: str
    branches: tuple[str, ...]
    tags: tuple[str, ...]
    dose: Dose | None


class Branch(NamedTuple):
    """A branch with commits that the source reached.

    `first` is the oldest of them, by its id; from there to the tip are `length`
    commits, of which `affected` are. `clean` is the one before the first; None where
    the branch begins with it.
    """

    name: str
    tip: str
    tip_is_affected: bool
    first: str
    clean: str | None
    affected: int
    length: int


class RangeStart(NamedTuple):
    """A commit from which on doses are ranges.

    `roles` are those of its edges that have no share; it states an origin, or not.
    `excess`: its shares add up to more than the whole.
    """

    id: str
    roles: tuple[str, ...]
    states_origin: bool
    excess: bool

    @property
    def why(self) -> str:
        """In words."""
        if self.excess:
            return "its shares add up to more than all of it"
        origin = ", and it states an origin" if self.states_origin else ""
        return f"no share on {listed(self.roles)}{origin}"


@dataclass(frozen=True)
class Impact:
    """What the commit `source` reached, counted in `unit`.

    `reached` and `measured` are in the order of recording and may have been cut short:
    `count` and `measurements` say how many there are. `kinds` counts the reached ones,
    `turns` is how many times at most a model wrote on the shortest way to any. `tags`
    are the affected ones, with ids, and `ranges` says where doses begin to be ranges.
    `copies` have all files of the source, and nothing says that they came of it.
    """

    source: str
    unit: str
    count: int
    kinds: dict[str, int]
    turns: int
    branches: tuple[Branch, ...]
    tags: tuple[tuple[str, str], ...]
    reached: tuple[Reached, ...]
    measurements: int
    measured: tuple[Reached, ...]
    ranges: tuple[RangeStart, ...]
    copies: tuple[str, ...]


def impact(
    registry: Registry, id_: str, *, unit: str = "records", limit: int | None = None
) -> Impact:
    """What the commit `id_`, a full id, reached; at most `limit` commits are described.

    Raises:
        NotFound: when it is not here.
        StoreError: when the index cannot be used.
    """
    with index_of(registry) as index:
        found = reach(registry, index, id_, unit)
        numbers = found.numbers
        nodes = [found.graph.commits[number] for number in numbers]
        reached = {node.id for node in nodes}
        describe = _Describing(registry, index, found)
        return Impact(
            source=id_,
            unit=unit,
            count=len(numbers),
            kinds=dict(Counter(node.kind for node in nodes)),
            turns=max((found.doses[number].turns for number in numbers), default=0),
            branches=branches(registry, index, found),
            tags=tuple(describe.tags()),
            reached=tuple(describe.commits(numbers[:limit])),
            measurements=len(found.measured),
            measured=tuple(describe.commits(found.measured[:limit])),
            ranges=tuple(_ranges(found)),
            copies=tuple(copies(registry, index, id_, reached.__contains__)),
        )


def _ranges(found: Reach) -> Iterator[RangeStart]:
    for number, why in found.ranges.items():
        commit = found.graph.commits[number]
        yield RangeStart(commit.id, why.roles, bool(commit.origin), why.excess)


def branches(registry: Registry, index: "Index", found: Reach) -> tuple[Branch, ...]:
    """The branches of the registry's time with an affected commit, by name."""
    return tuple(_Describing(registry, index, found).branches())


class _Describing:
    """Turns the numbers of a reach into what people know of commits."""

    def __init__(self, registry: Registry, index: "Index", found: Reach) -> None:
        self._registry = registry
        self._index = index
        self._found = found
        self._names = Names.of(registry)

    def commits(self, numbers: list[int]) -> Iterator[Reached]:
        from lineage.store.index_graph import recorded

        rows = self._index.read(lambda ask: recorded(ask, numbers))
        for number in numbers:
            row = rows[number]
            yield Reached(
                *row,
                self._names.branches.get(row.git, ()),
                self._names.tags.get(row.git, ()),
                self._found.doses.get(number),
            )

    def tags(self) -> Iterator[tuple[str, str]]:
        for name, number in self._named("tags"):
            if number in self._found.doses:
                yield name, self._found.id(number)

    def branches(self) -> Iterator[Branch]:
        """The branches, each from its tip back along `follows` and `revises`."""
        before, doses = self._before(), self._found.doses
        for name, tip in self._named("heads"):
            chain = list(_chain(tip, before))
            affected = [place for place, n in enumerate(chain) if n in doses]
            if affected:
                last = affected[-1]
                older = chain[last + 1 : last + 2]
                yield Branch(
                    name=name,
                    tip=self._found.id(tip),
                    tip_is_affected=tip in doses,
                    first=self._found.id(chain[last]),
                    clean=self._found.id(older[0]) if older else None,
                    affected=len(affected),
                    length=last + 1,
                )

    def _before(self) -> dict[int, int]:
        """The commit before each on its branch, as `REV~1` has it."""
        steps: dict[int, list[tuple[str, str, int]]] = {}
        for child, role, parent, *_ in self._found.graph.edges:
            if role in BACK and parent in self._found.graph.commits:
                step = (role, self._found.id(parent), parent)
                steps.setdefault(child, []).append(step)
        return {child: min(found)[2] for child, found in steps.items()}

    def _named(self, space: str) -> Iterable[tuple[str, int]]:
        """Branches or tags of then with the numbers of their commits, by name."""
        from lineage.store.index_graph import numbers_of_git

        names = self._registry.events_log.names(space)
        found = self._index.read(lambda ask: numbers_of_git(ask, names.values()))
        return sorted((name, found[oid]) for name, oid in names.items() if oid in found)


def _chain(tip: int, before: dict[int, int]) -> Iterator[int]:
    number: int | None = tip
    while number is not None:
        yield number
        number = before.get(number)
