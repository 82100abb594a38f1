"""`lineage impact --plan`: what to make again, in order; nothing is made."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from lineage.cli.command import App
from lineage.cli.names import called, short
from lineage.cli.render import (
    Column,
    Section,
    escaped,
    markdown_sections,
    sections,
    write_as,
)
from lineage.shapes.plan import ANEW, commands, planned
from lineage.wording import plural

if TYPE_CHECKING:
    from lineage.descent.plan import Plan, Step
    from lineage.registry import Registry

_INPUTS = 3  # that are made again, of which the steps are named
_KEPT = 2  # inputs that are named; JSON has all


def show_plan(app: App, id_: str, limit: int | None, format_: str) -> None:
    """Print what to make again once the commit `id_` is replaced."""
    from lineage.descent.plan import plan

    found = plan(app.registry, id_, limit=limit)
    write_as(
        app.terminal,
        format_,
        data=lambda: planned(app.registry, found),
        lines=lambda: planned(app.registry, found)["steps"],
        markdown=lambda: _markdown(app, found),
        human=lambda: _human(app, found),
    )


def _human(app: App, found: "Plan") -> Iterator[str]:
    first, *rest = _words(app.registry, found)
    yield app.terminal.paint([(first, "title")])
    yield from rest
    yield from sections(app.terminal, _sections(app.registry, found))


def _markdown(app: App, found: "Plan") -> Iterator[str]:
    first, *rest = _words(app.registry, found)
    yield f"# {escaped(first)}"
    yield from ("", *map(escaped, rest))
    yield from markdown_sections(_sections(app.registry, found))


def _words(registry: "Registry", found: "Plan") -> Iterator[str]:
    what, id_ = called(registry, found.source), short(registry, found.source)
    if not found.count:
        yield f"nothing came of {what} {id_}"
        return
    count = plural(found.count, "commit")
    yield f"once {what} {id_} is replaced: {count} to make again"
    if found.loops:
        yield (
            "a loop whose data, spec or seed change is another loop, and with the same "
            f"it makes the same again: change what was wrong, and name it NAME{ANEW}"
        )


def _sections(registry: "Registry", found: "Plan") -> Iterator[Section]:
    def with_id(id_: str | None) -> str:
        return f"{called(registry, id_)} {short(registry, id_)}" if id_ else ""

    if found.loops:
        loops = [
            {
                **loop._asdict(),
                "start": with_id(loop.clean) or "nothing",
                "spec": short(registry, loop.config) if loop.config else "",
                "run": "; ".join(commands(loop.branch, loop.clean)),
            }
            for loop in found.loops
        ]
        yield Section("loops to run again", loops, _LOOPS)
    rows = {step.id: n for n, step in enumerate(found.steps, start=1)}
    steps = [
        {
            "number": number,
            "short": short(registry, step.id),
            "what": called(registry, step.id),
            "again": _rows(step.again, rows),
            "kept": ", ".join(map(with_id, step.kept[:_KEPT]))
            + (f" +{len(step.kept) - _KEPT}" if len(step.kept) > _KEPT else ""),
            "config": ", ".join(short(registry, config) for config in step.configs),
            "by": _made_by(step, with_id(step.part_of)),
        }
        for number, step in enumerate(found.steps, start=1)
    ]
    if steps or found.count:
        yield Section("in this order", steps, _STEPS, found.count - len(steps))


def _rows(again: Sequence[str], rows: Mapping[str, int]) -> str:
    """The steps that a step takes from; what is replaced itself is none."""
    taken = sorted(rows[one] for one in again if one in rows)
    new = ["the new one"] * any(one not in rows for one in again)
    more = f" +{len(taken) - _INPUTS}" if len(taken) > _INPUTS else ""
    return ", ".join((*new, *(f"{row:,}" for row in taken[:_INPUTS]))) + more


def _made_by(step: "Step", owner: str) -> str:
    if step.kind == "generation":
        return "its loop"
    return owner or step.step or "by hand"


_LOOPS = (
    Column("branch", lambda r: (r["branch"], "branch"), flexible=True),
    Column("generations", lambda r: f"{r['generations']:,}", right=True),
    Column("after", lambda r: r["start"], flexible=True),
    Column("spec", lambda r: (r["spec"], "id")),
    Column("", lambda r: r["run"], below=True),
)
_STEPS = (
    Column("step", lambda r: f"{r['number']:,}", right=True),
    Column("commit", lambda r: (r["short"], "id")),
    Column("what", lambda r: r["what"], flexible=True),
    Column("from step", lambda r: r["again"]),
    Column("and", lambda r: r["kept"], flexible=True),
    Column("config", lambda r: (r["config"], "id")),
    Column("part of, or made by", lambda r: r["by"], flexible=True),
)
