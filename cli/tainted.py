"""Words for what is tainted: the same wherever a commit is shown."""

from typing import TYPE_CHECKING, Any

from lineage.cli.names import short
from lineage.cli.terminal import Span, Terminal
from lineage.cli.text import one_line
from lineage.errors import StoreError
from lineage.wording import plural

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from lineage.cli.command import App
    from lineage.registry import Registry
    from lineage.taints.marks import Mark

_SHOWN = 20  # taints that are new


def warn(app: "App", id_: str) -> None:
    """Say it where a taint reached a commit: whoever makes use of it may not know."""
    if marks := found(app, id_):
        app.terminal.say(*sentence(app.registry, marks))


def found(app: "App", id_: str) -> "Sequence[Mark]":
    """The taints that reached a commit, the newest last.

    An index that cannot be asked is said, and keeps nobody from what they do.
    """
    from lineage.taints import standing

    if not standing(app.registry):
        return ()
    from lineage.taints.marks import marks

    try:
        return marks(app.registry).of(id_)
    except StoreError as error:
        app.terminal.note(f"whether it is tainted could not be found out: {error}")
        return ()


def say_new(
    terminal: Terminal, registry: "Registry", before: "Collection[str]" = ()
) -> None:
    """Say which taints stand, but those of the events `before`."""
    from lineage.taints import standing

    say = terminal.say
    new = [one for one in standing(registry) if one.event not in before]
    for one in new[-_SHOWN:]:
        commit = registry.load(one.subject)
        named = f"{commit.kind} {one_line(commit.name)} {short(registry, one.subject)}"
        some = f"{plural(len(one.records), 'record')} of " if one.records else ""
        say(("! tainted", "bad"), f": {some}{named}: {one_line(one.reason)}")
    if new:
        say(
            ("  lineage status --tainted", "hint"),
            (" has the names they reached", "dim"),
        )


def sentence(registry: "Registry", marks: "Sequence[Mark]") -> list[Span]:
    """The newest of some taints in a line, and how many more there are."""
    newest = marks[-1]
    reason = one_line(newest.taint.reason)
    more = f" (and {len(marks) - 1:,} more)" if len(marks) > 1 else ""
    return [(f"! {_what(registry, newest)}", "bad"), (f": {reason}{more}", "")]


def _what(registry: "Registry", mark: "Mark") -> str:
    records = mark.taint.records
    if mark.itself:
        count = plural(len(records), "record") if records else ""
        return f"{count} tainted" if records else "tainted"
    subject = mark.taint.subject
    commit = registry.load(subject)
    named = f"{commit.kind} {one_line(commit.name)} {short(registry, subject)}"
    some = f"records of {named}" if records else named
    return f"{'perhaps ' if mark.perhaps else ''}tainted by {some}"


def why(id_: str, one: "Mapping[str, Any]") -> str:
    """Why the commit `id_` is tainted, from its taint as JSON has it."""
    perhaps = "perhaps, " if one["perhaps"] else ""
    by = "" if one["subject"] == id_ else f" (by {one['subject'][:8]})"
    some = _counted(one["records"]) if one["records"] else ""
    return f"{perhaps}{some}{one_line(one['reason'])}{by}"


def _counted(seen: "Mapping[str, int | None]") -> str:
    """How many records are tainted, of how many: ``3 of 800 records: ``."""
    low, high, of = seen["low"], seen["high"], seen["of"]
    if not low or of is None:
        return ""
    some = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    return f"{some} of {of:,} records: "
