"""What the chapter on one loop shows: its drawings, and its turns sorted by matter."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from lineage.audit.bars import Bar, bars
from lineage.audit.curves import curve
from lineage.audit.graph import graph
from lineage.audit.model import (
    Against,
    Gate,
    Generation,
    Loop,
    Measure,
    Report,
    Statement,
)
from lineage.audit.steps import COUNTS
from lineage.audit.words import better, bounds

MOST_CURVES = 18
ELSEWHERE = frozenset({"statement", "release", "taint", "untaint", "erase"})


@dataclass(slots=True)
class Verdicts:
    """One gate over all generations."""

    name: str
    on: str | None
    allowed: str
    action: str | None
    passed: int = 0
    failed: list[Generation] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Told:
    """A loop as its chapter tells it."""

    id: str
    loop: Loop
    bars: str
    graph: str
    curves: list[tuple[Measure, str]]
    against: list[tuple[Generation, Against, str]]
    about: frozenset[str | None]
    gates: list[Verdicts]
    verdicts: list[tuple[Generation, Gate]]
    reviews: list[Statement]
    failures: list[Statement]
    others: list[Statement]
    reused: int

    @property
    def rejected(self) -> list[Generation]:
        """Turns that were not followed, the subject of the report among them."""
        return [turn for turn in self.loop.turns if turn.status == "rejected"]

    @property
    def overrides(self) -> int:
        """How many events let something pass that a gate had not."""
        said = {one.event for one in self.reviews if one.data.get("override")}
        return len(said | {one.event for one in self.loop.oversight.overrides})

    @property
    def statements(self) -> list[Statement]:
        return [*self.reviews, *self.failures, *self.others]


def told(loop: Loop, report: Report, id_: str) -> Told:
    """What the chapter on `loop` shows; `id_` is its anchor."""
    verdicts = [(turn, gate) for turn in loop.turns for gate in turn.gates]
    against = _against(loop)
    reviews, failures, others = _statements(loop, report)
    rows = [Bar(t.number, t.made_of) for t in loop.generations if t.made_of]
    return Told(
        id=id_,
        loop=loop,
        bars=bars(f"{id_}-origins", rows) if rows else "",
        graph=graph(f"{id_}-lineage", report, loop),
        curves=list(_curves(loop, against, id_)),
        against=against,
        about=frozenset(found.about for _, found, _ in against),
        gates=_gates(verdicts),
        verdicts=verdicts,
        reviews=reviews,
        failures=failures,
        others=others,
        reused=sum(turn.compute.reused for turn in loop.turns if turn.compute),
    )


def _against(loop: Loop) -> list[tuple[Generation, Against, str]]:
    """The newest value of each measure beside that of generation 0."""
    found: dict[str, tuple[Generation, Against]] = {}
    for turn in loop.generations:
        found |= {one.name: (turn, one) for one in turn.against_start}
    ways = {measure.name: better(measure) for measure in loop.measures}
    order = {"diversity": 0, "bias": 1, "quality": 2}
    rows = [
        (turn, one, ways.get(one.name, ""))
        for turn, one in found.values()
        if one.name not in COUNTS
    ]
    return sorted(rows, key=lambda row: (order.get(row[1].about or "", 3), row[1].name))


def _curves(
    loop: Loop, against: Iterable[tuple[Generation, Against, str]], id_: str
) -> Iterator[tuple[Measure, str]]:
    """Measures that have a course, those of diversity and bias first."""
    starts = {found.name: found.start for _, found, _ in against}
    order = {name: place for place, name in enumerate(starts)}
    drawn = [m for m in loop.measures if m.name not in COUNTS and len(m.points) > 1]
    drawn.sort(key=lambda measure: order.get(measure.name, len(order)))
    for number, measure in enumerate(drawn[:MOST_CURVES], 1):
        drawing = curve(f"{id_}-measure-{number}", measure, starts.get(measure.name))
        yield measure, drawing


def _gates(verdicts: Iterable[tuple[Generation, Gate]]) -> list[Verdicts]:
    """The verdicts of each gate together; one with other bounds is another."""
    found: dict[tuple[str, ...], Verdicts] = {}
    for turn, gate in verdicts:
        name, allowed = gate.id or gate.type or "unnamed", bounds(gate.bounds)
        key = (name, gate.on or "", allowed, gate.action or "")
        of = found.setdefault(key, Verdicts(name, gate.on, allowed, gate.action))
        of.passed += gate.verdict == "pass"
        if gate.verdict == "fail":
            of.failed.append(turn)
    return list(found.values())


def _statements(
    loop: Loop, report: Report
) -> tuple[list[Statement], list[Statement], list[Statement]]:
    """Reviews, failures and what no other chapter tells of a loop's commits."""
    speak = {said.event for turn in loop.turns for said in turn.statements}
    alone = len(report.loops) == 1
    reviews, failures, others = [], [], []
    for said in report.statements:
        if alone or said.event in speak:
            if said.type.startswith("review"):
                reviews.append(said)
            elif said.type.startswith("failed"):
                failures.append(said)
            elif said.type not in ELSEWHERE:
                others.append(said)
    return reviews, failures, others
