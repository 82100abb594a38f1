"""The neighbourhood of a commit: what is near enough to be drawn, hubs put aside.

A seed dataset or a config is near everything: with an arrow to each commit that uses
it a drawing is fog. What is used often is a *hub*: it is named beside the commits
that use it, as chips of the same kind and name together, and has an arrow into the
commit in the middle alone. Of many neighbours the newest are taken; the others are
counted.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from lineage.descent.roles import WRITING
from lineage.turns import turn_number
from lineage.walks import reached

if TYPE_CHECKING:
    from lineage.registry import Registry
    from lineage.store.index_asking import Ask
    from lineage.store.index_near import Found, Link

HOPS = 2
MOST_HOPS = 5
_MOST = 16  # neighbours of one commit that are taken
MANY = 1000  # uses that are counted
_HUB = 6  # edges that make a hub of what they lead to
_ASIDE = ("configured_by", "evaluated_on")  # roles whose parents everything shares
_WHOLE = 150  # commits in all: with chips and folds a drawing has fewer than 200 nodes


@dataclass(frozen=True, slots=True)
class Near:
    """A commit near another one.

    `origin` is ``human``, ``machine``, ``mixed``, ``derived`` or ``unknown``, of a
    dataset. `chips` are the hubs that it came from, `others` counts the sources that
    are neither drawn nor chips, `uses` the commits made from it that are not drawn, up
    to `MANY`.
    """

    id: str
    kind: str
    name: str
    generation: int
    origin: str | None
    chips: tuple["Chip", ...] = ()
    others: int = 0
    uses: int = 0


class Chip(NamedTuple):
    """A hub, with `more` of its kind and name behind it."""

    id: str
    kind: str
    name: str
    more: int = 0


class Arrow(NamedTuple):
    """From a commit to one that was made from it; `share` of its records, if known."""

    source: str
    product: str
    roles: tuple[str, ...]
    share: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """The commit `center`, what it came from and what came of it, so many hops away.

    `nodes` come in the order of recording.
    """

    center: str
    hops: int
    nodes: tuple[Near, ...]
    arrows: tuple[Arrow, ...]


def neighbourhood(registry: "Registry", id_: str, hops: int = HOPS) -> Neighbourhood:
    """What is at most `hops` edges before or after the commit `id_`.

    Raises:
        NotFound: when the commit is not here.
        StoreError: when the index cannot be used.
    """
    from lineage.indexing import index_of
    from lineage.store.index_asking import numbers

    registry.load(id_)
    with index_of(registry) as index:

        def question(ask: "Ask") -> Neighbourhood:
            found = numbers(ask, [id_])
            if not found:
                return Neighbourhood(id_, hops, (), ())
            return _Walk(ask, found[0], min(hops, MOST_HOPS)).found(id_)

        found = index.read(question)
    return replace(found, nodes=tuple(_counted(registry, n) for n in found.nodes))


def _counted(registry: "Registry", near: Near) -> Near:
    """A generation with its number in its loop."""
    if near.kind != "generation":
        return near
    number = turn_number(registry.load(near.id), near.generation)
    return replace(near, generation=number)


_Pairs: TypeAlias = "dict[tuple[int, int], list[Link]]"


class _Walk:
    """One walk up and one down, over the rows of the index."""

    def __init__(self, ask: "Ask", center: int, hops: int) -> None:
        self._ask = ask
        self._center = center
        self._hops = hops
        self._drawn = {center}
        self._hidden: dict[int, int] = {}  # uses that are not drawn, by the commit
        self._up()
        self._down()

    def found(self, id_: str) -> Neighbourhood:
        from lineage.store.index_near import commits, links_up

        links = links_up(self._ask, self._drawn)
        rows = commits(self._ask, {*self._drawn, *(link.parent for link in links)})
        links = [ln for ln in links if ln.parent in rows and ln.child in rows]
        hubs = self._hubs(links)
        pairs: _Pairs = {}
        by_child: dict[int, list[Link]] = {}
        for link in links:
            by_child.setdefault(link.child, []).append(link)
            if self._is_arrow(link, hubs):
                pairs.setdefault((link.parent, link.child), []).append(link)
        if self._center in hubs:
            _thin(pairs, self._center)
        near = _connected(self._center, pairs) & rows.keys()
        pairs = {ends: same for ends, same in pairs.items() if near.issuperset(ends)}
        nodes = (
            self._near(rows, number, by_child.get(number, []), pairs, hubs)
            for number in sorted(near)
        )
        arrows = (_arrow(rows, same) for _, same in sorted(pairs.items()))
        return Neighbourhood(id_, self._hops, tuple(nodes), tuple(arrows))

    def _up(self) -> None:
        from lineage.store.index_near import commits, links_up

        ahead = [self._center]
        for _ in range(self._hops):
            links = links_up(self._ask, ahead)
            known = commits(self._ask, {link.parent for link in links})
            links = [link for link in links if link.parent in known]
            hubs = self._hubs(links)
            taken: list[int] = []
            for child in ahead:
                own = [
                    link.parent
                    for link in links
                    if link.child == child and not self._is_chip(link, hubs)
                ]
                taken += list(dict.fromkeys(own))[:_MOST]
            ahead = self._draw(taken)

    def _down(self) -> None:
        from lineage.store.index_near import children

        ahead = [self._center]
        for _ in range(self._hops):
            taken: list[int] = []
            for parent in ahead:
                found, count = children(self._ask, parent, _MOST, MANY)
                taken += found
                self._hidden[parent] = count if count == MANY else count - len(found)
            ahead = self._draw(taken)

    def _draw(self, numbers: Iterable[int]) -> list[int]:
        """Take in what is new, the first ones, as long as there is room."""
        new = [n for n in dict.fromkeys(numbers) if n not in self._drawn]
        new = new[: max(0, _WHOLE - len(self._drawn))]
        self._drawn.update(new)
        return new

    def _hubs(self, links: Iterable["Link"]) -> set[int]:
        from lineage.store.index_near import used_often

        links = list(links)
        aside = {link.parent for link in links if link.role in _ASIDE}
        parents = {link.parent for link in links}
        return aside | used_often(self._ask, parents, _HUB)

    def _is_chip(self, link: "Link", hubs: Collection[int]) -> bool:
        """Whether the parent is named beside the child instead of an arrow's start."""
        if self._center in (link.parent, link.child):
            return link.role in _ASIDE and link.parent != self._center
        return link.role in _ASIDE or link.parent in hubs

    def _is_arrow(self, link: "Link", hubs: Collection[int]) -> bool:
        return link.parent in self._drawn and not self._is_chip(link, hubs)

    def _near(
        self,
        rows: dict[int, "Found"],
        number: int,
        own: list["Link"],
        arrows: Collection[tuple[int, int]],
        hubs: Collection[int],
    ) -> Near:
        row = rows[number]
        drawn = {parent for parent, child in arrows if child == number}
        aside = dict.fromkeys(ln.parent for ln in own if ln.parent not in drawn)
        chips = [parent for parent in aside if parent in hubs]
        return Near(
            row.id,
            row.kind,
            row.name,
            row.generation,
            _origin(row, own),
            tuple(_chips(rows[parent] for parent in chips)),
            len(aside) - len(chips),
            self._hidden.get(number, 0),
        )


