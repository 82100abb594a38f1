"""The command `lineage`: its commands, global options, and the one error boundary.

A command returns its exit code (None: 0) or raises; only here does an error become
a sentence on stderr and an exit code. To add the command `x`, write `cli/x.py` with
a function `x` and give it a place and its sentence in `SECTIONS`: its module is
imported when somebody asks for it, because each would cost every start some time.
"""

import contextlib
import gc
import io
import os
import re
import sys
from importlib import import_module
from keyword import iskeyword
from pathlib import Path
from typing import Any, NoReturn

import click

from lineage.cli.command import EXITS, App
from lineage.cli.terminal import ReaderGone, Terminal
from lineage.errors import LineageError, UsageError

SECTIONS = {
    "Record": {
        "init": "Make a folder a registry.",
        "commit": "Record an artifact and what it came from.",
        "run": "Run a command and record what it read and left.",
        "attest": "Say later what was measured, stated or released.",
        "taint": "Say that a commit is bad, and see what it reached.",
        "status": "Show committed files that have changed since.",
    },
    "Look": {
        "log": "Show what came from what, newest first.",
        "show": "Show one commit and what was said about it.",
        "diff": "Show what changed between two commits.",
        "events": "Show who changed the registry, when and why.",
        "merge-base": "Show the newest commits that two both came from.",
        "bisect": "Find the first commit where something broke.",
        "report": "Report what is recorded of a commit, and what is not.",
    },
    "Trace": {
        "trace": "Show what a commit is made of.",
        "blame": "Show where a record of a dataset comes from.",
        "impact": "Show what a commit reached, and with what dose.",
    },
    "Name": {
        "branch": "List, make, move, rename or delete branches.",
        "tag": "List, make or delete tags.",
        "undo": "Take back what moved a branch or a tag.",
        "redo": "Bring back what undo took.",
    },
    "Share": {
        "remote": "Say where the registry is shared.",
        "push": "Give a remote what it lacks.",
        "fetch": "Bring what a remote has, verified, beside ours.",
        "pull": "Fetch what a remote has and make it ours.",
        "clone": "Make a registry from a remote.",
        "import": "Record what another system knows.",
        "serve": "Serve the registry to programs and people over HTTP.",
        "emit": "Send what was recorded as OpenLineage events.",
        "token": "Make, list and revoke the tokens that `lineage serve` asks for.",
        "webhook": "Have `lineage serve` tell addresses of events.",
    },
    "Bytes": {
        "get": "Give the files of a commit back, verified.",
        "verify": "Check that everything is as it was recorded.",
        "pack": "Store what is cold as differences.",
        "unpack": "Make packed files plain again, for DVC.",
        "gc": "Free bytes that nothing needs.",
        "erase": "Erase the bytes of a commit for good.",
        "index": "Look at the index, or make it anew.",
    },
    "Trust": {
        "check": "Hold what matters to a policy, for CI and hooks.",
        "key": "Make, add, list and revoke the keys that sign events.",
        "timestamp": "Have an authority say when the log was there.",
    },
    "Loop": {
        "loop": "Run loops: generate, check, mix, train, evaluate, again.",
        "review": "Look at what a loop made, and let it go on or not.",
        "demo": "Watch the whole story: loops, a bad dataset, and what it takes.",
    },
    "The rest": {
        "config": "List, get and set what this clone is told once.",
    },
}

# work on a registry's own folder, on its bytes, or on this machine
_AT_HOME = {"clone", "demo", "erase", "fetch", "gc", "index", "init"}
_AT_HOME |= {"pack", "pull", "push", "remote", "serve", "status", "token", "unpack"}
_AT_HOME |= {"webhook"}
_OBJECTS = 20_000  # so many more before Python looks for cycles
_UNREAD = click.Command(None)
_INTERRUPTED = 130
_STDERR = 2
_READER_GONE = 141  # what a shell reports of a program that SIGPIPE ended


class _Commands(dict[str, click.Command]):
    """All commands by name, each imported when it is first asked for."""

    def get(self, name: str, default: Any = None) -> Any:
        if name not in self:
            return default
        if self[name] is _UNREAD:
            module = name.replace("-", "_") + "_" * iskeyword(name)
            self[name] = getattr(import_module(f"lineage.cli.{module}"), module)
        return self[name]


class _Main(click.Group):
    """The group of all commands; help lists them in sections, as git does."""

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        formatter: click.HelpFormatter,
    ) -> None:
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(list(commands.items()))

    def format_epilog(
        self,
        ctx: click.Context,  # noqa: ARG002
        formatter: click.HelpFormatter,
    ) -> None:
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), what) for code, what in EXITS.items()])
        formatter.write_paragraph()
        formatter.write_text("`lineage COMMAND --help` has examples.")
        formatter.write_text("Pages such as docs/loop.md come with lineage's source.")


