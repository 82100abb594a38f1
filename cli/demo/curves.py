"""What a measure did along the generations of two strategies, over several seeds."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lineage.cli.render import Column, Record, table
from lineage.cli.terminal import Terminal
from lineage.wording import number

if TYPE_CHECKING:
    from lineage.loop.demo import Curve

_HEADINGS = {
    "perplexity": "perplexity on held-out human text: lower is better",
    "distinct_2": "distinct_2 of the data written for it: neither side is better",
}


def drawn(terminal: Terminal, curves: "Sequence[Curve]") -> Iterator[str]:
    """A table per measure, generations from left to right."""
    count = max(len(point) for curve in curves for point in curve.points)
    yield (
        f"Per generation: the mean of {count} seeds, the lowest and the highest below."
        if count > 1
        else "Per generation, from one seed."
    )
    titles = ["generation 0", *map(str, range(1, len(curves[0].points)))]
    columns = [Column("", lambda r: r["strategy"])]
    columns += (_column(title, at) for at, title in enumerate(titles))
    for measure, heading in _HEADINGS.items():
        yield ""
        yield terminal.paint([(heading, "title")])
        rows = [row for c in curves if c.measure == measure for row in _rows(c)]
        yield from table(terminal, rows, columns, indent=2)


def _column(title: str, at: int) -> Column:
    return Column(title, lambda r: (r["cells"][at], r["style"]), right=True)


def _rows(curve: "Curve") -> Iterator[Record]:
    """The means, and below them the lowest and the highest."""
    means = [
        number(sum(point) / len(point)) if point else "-" for point in curve.points
    ]
    yield {"strategy": curve.strategy, "cells": means, "style": ""}
    if any(len(point) > 1 for point in curve.points):
        ends = [f"{min(p):.3g}-{max(p):.3g}" if p else "" for p in curve.points]
        yield {"strategy": "", "cells": ends, "style": "dim"}


def summary(curves: "Sequence[Curve]") -> str:
    """What the perplexities say, whichever way they went."""
    rises = {
        curve.strategy: curve.means[-1] / curve.means[0]
        for curve in curves
        if curve.measure == "perplexity"
    }
    parts = (f"by {rise:.2f} with {name}" for name, rise in rises.items())
    told = f"Perplexity was multiplied {' and '.join(parts)}."
    if all(len(point) < 2 for curve in curves for point in curve.points):
        return f"{told} That is one seed, which shows how it works and no more."
    if 1 < rises["accumulate"] < rises["replace"]:
        return f"{told} Keeping all data slows the drift; it does not end it."
    return told
