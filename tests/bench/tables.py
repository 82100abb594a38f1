"""What was measured, as data: printed as Markdown, kept as JSON, drawn over time.

A `Table` is of commands that took turns; a `Sheet` has figures of another kind (bytes,
requests a second). Nothing here runs anything.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_RUNS = ("", "runs", "wall, median", "from, to", "CPU, median", "peak memory")
_RATIOS = ("ratio", "wall", "CPU", "goal", "")


@dataclass(frozen=True, slots=True)
class Run:
    """One run: wall and CPU seconds, peak memory of its largest process in bytes."""

    wall: float
    cpu: float
    memory: int


@dataclass(frozen=True, slots=True)
class Goal:
    """`ours` beside `peer`: at most `ratio` of its wall (or CPU) time, where we aim."""

    ours: str
    peer: str
    ratio: float | None = None
    of: str = "wall"


@dataclass(frozen=True, slots=True)
class Ratio:
    """Of two contestants: the median over the rounds in which both ran, and between."""

    middle: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.middle:.2f} ({self.low:.2f} to {self.high:.2f})"


@dataclass
class Table:
    """Runs by contestant, with their commands, ratios and goals."""

    title: str
    runs: Mapping[str, Sequence[Run]]
    commands: Mapping[str, str]
    goals: Sequence[Goal] = ()
    notes: list[str] = field(default_factory=list)

    def ratio(self, ours: str, peer: str, of: str = "wall") -> Ratio:
        """How many times as long as `peer`."""
        pairs = zip(self.runs[ours], self.runs[peer], strict=False)
        found = [getattr(a, of) / getattr(b, of) for a, b in pairs]
        return Ratio(statistics.median(found), min(found), max(found))

    def memory(self, name: str) -> float:
        """The most memory that a process of `name` took, in MB.

        It reads no less than the measuring process's own, about 9 MB.
        """
        return max(run.memory for run in self.runs[name]) / 1e6

    def lines(self) -> Iterator[str]:
        """As Markdown."""
        yield from _table(_RUNS, map(self._row, self.runs))
        if self.goals:
            yield from ("", *_table(_RATIOS, map(self._verdict, self.goals)))
        yield from ("", "What ran:", "")
        for ran in dict.fromkeys(self.commands.values()):
            names = [name for name, other in self.commands.items() if other == ran]
            yield f"- {' / '.join(names)}: `{ran}`"

    def _row(self, name: str) -> Sequence[str]:
        walls = [run.wall for run in self.runs[name]]
        cpu = statistics.median(run.cpu for run in self.runs[name])
        spread = f"{seconds(min(walls))}, {seconds(max(walls))}"
        middle = seconds(statistics.median(walls))
        memory = f"{self.memory(name):.0f} MB"
        return name, str(len(walls)), middle, spread, seconds(cpu), memory

    def _verdict(self, goal: Goal) -> Sequence[str]:
        wall, cpu = (self.ratio(goal.ours, goal.peer, of) for of in ("wall", "cpu"))
        aim, verdict = "", ""
        if goal.ratio is not None:
            reached = (wall if goal.of == "wall" else cpu).middle <= goal.ratio
            aim = f"{goal.of} ≤ {goal.ratio}"
            verdict = "met" if reached else "missed"
        return (
            f"{goal.ours} : {goal.peer}",
            str(wall),
            f"{cpu.middle:.2f}",
            aim,
            verdict,
        )

    def figures(self) -> Iterator[tuple[str, Ratio, float]]:
        """Ratios that have a goal, and the goal."""
        for goal in self.goals:
            if goal.ratio is not None:
                name = f"{goal.ours} : {goal.peer}"
                yield name, self.ratio(goal.ours, goal.peer, goal.of), goal.ratio

    def data(self) -> dict[str, Any]:
        """As JSON keeps it."""
        rows = {
            name: {
                "ran": self.commands[name],
                "runs": [
                    [round(run.wall, 4), round(run.cpu, 4), run.memory] for run in runs
                ],
            }
            for name, runs in self.runs.items()
        }
        goals = [[goal.ours, goal.peer, goal.ratio, goal.of] for goal in self.goals]
        return {"title": self.title, "rows": rows, "goals": goals, "notes": self.notes}


@dataclass
class Sheet:
    """Cells that are text already; `ratios` are kept to be drawn, each with a goal."""

    title: str
    head: Sequence[str]
    cells: Sequence[Sequence[str]]
    ratios: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """As Markdown."""
        yield from _table(self.head, self.cells)

    def figures(self) -> Iterator[tuple[str, Ratio, float]]:
        """What is drawn over time, and the goal."""
        for name, (value, goal) in self.ratios.items():
            yield name, Ratio(value, value, value), goal

    def data(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return {
            "title": self.title,
            "head": list(self.head),
            "cells": [list(line) for line in self.cells],
            "ratios": {name: list(pair) for name, pair in self.ratios.items()},
            "notes": self.notes,
        }


def read(data: Mapping[str, Any]) -> Table | Sheet:
    """A table from JSON."""
    if "cells" in data:
        ratios = {name: (value, goal) for name, (value, goal) in data["ratios"].items()}
        return Sheet(data["title"], data["head"], data["cells"], ratios, data["notes"])
    rows = data["rows"]
    return Table(
        data["title"],
        {name: [Run(*run) for run in row["runs"]] for name, row in rows.items()},
        {name: row["ran"] for name, row in rows.items()},
        [Goal(*goal) for goal in data["goals"]],
        data["notes"],
    )


def markdown(table: Table | Sheet) -> str:
    """The title, the table, its notes."""
    notes = [line for note in table.notes for line in ("", note)]
    return "\n".join((f"### {table.title}", "", *table.lines(), *notes, ""))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|---|" + "---:|" * (len(head) - 1)
    for row in rows:
        yield f"| {' | '.join(row)} |"


def seconds(value: float) -> str:
    """Of a duration, for people."""
    return f"{value:.2f} s" if value >= 1 else f"{value * 1e3:.0f} ms"
