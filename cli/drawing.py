"""The drawing of `log`: rails on the left, what a row says beside them."""

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from lineage.cli.names import decorations, short, title
from lineage.cli.tainted import sentence
from lineage.cli.terminal import Span, Terminal
from lineage.cli.text import ago, cut, one_line, sparkline, width
from lineage.graph import Chip, Row, headlines, trend
from lineage.turns import failed_gates
from lineage.wording import number, percent

if TYPE_CHECKING:
    from lineage.loop.reviews.standing import Decision, Reviews
    from lineage.registry import Registry
    from lineage.taints.marks import Marks

_WIDEST = 100  # columns; further apart, what belongs together is not seen as one
_METRICS = 4
GLYPHS = {"generation": "●", "model": "◆", "dataset": "○", "config": "□"}
_FAILED = "✗"
_GAP = 2


class Drawing:
    """Draws rows for one terminal."""

    def __init__(self, terminal: Terminal, registry: "Registry") -> None:
        self._terminal = terminal
        self._registry = registry

    @cached_property
    def _columns(self) -> int:
        return min(self._terminal.width, _WIDEST)

    def plain(self, rows: Iterable[Row]) -> Iterator[str]:
        """Rows below each other, a blank line between two."""
        for index, row in enumerate(rows):
            if index:
                yield ""
            first, *rest = self._lines(row, self._columns - _GAP)
            yield f"{self._terminal.paint([self._glyph(row)])} {first}"
            yield from (f"  {line}" for line in rest)

    def rails(self, rows: Iterable[Row], *, cut: bool = False) -> Iterator[str]:
        """Rows beside rails; where the rows are `cut` short, rails end in ~."""
        from renderdag import Ancestor, GraphRowRenderer

        if cut:
            rows = list(rows)
        shown = {row.entry.id for row in rows} if isinstance(rows, list) else None
        renderer = GraphRowRenderer().output().with_min_row_height(1)
        box = renderer.build_box_drawing()
        for row in rows:
            inside = [p for p in row.parents if shown is None or p in shown]
            parents = [Ancestor.parent(p) for p in inside]
            if row.parents and not inside:
                parents = [Ancestor.anonymous()]
            columns = self._columns - box.width(row.entry.id, parents)
            text = "\n".join(self._lines(row, columns))
            glyph = self._terminal.paint([self._glyph(row)])
            yield from box.next_row(row.entry.id, parents, glyph, text).splitlines()

    def _lines(self, row: Row, columns: int) -> Iterator[str]:
        """What a row says, in lines of at most so many columns."""
        for spans in (
            *self._head(row, columns),
            *self._taints(row),
            *self._message(row),
            *self._metrics(row, columns),
            *self._gates(row),
            *self._chips(row, columns),
        ):
            yield self._terminal.paint(fitted(spans, columns))

    def _head(self, row: Row, columns: int) -> Iterator[list[Span]]:
        entry = row.entry
        left: list[Span] = [
            (short(self._registry, entry.id), "id"),
            (" ", ""),
            *title(entry.commit, entry.generation),
            *decorations(self._registry, entry),
        ]
        right = f"{one_line(entry.author['name'])}, {ago(entry.time)}"
        gap = columns - sum(width(text) for text, _ in left) - width(right)
        if gap >= _GAP:
            yield [*left, (" " * gap, ""), (right, "dim")]
        else:
            yield from (left, [(right, "dim")])

    def _taints(self, row: Row) -> Iterator[list[Span]]:
        if found := self._marks.of(row.entry.id):
            yield sentence(self._registry, found)

    @cached_property
    def _marks(self) -> "Marks":
        from lineage.taints.marks import marks

        return marks(self._registry)

    def _message(self, row: Row) -> Iterator[list[Span]]:
        """The message's first line, unless it says no more than the title."""
        first = one_line(row.entry.message.strip().partition("\n")[0])
        if first not in ("", title(row.entry.commit, row.entry.generation)[0][0]):
            yield [(first, "")]

    def _metrics(self, row: Row, columns: int) -> Iterator[list[Span]]:
        """As many metrics as one line holds, telling ones first."""
        line: list[Span] = []
        for name in headlines(row.entry.metrics)[:_METRICS]:
            spans = self._metric(row, name)
            if line and sum(width(t) for t, _ in (*line, *spans)) + 2 > columns:
                break
            line += [("  ", ""), *spans] if line else spans
        if line:
            yield line

    def _metric(self, row: Row, name: str) -> list[Span]:
        values = trend(self._registry, row.entry.id, name)
        direction, style = row.entry.metrics[name].direction, ""
        if direction and len(values) > 1 and values[-1] != values[-2]:
            rose = values[-1] > values[-2]
            style = "good" if rose == (direction == "higher") else "bad"
        bars = f" {sparkline(values)}" if row.tip and len(values) > 1 else ""
        return [(f"{one_line(name)} ", "dim"), (number(values[-1]) + bars, style)]

    def _gates(self, row: Row) -> Iterator[list[Span]]:
        failed, verdict = failed_gates(row.entry.commit.gates), self._verdict(row)
        said = f"{verdict.past} by {one_line(verdict.by)}" if verdict else ""
        if verdict and verdict.note:
            said += f": {one_line(verdict.note)}"
        if failed:
            allowed = f", {said}" if verdict and verdict.verdict == "approve" else ""
            yield [(f"gate failed: {', '.join(failed)}", "bad"), (allowed, "")]
        elif verdict and verdict.verdict == "reject":
            yield [(said, "bad")]

    def _verdict(self, row: Row) -> "Decision | None":
        """What a person decided about a row, or about the data in it."""
        gates, branches = row.entry.commit.gates, row.entry.branches
        if not (failed_gates(gates) or any("@" in name for name in branches)):
            return None
        decided = self._reviews.decided
        ids = (row.entry.id, *row.entry.commit.ids("includes"))
        return next((decided[id_] for id_ in ids if id_ in decided), None)

    @cached_property
    def _reviews(self) -> "Reviews":
        from lineage.loop.reviews.standing import Reviews

        return Reviews.read(self._registry)

    def _glyph(self, row: Row) -> Span:
        verdict, commit = self._verdict(row), row.entry.commit
        passed = not failed_gates(commit.gates)
        if verdict:
            passed = verdict.verdict == "approve"
        return (GLYPHS[commit.kind], "") if passed else (_FAILED, "bad")

    def _chips(self, row: Row, columns: int) -> Iterator[list[Span]]:
        """What the row is made of, wrapped; names of the row's own are left out."""
        line: list[Span] = [("← ", "dim")]
        for index, chip in enumerate(row.chips):
            spans = self._chip(chip, row)
            joint: list[Span] = [(" · ", "dim")] if index else []
            used = sum(width(text) for text, _ in (*line, *joint, *spans))
            if index and used > columns:
                yield line
                line, joint = [("  ", "")], []
            line += [*joint, *spans]
        if row.chips:
            yield line

    def _chip(self, chip: Chip, row: Row) -> list[Span]:
        """``mixed 0c326594``: a name without what it shares with the row's."""
        own = row.entry.commit.name
        name = "" if chip.name == own else chip.name.removeprefix(f"{own}-")
        label = name if name and chip.kind == "dataset" else f"{chip.kind} {name}"
        more = f" +{chip.more}" if chip.more else ""
        came = "" if chip.share is None else f" {percent(chip.share)}"
        return [
            (f"{one_line(label)} ", ""),
            (short(self._registry, chip.id), "id"),
            (more + came, ""),
            *((f" live: {one_line(w)}", "good") for w in self._live.get(chip.id, ())),
        ]

    @cached_property
    def _live(self) -> dict[str, tuple[str, ...]]:
        from lineage.releases import live_in

        return live_in(self._registry)


def fitted(spans: list[Span], columns: int) -> list[Span]:
    """`spans` cut to so many columns."""
    kept: list[Span] = []
    for text, style in spans:
        fitting = cut(text, columns)
        kept.append((fitting, style))
        columns -= width(fitting)
        if fitting != text:
            break
    return kept