def _thin(pairs: _Pairs, hub: int) -> None:
    """Leave out the arrows from `hub` to what other arrows lead to from there."""
    below: dict[int, set[int]] = {}
    for parent, child in sorted(pairs, key=lambda ends: ends[1]):
        below.setdefault(child, set()).update({parent}, below.get(parent, ()))
    for parent, child in list(pairs):
        others = {p for p, c in pairs if c == child} - {hub}
        if parent == hub and any(hub in below.get(other, ()) for other in others):
            del pairs[parent, child]


def _connected(start: int, pairs: _Pairs) -> set[int]:
    """What arrows connect with `start`, whichever way they lead."""
    beside: dict[int, set[int]] = {}
    for a, b in pairs:
        beside.setdefault(a, set()).add(b)
        beside.setdefault(b, set()).add(a)
    return reached([start], lambda one: beside.get(one, ()))


def _origin(row: "Found", own: Collection["Link"]) -> str | None:
    """Where a dataset's records came from, as far as it says so itself."""
    if row.kind != "dataset":
        return None
    if any(link.role in WRITING for link in own):
        return "machine"
    return row.origin or ("derived" if own else "unknown")


def _chips(hubs: Iterable["Found"]) -> Iterator[Chip]:
    """By kind and name, the newest first, as they come."""
    groups: dict[tuple[str, str], list[str]] = {}
    for row in hubs:
        groups.setdefault((row.kind, row.name), []).append(row.id)
    for (kind, name), ids in groups.items():
        yield Chip(ids[0], kind, name, len(ids) - 1)


def _arrow(rows: "Mapping[int, Found]", same: "Sequence[Link]") -> Arrow:
    """All edges between two commits in one."""
    counted = ((ln.part, ln.whole) for ln in same)
    share = next(((a, b) for a, b in counted if a is not None and b), None)
    roles = tuple(link.role for link in same)
    return Arrow(rows[same[0].parent].id, rows[same[0].child].id, roles, share)
