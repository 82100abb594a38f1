"""Where the boxes of a layered drawing stand, and how its arrows run.

Boxes stand in columns, what was made from others to their right. Within a column they
are in the order, and at the height, that keeps arrows short and few of them crossing;
an arrow over several columns has a place of its own in each, so none runs through a
box.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, TypeAlias

WIDTH = 148  # of a box
GAP = 38  # between columns
_APART = 14  # between boxes of a column
_LANE = 4  # the height of an arrow that passes by
_SWEEPS = 8

Node: TypeAlias = str | tuple[str, str, int]  # a box, or an arrow in a column
Ends: TypeAlias = tuple[str, str]
Point: TypeAlias = tuple[float, float]


class Spot(NamedTuple):
    """The upper left corner of a box, and its height."""

    x: float
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Layers:
    """A drawing: boxes, the points that each arrow goes through, and the size."""

    spots: Mapping[str, Spot]
    routes: Mapping[Ends, Sequence[Point]]
    size: tuple[float, float]


def layers(heights: Mapping[str, float], arrows: Sequence[Ends], center: str) -> Layers:
    """Lay out boxes of these heights around `center`; arrows lead to the right."""
    ranks = ranked(heights, arrows, center)
    chains = {ends: _chain(ends, ranks) for ends in arrows}
    columns = _columns(heights, chains, ranks)
    beside = _beside(chains)
    _order(columns, beside)
    sizes = {
        node: heights[node] if isinstance(node, str) else _LANE
        for column in columns
        for node in column
    }
    middles = _middles(columns, beside, sizes)
    top = min(middles[node] - sizes[node] / 2 for node in middles)
    bottom = max(middles[node] + sizes[node] / 2 for node in middles)
    x = {node: n * (WIDTH + GAP) for n, column in enumerate(columns) for node in column}
    spots = {
        id_: Spot(float(x[id_]), middles[id_] - height / 2 - top, height)
        for id_, height in heights.items()
    }
    at = {node: (float(x[node]), middle - top) for node, middle in middles.items()}
    routes = {ends: list(_route(nodes, at)) for ends, nodes in chains.items()}
    width = len(columns) * (WIDTH + GAP) - GAP
    return Layers(spots, routes, (float(width), bottom - top))


def ranked(ids: Collection[str], arrows: Sequence[Ends], center: str) -> dict[str, int]:
    """The column of each box, counted from the left.

    It is the number of steps of the longest way to it; what `center` does not lead to
    stands as near as can be to what was made from it.
    """
    steps = _steps(arrows)
    order = _topological(ids, steps)
    found = dict.fromkeys(order, 0)
    for node in order:
        for other in steps.get(node, ()):
            found[other] = max(found[other], found[node] + 1)
    after = set(_topological([center], steps))
    for node in reversed(order):
        if node not in after and steps.get(node):
            found[node] = min(found[other] for other in steps[node]) - 1
    least = min(found.values())
    return {id_: rank - least for id_, rank in found.items()}


def _steps(arrows: Sequence[Ends]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for start, end in arrows:
        found.setdefault(start, []).append(end)
    return found


def _topological(starts: Iterable[str], steps: Mapping[str, list[str]]) -> list[str]:
    """`starts` and what they lead to, each before what it leads to."""
    done: dict[str, None] = {}
    ahead = [(start, False) for start in starts]
    while ahead:
        node, is_over = ahead.pop()
        if is_over:
            done[node] = None
        elif node not in done:
            ahead.append((node, True))
            ahead += [(other, False) for other in steps.get(node, ())]
    return list(done)[::-1]


def _chain(ends: Ends, ranks: Mapping[str, int]) -> list[Node]:
    """An arrow's two boxes, with its places in the columns between."""
    start, end = ends
    between = range(ranks[start] + 1, ranks[end])
    return [start, *((start, end, rank) for rank in between), end]


def _columns(
    ids: Mapping[str, float],
    chains: Mapping[Ends, list[Node]],
    ranks: Mapping[str, int],
) -> list[list[Node]]:
    columns: list[list[Node]] = [[] for _ in range(max(ranks.values()) + 1)]
    for id_ in ids:
        columns[ranks[id_]].append(id_)
    for nodes in chains.values():
        for node in nodes[1:-1]:
            columns[int(node[2])].append(node)
    return columns


def _beside(chains: Mapping[Ends, list[Node]]) -> dict[Node, list[Node]]:
    """What stands next to each node along arrows, left and right."""
    found: dict[Node, list[Node]] = {}
    for nodes in chains.values():
        for left, right in pairwise(nodes):
            found.setdefault(left, []).append(right)
            found.setdefault(right, []).append(left)
    return found


def _order(columns: list[list[Node]], beside: Mapping[Node, list[Node]]) -> None:
    """Sort each column by the mean place of what stands next to it, to and fro."""
    place: dict[Node, float] = {}

    def keep(column: list[Node]) -> None:
        place.update((node, n / max(1, len(column))) for n, node in enumerate(column))

    for column in columns:
        keep(column)
    for sweep in range(_SWEEPS):
        for column in columns if sweep % 2 else columns[::-1]:
            column.sort(key=lambda node: _mean(place, beside.get(node, [node])))
            keep(column)


def _mean(values: Mapping[Node, float], nodes: Sequence[Node]) -> float:
    return sum(values[node] for node in nodes) / len(nodes)


def _middles(
    columns: list[list[Node]],
    beside: Mapping[Node, list[Node]],
    sizes: Mapping[Node, float],
) -> dict[Node, float]:
    """The height of each node's middle, near the mean of what stands next to it."""
    middles: dict[Node, float] = {}
    for column in columns:
        steps = [sum(sizes[n] + _APART for n in column[:k]) for k in range(len(column))]
        whole = sum(sizes[node] + _APART for node in column)
        middles |= {
            node: step + sizes[node] / 2 - whole / 2
            for node, step in zip(column, steps, strict=True)
        }
    for sweep in range(_SWEEPS):
        for column in columns if sweep % 2 else columns[::-1]:
            wanted = [_mean(middles, beside.get(node, [node])) for node in column]
            least = [(sizes[a] + sizes[b]) / 2 + _APART for a, b in pairwise(column)]
            middles |= zip(column, settled(wanted, least), strict=True)
    return middles


def settled(wanted: Sequence[float], least: Sequence[float]) -> list[float]:
    """Values that differ by at least `least`, as near those `wanted` as can be."""
    offsets = [sum(least[:n]) for n in range(len(wanted))]
    blocks: list[tuple[float, int]] = []  # the mean of so many values that are the same
    for value, offset in zip(wanted, offsets, strict=True):
        mean, count = value - offset, 1
        while blocks and blocks[-1][0] > mean:
            before, many = blocks.pop()
            mean = (before * many + mean * count) / (many + count)
            count += many
        blocks.append((mean, count))
    flat = [mean for mean, count in blocks for _ in range(count)]
    return [mean + offset for mean, offset in zip(flat, offsets, strict=True)]


def _route(nodes: Sequence[Node], at: Mapping[Node, Point]) -> Iterator[Point]:
    """From the right edge of a box over each column between to the left edge of one."""
    for node in nodes[:-1]:
        x, y = at[node]
        if node is not nodes[0]:
            yield x, y
        yield x + WIDTH, y
    yield at[nodes[-1]]
