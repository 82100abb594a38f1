"""What push, fetch, pull and clone say of what they did."""

import shlex
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from lineage.cli.terminal import Span, Terminal
from lineage.errors import UsageError
from lineage.store.views import WHAT
from lineage.wording import plural, size

if TYPE_CHECKING:
    from lineage.sharing.fetch import Fetched
    from lineage.sharing.payloads import Choice
    from lineage.sharing.pull import Pulled
    from lineage.sharing.remotes import Remote
    from lineage.store.objects import RefChange
    from lineage.transfer.moving import Moved

_SHOWN = 20  # names that moved
BRINGING = {  # exit codes of fetch and pull
    1: "the remote failed",
    2: "a bad option, or several remotes",
    3: "something at the remote is not what it says",
    4: "the remote is another registry",
    5: "no such remote, or no registry there",
}

remote_argument = click.argument("remote", required=False, metavar="[REMOTE]")


def moved_words(moved: "Moved | None") -> list[str]:
    """How many files travelled, if any did, and in how many packs."""
    if not moved or not moved.objects:
        return []
    files = f"{plural(moved.objects, 'file')} ({size(moved.bytes)})"
    if not moved.packs:
        return [files]
    return [f"{files} in {plural(moved.packs, 'pack')} ({size(moved.pack_bytes)})"]


def choice_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which files come along."""
    options = (
        click.option("--no-payloads", is_flag=True, help="Bring no files."),
        click.option("--all-payloads", is_flag=True, help="Bring all commits' files."),
        click.option("--only", metavar="REVSET", help="Bring the files of these."),
        click.option(
            "--since", metavar="DATE", help="Bring the files of commits since then."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def choice_of(
    *, no_payloads: bool, all_payloads: bool, only: str | None, since: str | None
) -> "Choice":
    """What the options mean.

    Raises:
        UsageError: when they exclude each other.
    """
    from lineage.sharing.payloads import Choice

    if no_payloads + all_payloads + bool(only or since) > 1:
        hint = "--only and --since go together, the others stand alone"
        raise UsageError("these options say different things", hint=hint)
    return Choice(all_payloads, no_payloads, only, since)


def say_files(terminal: Terminal, moved: "Moved | None") -> None:
    """Which files came, or why none did."""
    if moved is None:
        terminal.say("  no DVC remote is configured: files stay where they are")
        terminal.say(
            ("  make one with ", "dim"), ("dvc remote add -d NAME URL", "hint")
        )
    for words in moved_words(moved):
        terminal.say("  ", words)
    if moved and moved.packs:
        terminal.say(
            ("  they stay packed; ", "dim"),
            ("lineage unpack", "hint"),
            (" makes them plain", "dim"),
        )


def say_brought(terminal: Terminal, fetched: "Fetched") -> None:
    """How much came."""
    counts = f"{plural(fetched.events, 'event')}, {plural(fetched.commits, 'commit')}"
    terminal.say((fetched.remote.name, "title"), f": {counts}, verified")


def say_moves(terminal: Terminal, pulled: "Pulled") -> None:
    """Which names moved, and what is to be decided."""
    changes = [move.change() for move in pulled.merged.moves]
    for change in changes[:_SHOWN]:
        terminal.say("  ", *_moved(change))
    if len(changes) > _SHOWN:
        terminal.say(f"  and {len(changes) - _SHOWN} more: see `lineage events -n 1`")
    for name, other in pulled.merged.renamed.items():
        terminal.say(*_renamed(name, other, pulled.fetched.remote))
    for name, other in pulled.merged.doubled.items():
        for spans in _doubled(name, other):
            terminal.say(*spans)


def _moved(change: "RefChange") -> Iterator[Span]:
    space, _, name = change.ref.partition("/")
    yield from ((f"{WHAT[space]} ", "dim"), (name, _STYLE.get(space, "")))
    before, after = change.before, change.after
    if before and after:
        yield from ((f"  {before[:8]}", "id"), (" → ", "dim"), (after[:8], "id"))
    elif after:
        yield from (("  new, ", "dim"), (after[:8], "id"))
    elif before:
        yield from (("  gone, was ", "dim"), (before[:8], "id"))


_STYLE = {"heads": "branch", "tags": "tag"}


def _renamed(name: str, other: str, remote: "Remote") -> Iterator[Span]:
    yield from (("the tag ", ""), (name, "tag"))
    yield from ((f" of {remote.name} names another commit; yours is now ", ""),)
    yield (other, "tag")


def _doubled(name: str, other: str) -> Iterator[list[Span]]:
    yield [
        ("both sides moved ", ""),
        (name, "branch"),
        ("; yours keeps the name, theirs is ", ""),
        (other, "branch"),
    ]
    take = shlex.join(["lineage", "branch", "-f", name, other])
    drop = shlex.join(["lineage", "branch", "-d", other])
    yield [("  take theirs: ", "dim"), (f"{take}; {drop}", "hint")]
    yield [("  keep yours:  ", "dim"), (drop, "hint")]
