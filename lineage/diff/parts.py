"""What to compare with what: the two commits, and their parts side by side.

Parts of two generations are paired by kind and name; what that leaves, by what they
are in their loops (generated, mixed, …); and where that leaves one of a kind on either
side, by kind. Other commits bring the configs they were made with.
For a generation beside something else stands its part of that kind.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lineage.registry import Registry
from lineage.store.objects import KINDS, Commit


@dataclass(frozen=True)
class Side:
    """One commit of a pair."""

    id: str
    commit: Commit


@dataclass(frozen=True)
class Pair:
    """Two commits to compare; one may be missing.

    `part` says that they are parts of the compared generations, `label` what to
    call them; for the compared commits themselves it is empty.
    """

    label: str
    a: Side | None
    b: Side | None
    part: bool = False

    @property
    def commits(self) -> list[Commit]:
        return [side.commit for side in (self.a, self.b) if side]

    @property
    def whole(self) -> bool:
        """Whether both are there."""
        return bool(self.a and self.b)

    @property
    def kind(self) -> str:
        """What both are; empty where they are of different kinds."""
        kinds = {commit.kind for commit in self.commits}
        return kinds.pop() if len(kinds) == 1 else ""


def pairs(registry: Registry, a: str, b: str, notes: list[str]) -> list[Pair]:
    """The two commits as a pair, then the pairs of what belongs to them.

    A note says what is done about two commits of different kinds.
    """
    whole = _alike(registry, Pair("", _side(registry, a), _side(registry, b)), notes)
    generations = whole.kind == "generation"
    role = "includes" if generations else "configured_by"
    old, new = (
        [_side(registry, id_) for id_ in commit.ids(role)] for commit in whole.commits
    )
    return [whole, *_paired(old, new, part=generations)]


def _alike(registry: Registry, pair: Pair, notes: list[str]) -> Pair:
    """The pair, of one kind where one of the two is a part of the other."""
    assert pair.a
    assert pair.b
    if pair.kind:
        return pair
    a = _standing_for(registry, pair.a, pair.b.commit, notes)
    b = _standing_for(registry, pair.b, pair.a.commit, notes)
    found = Pair("", a, b)
    if not found.kind:
        kinds = f"a {a.commit.kind} and a {b.commit.kind}"
        notes.append(f"{kinds} are compared in metrics, params and files alone")
    return found


def _standing_for(
    registry: Registry, side: Side, other: Commit, notes: list[str]
) -> Side:
    """What of a generation is like `other`: its only part of the kind, or by name."""
    if side.commit.kind != "generation":
        return side
    parts = [_side(registry, id_) for id_ in side.commit.ids("includes")]
    alike = [part for part in parts if part.commit.kind == other.kind]
    named = [part for part in alike if part.commit.name == other.name]
    for chosen in (alike, named):
        if len(chosen) == 1:
            name, [part] = side.commit.name, chosen
            what = f"its {other.kind} {part.commit.name} ({part.id[:12]})"
            notes.append(f"of the generation of {name}, {what} is compared")
            return part
    return side


def _side(registry: Registry, id_: str) -> Side:
    return Side(id_, registry.load(id_))


def _paired(old: list[Side], new: list[Side], *, part: bool) -> Iterator[Pair]:
    for kind in KINDS:
        left = [side for side in old if side.commit.kind == kind]
        right = [side for side in new if side.commit.kind == kind]
        both = [pair for key in _KEYS for pair in _matched(left, right, key)]
        for before, after in sorted(both, key=lambda pair: pair[1].commit.name):
            yield Pair(f"{kind}/{after.commit.name}", before, after, part)
        yield from (Pair(f"{kind}/{s.commit.name}", s, None, part) for s in left)
        yield from (Pair(f"{kind}/{s.commit.name}", None, s, part) for s in right)


def _matched(
    left: list[Side], right: list[Side], key: Callable[[Commit], object]
) -> Iterator[tuple[Side, Side]]:
    """Take out the pairs that alone have the same key on their side."""
    for before in list(left):
        wanted = key(before.commit)
        olds, news = (
            [side for side in sides if key(side.commit) == wanted]
            for sides in (left, right)
        )
        if wanted is not None and len(olds) == len(news) == 1:
            left.remove(before)
            right.remove(news[0])
            yield before, news[0]


_KEYS: tuple[Callable[[Commit], object], ...] = (
    lambda commit: commit.name,
    lambda commit: commit.params.get("part"),  # what it is in its loop
    lambda commit: commit.kind,
)
