"""Where the nodes of a drawing stand, and how arrows run between them.

Nodes of a row stand side by side, what was made from others to their right; only
where there are too many does a column hold several. Arrows run in the gutter above
a row and in the gaps between columns, never through a node.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lineage.audit.rows import Node, Row

MARGIN = 62  # left of the nodes, for the generation's label
BOX = (112, 46)
GAP = (20, 14)
GUTTER = 28
_LANES = 4  # arrows of different sources in one gutter keep apart

Path = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Placed:
    """A node with its upper left corner and its row's upper edge.

    `above` and `below` say whether other nodes of its column are there.
    """

    node: Node
    x: float
    y: float
    top: float
    column: int
    above: bool
    below: bool

    @property
    def middle(self) -> tuple[float, float]:
        return self.x + BOX[0] / 2, self.y + BOX[1] / 2


def width(columns: int) -> int:
    """How wide so many columns are, with the margin."""
    return MARGIN + columns * BOX[0] + (columns - 1) * GAP[0]


def place(row: Row, top: float, columns: int) -> tuple[list[Placed], float]:
    """The nodes of a row that begins at `top`, and where it ends."""
    stacks: dict[int, list[Node]] = {}
    for node in row.nodes:
        stacks.setdefault(columns - 1 - node.column, []).append(node)
    placed = [
        Placed(
            node,
            x=MARGIN + column * (BOX[0] + GAP[0]),
            y=top + GUTTER + level * (BOX[1] + GAP[1]),
            top=top + GUTTER,
            column=column,
            above=level > 0,
            below=level < len(stack) - 1,
        )
        for column, stack in stacks.items()
        for level, node in enumerate(stack)
    ]
    height = max(map(len, stacks.values()), default=0) * (BOX[1] + GAP[1])
    return placed, top + GUTTER + height


def across(start: Placed, end: Placed) -> Path:
    """From a node to one of the same row, to its right."""
    (_, y), (_, goal) = start.middle, end.middle
    x, gap = start.x + BOX[0], start.x + BOX[0] + GAP[0] / 2
    if end.column == start.column + 1:
        middle = [] if y == goal else [(gap, y), (gap, goal)]
        return [(x, y), *middle, (end.x - 1, goal)]
    lane = start.top - 5 - 2 * (start.column % _LANES)
    return [(x, y), (gap, y), (gap, lane), *_arrival(end, lane, 0)]


def down(start: Placed, end: Placed) -> Path:
    """From a node to one of the row below."""
    lane = end.top - 8 - 4 * (start.column % _LANES)
    aside = max(-30, min(30, 6 * (end.column - start.column)))
    x, y = start.middle
    if start.below:
        gap = start.x - GAP[0] / 2
        begin = [(start.x, y), (gap, y), (gap, lane)]
    else:
        begin = [(x + aside, start.y + BOX[1]), (x + aside, lane)]
    finish = _arrival(end, lane, -aside)
    straight = begin[-1][0] == finish[0][0]
    return [begin[0], finish[-1]] if straight and len(begin) == 2 else begin + finish


def _arrival(end: Placed, lane: float, aside: float) -> list[tuple[float, float]]:
    """From a lane in the gutter into a node, through its top where that is free."""
    x, y = end.middle
    if not end.above:
        return [(x + aside, lane), (x + aside, end.y - 1)]
    gap = end.x - GAP[0] / 2
    return [(gap, lane), (gap, y), (end.x - 1, y)]


def arrows(
    spot: Placed, here: Mapping[str, Placed], above: Mapping[str, Placed]
) -> list[Path]:
    """The arrows that lead to a node, from its own row and the one above."""
    found = [across(here[id_], spot) for id_ in spot.node.drawn if id_ in here]
    return found + [down(above[id_], spot) for id_ in spot.node.drawn if id_ in above]
