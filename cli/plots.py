"""A small plot on the terminal: values over the commits of branches."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from lineage.cli.terminal import Span, Terminal
from lineage.wording import number

_ROWS = 9
_WIDEST = 6  # columns from one commit to the next
_MARKS = "●○◆◇■□"
_ASCII = "*o+x#@"


class Dot(NamedTuple):
    """A value at a place, and the interval around it where one is known."""

    at: int
    value: float
    interval: Sequence[float] | None = None


class Line(NamedTuple):
    """The dots of one branch."""

    label: str
    dots: Sequence[Dot]


def plot(terminal: Terminal, lines: Sequence[Line]) -> Iterator[str]:
    """Lines of text: the dots with their intervals, and what stands for what."""
    marks = _MARKS if terminal.unicode else _ASCII
    canvas = _Canvas(terminal, [dot for line in lines for dot in line.dots])
    for index, line in reversed([*enumerate(lines)]):
        for dot in line.dots:
            canvas.draw(dot, marks[index % len(marks)])
    yield from canvas.rows()
    if len(lines) > 1:
        named = (f"{marks[i % len(marks)]} {x.label}" for i, x in enumerate(lines))
        yield "  " + "   ".join(named)


class _Canvas:
    """Characters in rows, the highest value on top."""

    def __init__(self, terminal: Terminal, dots: Sequence[Dot]) -> None:
        self._terminal = terminal
        values = [v for d in dots for v in (d.value, *(d.interval or ()))]
        self.low, self.high = min(values), max(values)
        self.first, self.last = min(d.at for d in dots), max(d.at for d in dots)
        middle = (self.low + self.high) / 2
        self._labels = [
            number(float(f"{v:.4g}")) for v in (self.high, middle, self.low)
        ]
        if self.low == self.high:
            self._labels = ["", number(self.low), ""]
        self._left = max(map(len, self._labels)) + 2
        room = max(terminal.width - self._left - 4, 1)
        steps = max(self.last - self.first, 1)
        self._step = min(_WIDEST, room / steps)
        columns = round(self._step * (self.last - self.first)) + 1
        self._cells = [[" "] * columns for _ in range(_ROWS)]

    def draw(self, dot: Dot, mark: str) -> None:
        column = round((dot.at - self.first) * self._step)
        bar = "│" if self._terminal.unicode else "|"
        if dot.interval:
            low, high = map(self._row, dot.interval)
            for row in range(high, low + 1):
                if self._cells[row][column] == " ":
                    self._cells[row][column] = bar
        self._cells[self._row(dot.value)][column] = mark

    def _row(self, value: float) -> int:
        if self.low == self.high:
            return _ROWS // 2
        return round((self.high - value) / (self.high - self.low) * (_ROWS - 1))

    def rows(self) -> Iterator[str]:
        corner, side, floor = "└│─" if self._terminal.unicode else "+|-"
        labels = dict(zip((0, _ROWS // 2, _ROWS - 1), self._labels, strict=True))
        for number_, cells in enumerate(self._cells):
            label = labels.get(number_, "").rjust(self._left)
            row: list[Span] = [(f"{label} {side} ", "dim"), ("".join(cells), "")]
            yield self._terminal.paint(row).rstrip()
        blank = " " * self._left
        yield self._terminal.paint(
            [(f"{blank} {corner}{floor * (len(self._cells[0]) + 1)}", "dim")]
        )
        between = len(self._cells[0]) - len(str(self.first)) - len(str(self.last))
        ends = f"{self.first}{' ' * between}{self.last}" if between > 0 else self.first
        yield self._terminal.paint([(f"{blank}   {ends}", "dim")])
