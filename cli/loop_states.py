"""How a loop stands, in words and in a table: what `loop status` shows."""

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lineage.cli.command import App
from lineage.cli.names import short
from lineage.cli.render import Column, table
from lineage.cli.terminal import Span
from lineage.cli.text import lasted, one_line
from lineage.wording import plural

if TYPE_CHECKING:
    from lineage.loop.running.overview import LoopState

_MEASURES = 3  # columns of `status`, beside what was kept
_STYLES = {"running": "good", "waiting": "hint", "stopped": "bad", "failed": "bad"}


def lines(app: App, states: "list[LoopState]") -> Iterator[str]:
    """Every loop on a few lines."""
    for index, state in enumerate(states):
        if index:
            yield ""
        yield app.terminal.paint(_head(state))
        yield from filled(app, one_line(state.why), "  ")
        yield from _budgets(app, state)
        yield from _generations(app, state)
        yield from _reviewed(app, state)
        yield from (f"  next: {command}" for command in _next(app, state))


def _budgets(app: App, state: "LoopState") -> Iterator[str]:
    """What is spent since the last approval, and who let the loop go past what."""
    from lineage.loop.running.budgets import UNITS

    for name, each in state.budgets.items():
        yield f"  {each['spent']:.12g} of {each['limit']:.12g} {UNITS[name]}"
    for over in state.overrides:
        past = ", ".join(over.budgets) or "a gate"
        said = f"{over.by} let {short(app.registry, over.subject)} pass {past}: "
        yield from filled(app, said + one_line(over.note), "  ")


def _reviewed(app: App, state: "LoopState") -> Iterator[str]:
    """How much people looked at, and what their labels say, where they did."""
    found = state.coverage
    if found and (found.reviewed or found.labelled):
        took = found.mean_seconds
        yield (
            f"  people: {found.reviewed} of {plural(found.generations, 'generation')} "
            f"reviewed; of {plural(found.generated, 'record')} {found.shown:,} shown, "
            f"{found.labelled:,} labelled" + (f"; {lasted(took)} each" if took else "")
        )
    if state.audit and state.audit.audit.state != "unknown":
        made = state.audit.audit
        style = {"safe": "good", "unsure": "hint"}.get(made.state, "bad")
        head: list[Span] = [("  filter: ", ""), (made.state, style)]
        yield app.terminal.paint(head)
        yield from filled(app, made.sentence, "    ")


def _head(state: "LoopState") -> list[Span]:
    reached = len(state.generations) - 1
    at = f"generation {reached}" if state.generations else "nothing recorded yet"
    spans: list[Span] = [(state.branch, "branch"), (f"  {at}, ", "")]
    spans.append((state.state, _STYLES.get(state.state, "")))
    return spans


def _generations(app: App, state: "LoopState") -> Iterator[str]:
    from lineage.cli.progress import telling

    if not state.generations:
        return
    newest = max(state.generations, key=lambda reached: len(reached.metrics))
    names = telling(newest.metrics, _MEASURES)
    yield from table(
        app.terminal,
        [
            {"number": r.number, "id": r.id, "metrics": r.metrics}
            for r in state.generations
        ],
        [
            Column("generation", lambda r: str(r["number"]), right=True),
            Column("commit", lambda r: (short(app.registry, r["id"]), "id")),
            *(_column(name) for name in names),
        ],
        indent=2,
    )


def _column(name: str) -> Column:
    from lineage.cli.progress import measured

    return Column(name, lambda r: measured(r["metrics"], name), right=True)


def _next(app: App, state: "LoopState") -> list[str]:
    """What could be typed to get a loop going."""
    from lineage.loop.running.overview import stopped_try

    if state.state == "waiting":
        return [f"lineage review show {state.name}"]
    if state.state == "stopped":
        return [f"lineage show {stopped_try(app.registry, state.name)}"]
    if state.state in ("failed", "unfinished"):  # where its file is, nobody noted
        return ["lineage loop run FILE"]
    return []


def filled(app: App, text: str, indent: str) -> list[str]:
    """A sentence on as many indented lines as it takes; on one where nobody looks."""
    if not text or app.terminal.limit is None:
        return [indent + text] if text else []
    return textwrap.wrap(
        text, app.terminal.limit, initial_indent=indent, subsequent_indent=indent
    )
