"""What the drawing of a lineage shows: a row per generation, a node per artifact.

Configs and held-out data, which everything hangs on, are left out, and so are
edges that skip a generation: the node counts them. Long loops are folded.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from lineage.audit.model import Artifact, Generation, Loop, Report, Source
from lineage.descent.roles import WRITING

MOST_ROWS = 12
MOST_ASIDE = 3
MOST_NODES = 12  # of a row: all rows together have 180
MOST_COLUMNS = 5  # side by side; a longer line of descent has more
_FIRST = 5
_UNDRAWN = frozenset(
    {"configured_by", "evaluated_on", "includes", "follows", "revises"}
)


@dataclass(slots=True)
class Node:
    """An artifact in its row; `column` counts from the right, which is 0.

    `drawn` are the parents that an arrow comes from, `others` how many more
    parents the artifact has.
    """

    artifact: Artifact
    column: int = 0
    drawn: tuple[str, ...] = ()
    others: int = 0


@dataclass(slots=True)
class Row:
    """A generation, or what stands in for some: then it has only a label.

    One that is `aside` was not followed by any other.
    """

    label: str
    nodes: list[Node] = field(default_factory=list)
    rejected: bool = False
    aside: bool = False
    more: int = 0


def rows(report: Report, loop: Loop | None) -> list[Row]:
    """The rows of the drawing of a loop, or of a report's subjects, top down."""
    artifacts = {made.id: made for made in report.artifacts}
    if loop:
        seen: set[str] = set()
        turns = [_turn(t, artifacts, seen) for t in loop.generations]
        aside = [_turn(t, artifacts, seen) for t in loop.rejected]
    else:
        turns, aside = _of_numbers(report.subjects, artifacts), []
    for row in aside:
        row.aside = True
    made = _folded(turns, aside)
    _connect(made)
    return made


def _turn(turn: Generation, artifacts: Mapping[str, Artifact], seen: set[str]) -> Row:
    """The parts of a generation, and what these came from that was not `seen`."""
    parts = [part.id for part in turn.parts if part.kind != "config"]
    row = _row(turn.number, _new(parts, artifacts, seen), artifacts)
    row.rejected = turn.status == "rejected"
    return row


def _of_numbers(
    subjects: Iterable[str], artifacts: Mapping[str, Artifact]
) -> list[Row]:
    """What some artifacts came from, by generation number."""
    found: dict[int, list[str]] = {}
    for id_ in _new(subjects, artifacts, set()):
        found.setdefault(artifacts[id_].generation, []).append(id_)
    return [_row(number, found[number], artifacts) for number in sorted(found)]


def _new(
    starts: Iterable[str], artifacts: Mapping[str, Artifact], seen: set[str]
) -> list[str]:
    """`starts` and all that they came from but what was `seen`, oldest first."""
    found: set[str] = set()
    queue = list(starts)
    while queue:
        id_ = queue.pop()
        if id_ not in seen:
            seen.add(id_)
            found.add(id_)
            queue.extend(edge.id for edge in drawable(artifacts[id_]))
    return [id_ for id_ in artifacts if id_ in found]


def drawable(artifact: Artifact) -> list[Source]:
    """The edges that say what an artifact was made from."""
    return [edge for edge in artifact.sources if edge.role not in _UNDRAWN]


def _row(number: int, ids: list[str], artifacts: Mapping[str, Artifact]) -> Row:
    """A row with its nodes, each to the left of all that was made from it."""
    columns: dict[str, int] = {}
    full: Counter[int] = Counter()
    least = dict.fromkeys(ids, 0)
    for id_ in reversed(ids):  # children come after their parents
        choice = range(least[id_], max(least[id_] + 1, MOST_COLUMNS))
        columns[id_] = min(choice, key=lambda column: (full[column], column))
        full[columns[id_]] += 1
        for edge in drawable(artifacts[id_]):
            if edge.id in least:
                least[edge.id] = max(least[edge.id], columns[id_] + 1)
    kept = sorted(ids, key=lambda id_: columns[id_])[:MOST_NODES]
    nodes = [Node(artifacts[id_], columns[id_]) for id_ in kept]
    return Row(f"generation {number}", nodes, more=len(ids) - len(kept))


def _folded(turns: list[Row], aside: list[Row]) -> list[Row]:
    """The first and last rows of the chain, and the last of those aside."""
    if len(turns) > MOST_ROWS:
        first, last = turns[:_FIRST], turns[_FIRST + 1 - MOST_ROWS :]
        hidden = turns[_FIRST : len(turns) - len(last)]
        numbers = [row.label.split()[-1] for row in hidden]
        span = f"generations {numbers[0]} to {numbers[-1]}"
        turns = [*first, Row(f"{span} are in the table, not in this drawing"), *last]
    if len(aside) > MOST_ASIDE:
        count = len(aside) - MOST_ASIDE
        aside = [Row(f"{count:,} more that were rejected"), *aside[-MOST_ASIDE:]]
    return [*turns, *aside]


def _connect(made: list[Row]) -> None:
    """Choose the arrows: from the same row, or from the one just above."""
    above: dict[str, Node] = {}
    for row in made:
        here = {node.artifact.id: node for node in row.nodes}
        for node in row.nodes:
            edges = drawable(node.artifact)
            beside = [here[edge.id].artifact for edge in edges if edge.id in here]
            drawn = [
                edge.id
                for edge in edges
                if edge.id in here
                or (not row.aside and edge.id in above and not _told(edge, beside))
            ]
            node.drawn = tuple(dict.fromkeys(drawn))
            told = {edge.id for edge in edges if _told(edge, beside)}
            parents = {edge.id for edge in edges}
            node.others = len(parents - set(node.drawn) - told)
        if not row.aside:
            above = here


def _told(edge: Source, beside: Iterable[Artifact]) -> bool:
    """Whether what this was filtered from already says which model wrote it."""
    return edge.role in WRITING and any(
        edge.id == other.id and other.role == edge.role
        for artifact in beside
        for other in artifact.sources
    )