class _Place(click.Path):
    """A folder, or the address of a server as text."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if re.match(r"https?://", str(value)):
            return str(value)
        return super().convert(value, param, ctx)


def _check_remote(command: str) -> None:
    """Refuse what only makes sense where the registry itself lies.

    Raises:
        UsageError: with what does it there.
    """
    if command in _AT_HOME:
        hint = f"run `lineage {command}` where the registry lies, with -C DIR"
        message = f"`lineage {command}` does not work on a server's registry"
        raise UsageError(message, hint=hint)


@click.group(cls=_Main, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-C",
    "place",
    metavar="DIR|URL",
    type=_Place(exists=True, file_okay=False, path_type=Path),
    help="Work as if started in DIR, or on the registry served at URL.",
)
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    envvar="LINEAGE_COLOR",
    help="Colours: on a terminal (auto, unless NO_COLOR is set), always or never.",
)
@click.option("--no-pager", is_flag=True, help="Do not pipe output into a pager.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing but data and errors.")
@click.option(
    "-v", "--verbose", is_flag=True, help="Say each step, and where an error came from."
)
@click.version_option(package_name="lineage-vcs", message="%(prog)s %(version)s")
@click.pass_context
def program(
    ctx: click.Context,
    place: Path | str | None,
    color: str,
    *,
    no_pager: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Version control for AI feedback loops.

    A model writes data, the data train a successor, the successor writes more
    data. Every model, dataset and config of such a loop is a commit here, and
    `lineage log` shows what came from what.
    """
    app = ctx.ensure_object(App)
    app.terminal.color = color
    app.terminal.paged = not no_pager
    app.terminal.quiet = quiet
    app.terminal.verbose = verbose
    if isinstance(place, str):
        _check_remote(ctx.invoked_subcommand or "")
        app.url = place
    elif place:
        ctx.with_resource(contextlib.chdir(place))


program.commands = _Commands(
    (name, _UNREAD) for commands in SECTIONS.values() for name in commands
)


def main() -> NoReturn:
    """Run the command line that this process was started with, and exit."""
    _speak_utf8()
    _fill_streams()
    gc.set_threshold(_OBJECTS)  # 700 is looked for fifty times while we start
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="surrogateescape")
    code = _run(Terminal())
    gc.freeze()  # a process that ends has nothing to tidy
    sys.exit(code)


def _speak_utf8() -> None:
    """Begin again where Python takes names of files for another encoding's.

    Names are UTF-8 here, as they are for git, whatever the locale says.
    """
    if sys.getfilesystemencoding() != "utf-8" and os.environ.get("PYTHONUTF8") != "1":
        os.environ["PYTHONUTF8"] = "1"
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - our own words


def _fill_streams() -> None:
    """What the caller closed leads nowhere, and no file of ours takes its place."""
    while (spare := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        pass
    os.close(spare)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(_STDERR, "w", closefd=False)


def _run(terminal: Terminal) -> int:
    """One command from words to exit code: the error boundary."""
    try:
        code = program.main(
            prog_name="lineage", standalone_mode=False, obj=App(terminal)
        )
        sys.stdout.flush()
    except LineageError as error:
        _trace(terminal)
        terminal.complain(str(error), error.hint, error.details, error.place)
        code = error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        code = error.exit_code
    except click.UsageError as error:
        terminal.complain(*_usage(error))
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _INTERRUPTED
    except ReaderGone:
        _silence()
        return _READER_GONE
    except OSError as error:
        _trace(terminal)
        where = f": {os.fsdecode(error.filename)}" if error.filename else ""
        terminal.complain(f"{error.strerror or error}{where}")
        _silence()
        code = 1
    return code if isinstance(code, int) else 0


def _trace(terminal: Terminal) -> None:
    """With --verbose, show where the error being handled came from."""
    if terminal.verbose:
        import traceback

        traceback.print_exc()


_NUMBERS = {
    r"is not a valid integer( range)?\.$": "is no whole number",
    r"is not a valid float( range)?\.$": "is no number",
    r"is not in the range x>=(\S+)\.$": r"is less than \1",
    r"is not in the range (\S+)<=x<=(\S+)\.$": r"is not from \1 to \2",
}


def _usage(error: click.UsageError) -> tuple[str, str]:
    """What click found wrong, as a sentence and a hint of ours."""
    near = getattr(error, "possibilities", None)
    if near:
        return _sentence(error.message), f"did you mean {' or '.join(sorted(near))}?"
    path = error.ctx.command_path if error.ctx else "lineage"
    return _sentence(error.format_message()), f"see `{path} --help`"


def _sentence(text: str) -> str:
    """A sentence of click's in our words: its names of types are a programmer's."""
    for words, ours in _NUMBERS.items():
        text = re.sub(words, ours, text)
    return f"{text[:1].lower()}{text[1:]}".rstrip(".")


def _silence() -> None:
    """Let nothing be written to a stdout that cannot take it, not even at exit."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
