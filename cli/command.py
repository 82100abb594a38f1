"""What all commands share: help, exit codes, formats, the app in hand."""

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import click

from lineage.cli.terminal import Terminal

if TYPE_CHECKING:
    from lineage.opening import OpenRegistry
    from lineage.store.objects import Event

EXITS = {
    0: "done",
    1: "failed: a file, a disk, a remote",
    2: "a bad option, name, number or spec",
    3: "verification or a gate failed",
    4: "not allowed",
    5: "no such revision or registry, or several",
    10: "waiting for review",
    130: "interrupted",
}

_SETTINGS = {
    "index.url": "LINEAGE_INDEX_URL",
    "signing.key": "LINEAGE_SIGNING_KEY",
    "signing.runner-key": "LINEAGE_RUNNER_KEY",
}


class App:
    """What a command has in hand: the terminal and the registry around it."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.at: str | None = None
        self.url: str | None = None  # of a server, instead of the working directory

    @cached_property
    def registry(self) -> "OpenRegistry":
        """The registry that the working directory lies in, as of ``--at``.

        With ``-C URL`` the one that a server serves there.

        Raises:
            NotFound: when there is none.
        """
        import lineage

        given = {k: v for k, name in _SETTINGS.items() if (v := os.environ.get(name))}
        if self.url:
            registry = self._connected(self.url, given)
        else:
            registry = lineage.open(".", at=self.at, settings=given)
        click.get_current_context().find_root().call_on_close(registry.close)
        if registry.events_log.at:
            event = registry.events_log.event(registry.events_log.at)
            self.terminal.say("as of event ", (event.id[:8], "id"), f", {utc(event)}")
        return registry

    def _connected(self, url: str, given: Mapping[str, str]) -> "OpenRegistry":
        """The registry behind a server; git says how far it is with its history."""
        import lineage

        token = os.environ.get("LINEAGE_TOKEN")
        with self.terminal.telling() as told:
            return lineage.connect(url, token, at=self.at, settings=given, told=told)


class _Count(click.IntRange):
    """How many: a number of any size, of which no more is taken than can be."""

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        return min(int(super().convert(value, param, ctx)), sys.maxsize)


COUNT = _Count(min=0)
ROWS = 20  # of a table, for people, unless they want more
pass_app = click.make_pass_decorator(App)


class _Helped(click.Command):
    """A command whose help ends with examples and its exit codes.

    `exits` are those that it has beside the `usual` ones, or what its codes mean.
    """

    usual: tuple[int, ...] = ()

    def __init__(
        self,
        *args: Any,
        examples: Mapping[str, str] | None = None,
        exits: Mapping[int, str] | Sequence[int] = (),
        **attributes: Any,
    ) -> None:
        super().__init__(*args, **attributes)
        self.examples = examples or {}
        meanings = exits if isinstance(exits, Mapping) else {}
        codes = sorted({*self.usual, *exits})
        self.exits = {code: meanings.get(code, EXITS[code]) for code in codes}

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_epilog(ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                for command, meaning in self.examples.items():
                    formatter.write_text(f"{command}")
                    with formatter.indentation():
                        formatter.write_text(meaning)
        if self.exits:
            with formatter.section("Exit codes"):
                formatter.write_dl([(str(c), what) for c, what in self.exits.items()])


class Command(_Helped):
    """A plain command, e.g. ``@click.command(cls=Command, examples={…})``."""

    usual = (0, 1, 2)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if any(not arg or arg.endswith("=") for arg in args):
            self._check_filled(ctx, args)
        return super().parse_args(ctx, args)

    def _check_filled(self, ctx: click.Context, args: list[str]) -> None:
        """Refuse what is empty: a variable of a script that is not set.

        Taken for no wish at all, or for the working folder, it would do another thing.

        Raises:
            UsageError: with the option or argument.
        """
        from lineage.errors import UsageError

        given, *_ = self.make_parser(ctx).parse_args(args=[*args])
        for param in self.get_params(ctx):
            value = given.get(param.name)
            values = value if isinstance(value, list | tuple) else [value]
            if "" in values and not _may_be_empty(param):
                hint = "give it a value" + ", or leave it out" * (not param.required)
                raise UsageError(f"{_called(param, ctx)} is empty", hint=hint)


def _may_be_empty(param: click.Parameter) -> bool:
    """Words of another command, and text that is empty unless somebody writes it."""
    return param.type is click.UNPROCESSED or param.default == ""


def _called(param: click.Parameter, ctx: click.Context) -> str:
    if isinstance(param, click.Option):
        return param.opts[-1]
    return param.make_metavar(ctx).strip("[].")


class Group(_Helped, click.Group):
    """A command with commands of its own."""

    command_class = Command


_LAST = re.compile(r"(?s)(?P<before>.*(?:[|&(,]|\.\.|\s~)\s*)?(?P<word>.*)")


def complete_revision(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[str]:
    """What the shell offers where a revision is due: HEAD, branches and tags.

    Inside an expression it completes the last word, which may be a function's too.
    """
    import lineage
    from lineage.errors import LineageError

    del ctx, param
    try:
        registry = lineage.open(".")
    except LineageError:
        return []
    with registry:
        log = registry.events_log
        names = ["HEAD", *log.names("heads"), *log.names("tags")]
    whole = [name for name in names if name.startswith(incomplete)]
    return whole or [*_completed(incomplete, names)]


def _completed(incomplete: str, names: Iterable[str]) -> Iterator[str]:
    from lineage.revset.functions import FUNCTIONS
    from lineage.revset.syntax import quoted

    found = _LAST.fullmatch(incomplete)
    assert found is not None
    before, word = found["before"] or "", found["word"]
    words = [*map(quoted, names), *(f"{name}(" for name in FUNCTIONS)]
    return (before + each for each in words if word and each.startswith(word))


def utc(event: "Event") -> str:
    """An event's time, to the minute, as ``--at`` takes it."""
    return f"{event.time[:10]} {event.time[11:16]} UTC"


def at_option(command: Callable[..., int | None]) -> Callable[..., int | None]:
    """The option ``--at``: the command sees the registry as it was."""

    def remember(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
        del param
        ctx.ensure_object(App).at = value

    return click.option(
        "--at",
        metavar="DATE|EVENT",
        expose_value=False,
        callback=remember,
        help="See the registry as it was at the end of a day, at a time, or after "
        "an event.",
    )(command)


def limit_option(command: Callable[..., int | None]) -> Callable[..., int | None]:
    """The option ``--limit``: how long the tables for people are."""
    return click.option(
        "--limit",
        type=COUNT,
        metavar="N",
        default=ROWS,
        show_default=True,
        help="At most N rows per table, for people.",
    )(command)


def format_option(
    *choices: str,
) -> Callable[[Callable[..., int | None]], Callable[..., int | None]]:
    """The option ``--format``, with those formats that the data has a shape for."""
    return click.option(
        "--format",
        "format_",
        type=click.Choice(["human", *choices]),
        default="human",
        show_default=True,
        help="How to print it; docs/json.md describes the JSON.",
    )
