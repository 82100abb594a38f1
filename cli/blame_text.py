"""What people are told of a record: its way, and who and what made it."""

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from lineage.cli.names import short
from lineage.cli.render import Column, Record, Section, escaped, markdown_sections
from lineage.cli.render import sections as drawn
from lineage.cli.text import cut, inline, one_line
from lineage.wording import spaced

if TYPE_CHECKING:
    from lineage.blame import Blame, Place, Prompt, Step, Writer
    from lineage.cli.command import App
    from lineage.registry import Registry

_SAME = {"": "", "bytes": "same bytes", "identity": "same values", "by name": ""}
_ROW = 3  # texts of a record without a `text`: a row of a table, shown as one
_NAMED = 5  # models trained on it; JSON has all
_BRIEF = 50  # characters of a prompt, and of the names of what differs
_WIDTH = 80  # where nobody says how wide the terminal is
_SAMPLE = "text"  # the fact that is an excerpt


def human(app: "App", found: "Blame") -> Iterator[str]:
    """The answer on one screen."""
    terminal, width = app.terminal, app.terminal.limit or _WIDTH
    yield terminal.paint([(_title(app.registry, found), "title")])
    yield cut(f"    {_text(found)}", width).rstrip()
    yield from drawn(terminal, [_passed(app.registry, found)])
    facts = list(_facts(app.registry, found))
    margin = max((len(name) for name, _ in facts), default=0) + 2
    yield from [""] if facts else []
    for name, value in facts:
        room = width - margin
        lines = textwrap.wrap(one_line(value), room, break_on_hyphens=False)
        shown = [cut(one_line(value), room)] if name == _SAMPLE else lines
        yield terminal.paint([(name.ljust(margin), "dim"), (shown[0], "")])
        yield from (" " * margin + line for line in shown[1:])


def markdown(registry: "Registry", found: "Blame") -> Iterator[str]:
    """The same as a page."""
    yield f"# {escaped(_title(registry, found))}"
    yield from ("", f"> {escaped(_text(found))}")
    yield from markdown_sections([_passed(registry, found)])
    yield ""
    for name, value in _facts(registry, found):
        yield f"- {name}: {escaped(one_line(value))}"


def _title(registry: "Registry", found: "Blame") -> str:
    name = found.data.get("id")
    label = f", {one_line(name)}" if isinstance(name, str) else ""
    return f"record {found.number:,} of {_called(registry, found.dataset)}{label}"


def _called(registry: "Registry", id_: str) -> str:
    """A commit by its name and short id."""
    if id_ not in registry.ids:
        return f"{id_[:8]}, which is not here"
    return f"{one_line(registry.load(id_).name)} {short(registry, id_)}"


def _text(found: "Blame | Prompt") -> str:
    from lineage.blame import Blame
    from lineage.blame.finding import headline
    from lineage.records.values import texts

    data = (found.data if isinstance(found, Blame) else found.record) or {}
    if isinstance(data.get("text"), str) or len(list(texts(data))) < _ROW:
        return one_line(headline(data))
    return one_line(", ".join(f"{name} {value}" for name, value in data.items()))


def _passed(registry: "Registry", found: "Blame") -> Section:
    rows = [
        {
            "short": short(registry, step.dataset),
            "name": registry.load(step.dataset).name,
            "where": _where(step),
            "how": _how(step, last=step is found.steps[-1]),
        }
        for step in found.steps
    ]
    return Section("passed through", rows, _STEPS)


def _where(step: "Step") -> str:
    if step.place is None:
        return "its bytes are not here"
    return _at(step.place)


def _how(step: "Step", *, last: bool) -> str:
    """How it is the same record as in the dataset before."""
    how = _SAME.get(step.same, f"changed: {', '.join(step.fields)}")
    first = "first here" if last and step.place else ""
    return cut(", ".join(filter(None, (how, first))), _BRIEF)


_STEPS = (
    Column("commit", lambda r: (r["short"], "id")),
    Column("dataset", lambda r: r["name"], flexible=True),
    Column("where", lambda r: r["where"]),
    Column("", lambda r: (r["how"], "dim"), flexible=True),
)


def _facts(registry: "Registry", found: "Blame") -> Iterator[tuple[str, str]]:
    """What is known of its making, under a name each."""
    for each in found.writers:
        yield _written(registry, found, each)
    if found.prompt:
        yield from _prompt(registry, found.prompt)
    for name in ("seed", "reward", "edited_by"):
        if name in found.data:
            yield spaced(name), inline(found.data[name])
    if found.settings:
        yield "settings", _listed(found.settings)
    if found.config:
        yield "config", _called(registry, found.config)
    yield from _around(registry, found)


def _around(registry: "Registry", found: "Blame") -> Iterator[tuple[str, str]]:
    """Who chose it, what is stated of where it is from, whom it trained; taints."""
    for chooser in found.choosers:
        yield spaced(chooser.role), _called(registry, chooser.id)
    if found.origin:
        yield "origin", _listed({str(found.origin["type"]): None, **found.origin})
    elif not found.writers:
        yield "origin", "not stated"
    if found.trained:
        models = [_called(registry, id_) for id_ in found.trained[:_NAMED]]
        more = len(found.trained) - len(models)
        yield "trained", ", ".join(models) + (f" and {more:,} more" if more else "")
    for taint in found.tainted:
        yield "tainted", f"{_called(registry, taint.subject)}: {taint.reason}"


def _written(registry: "Registry", found: "Blame", writer: "Writer") -> tuple[str, str]:
    """A model, and whether it is the one that the record names."""
    verb = "targets by" if writer.role == "distilled_from" else "written by"
    who = _called(registry, writer.id)
    if len(found.writers) > 1:
        who += ", or another of these"
    if writer.matches:
        return verb, f"{who}, whose files have the hash that the record names"
    if writer.matches is False:
        return verb, f"{who}, but the record names other files: {found.generator[:12]}"
    return verb, who


def _prompt(registry: "Registry", prompt: "Prompt") -> Iterator[tuple[str, str]]:
    yield "prompt", cut(repr(prompt.text), _BRIEF)
    if prompt.place:
        where = f"{_called(registry, prompt.place.dataset)}, {_at(prompt.place)}"
        yield "from", f"{prompt.source} of {where}"
        yield _SAMPLE, _text(prompt)
    elif prompt.source:
        yield "from", f"{prompt.source}, which is no record of the datasets above"


def _at(place: "Place") -> str:
    """``file:line``; where a file has no lines, which record it is."""
    mark = ":" if place.unit == "line" else " record "
    return f"{place.path}{mark}{place.line}"


def _listed(values: Record) -> str:
    """Names with their values; a name alone where it has none."""
    pairs = ((k, v) for k, v in values.items() if k != "type")
    return ", ".join(k if v is None else f"{k} {inline(v)}" for k, v in pairs)
