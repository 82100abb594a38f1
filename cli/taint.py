"""`lineage taint`: say that a commit, or some of its records, is bad."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lineage.cli.command import (
    App,
    Command,
    at_option,
    complete_revision,
    format_option,
    pass_app,
)
from lineage.cli.names import copied, short
from lineage.cli.taint_list import look_for_records, show_taints
from lineage.cli.text import one_line
from lineage.errors import Ambiguous, LineageError, NotFound, UsageError
from lineage.wording import plural

if TYPE_CHECKING:
    from lineage.registry import Registry
    from lineage.taints import Taint


@click.command(
    cls=Command,
    short_help="Say that a commit is bad, and see what it reached.",
    examples={
        "lineage taint dataset/chats --reason 'consent withdrawn'": "a commit",
        "lineage taint 3fa9 --record 17 --reason 'a private address'": "one record",
        "lineage taint 3fa9 --records bad.txt --reason …": "those of a file: a number, "
        "an id or a text on each line",
        "lineage taint": "list the taints",
        "lineage taint --lift dataset/chats --reason 'it was another one'": "it is "
        "not so, or no more",
    },
    exits=[4, 5],
)
@click.argument("revision", metavar="[REV]", required=False,
                shell_complete=complete_revision)  # fmt: skip
@click.option("--reason", metavar="WHY", help="Why; it stays on record.")
@click.option("--record", "numbers", multiple=True, metavar="N|ID|TEXT",
              help="Only this record of the dataset.")  # fmt: skip
@click.option("--records", "file", type=Path, metavar="FILE",
              help="Only the records of this file, one on a line.")  # fmt: skip
@click.option("--lift", metavar="REV|EVENT", help="Lift a taint; it stays on record.",
              shell_complete=complete_revision)  # fmt: skip
@at_option
@format_option("json", "jsonl", "csv", "md")
@pass_app
def taint(
    app: App,
    /,
    *,
    revision: str | None,
    reason: str | None,
    numbers: tuple[str, ...],
    file: Path | None,
    lift: str | None,
    format_: str,
) -> None:
    """Say that the commit REV, or some of its records, is bad; or list what is.

    The commit stays as it is: an event says it, in your name. From then on `log`,
    `show`, `diff`, `trace`, `impact` and `status --tainted` say it of everything that
    came of REV, and whoever gets, names or builds on these is told; `tainted()` is a
    revset of them. Prints the event's id.
    """
    if (revision is None) == (lift is None) and (revision or reason or numbers or file):
        hint = (
            "lineage taint REV --reason WHY, or lineage taint --lift REV --reason WHY"
        )
        raise UsageError("one commit is tainted, or one taint is lifted", hint=hint)
    if revision is None and lift is None:
        show_taints(app, format_)
        return
    if not reason:
        raise UsageError(
            "a taint, and what lifts it, has a reason", hint="--reason WHY"
        )
    if lift is not None:
        _lift(app, lift, reason)
    else:
        _taint(app, str(revision), reason, [*numbers], file)


def _taint(
    app: App, revision: str, reason: str, names: list[str], file: Path | None
) -> None:
    from lineage.taints import taint as say

    registry = app.registry
    id_ = registry.resolve(revision)
    if file:
        names += _lines(file)
    records = None
    if names or file:
        from lineage.taints.chosen import identities

        with app.terminal.progress("finding the records") as progress:
            records = identities(registry, id_, names, progress)
    event = say(registry, id_, reason, records)
    if records is not None:
        look_for_records(app)
    app.terminal.write([event])
    what = f"{registry.load(id_).kind} {one_line(registry.load(id_).name)}"
    some = "" if records is None else f"{plural(len(records), 'record')} of "
    app.terminal.say(f"tainted {some}{what} ", (short(registry, id_), "id"))
    _tell_reach(app, event)
    if records is None:
        _tell_copies(app, event, id_)


def _tell_copies(app: App, event: str, id_: str) -> None:
    """A copy is as bad, and nothing leads there."""
    from lineage.taints.copies import untainted_copies

    if found := untainted_copies(app.registry, event, id_):
        app.terminal.note(f"{copied(app.registry, found)}: taint these as well")


def _lines(file: Path) -> list[str]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"{file} cannot be read: {why}") from None
    return [line for line in text.splitlines() if line]


def _tell_reach(app: App, event: str) -> None:
    from lineage.taints import of_event
    from lineage.taints.marks import marks

    registry = app.registry
    count = marks(registry).counts()[event]
    told = f"it reached {plural(count, 'commit')}" if count else "nothing came of it"
    app.terminal.say(told)
    if not count:
        _tell_parts(app, of_event(registry, event).subject)


def _tell_parts(app: App, id_: str) -> None:
    """A generation is made of commits, of which others come."""
    parts = app.registry.load(id_).ids("includes")
    if parts:
        named = ", ".join(
            f"{app.registry.load(part).kind} {short(app.registry, part)}"
            for part in parts
        )
        note = f"what comes of a generation comes of its parts: {named}"
        app.terminal.note(note)


def _lift(app: App, name: str, reason: str) -> None:
    from lineage.taints import lift

    registry = app.registry
    one = _meant(registry, name)
    app.terminal.write([lift(registry, one, reason)])
    commit = registry.load(one.subject)
    app.terminal.say(
        f"lifted from {commit.kind} {one_line(commit.name)} ",
        (short(registry, one.subject), "id"),
        f": {one_line(one.reason)}",
    )


def _meant(registry: "Registry", name: str) -> "Taint":
    """The taint that a revision or an event means.

    Raises:
        NotFound: when there is none.
        Ambiguous: when the commit has several.
    """
    from lineage.taints import of_event, standing

    try:
        return of_event(registry, name)
    except LineageError:
        id_ = registry.resolve(name)
    found = [one for one in standing(registry) if one.subject == id_]
    if not found:
        message = f"no taint of {name} stands"
        raise NotFound(message, hint="`lineage taint` lists the taints")
    if len(found) > 1:
        lines = [f"{one.event[:12]} ({one_line(one.reason)})" for one in found]
        raise Ambiguous(f"{name} has {len(found)} taints: name the event", lines)
    return found[0]
