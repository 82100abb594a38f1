"""The terminal: width, colours, the pager, progress. Data goes out here, talk too.

Only this module looks at what stdout and stderr are connected to.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO

import click

from lineage.cli.live import Live
from lineage.cli.text import harmless, one_line, pointed, short_words
from lineage.wording import size

if TYPE_CHECKING:
    from subprocess import Popen

    from lineage.errors import Place

Span = tuple[str, str]
"""A piece of text and the style it has, a key of `STYLES`."""

STYLES: dict[str, dict[str, Any]] = {
    "": {},
    "title": {"bold": True},
    "dim": {"dim": True},
    "id": {"fg": "yellow"},
    "branch": {"fg": "green", "bold": True},
    "tag": {"fg": "yellow", "bold": True},
    "head": {"fg": "cyan", "bold": True},
    "good": {"fg": "green"},
    "bad": {"fg": "red"},
    "error": {"fg": "red", "bold": True},
    "hint": {"fg": "cyan"},
}
_COLUMNS = 80
_PATIENCE = 0.5  # seconds of work that need no progress


class ReaderGone(Exception):
    """Whoever read our output has stopped reading, like `head` does."""


class Terminal:
    """Where output goes, and how the global options want it."""

    def __init__(self) -> None:
        self.color = "auto"
        self.paged = True
        self.quiet = False
        self.verbose = False

    @property
    def width(self) -> int:
        """Columns to lay out for: $COLUMNS, the terminal's, or 80."""
        given = os.environ.get("COLUMNS", "")
        if given.isdigit() and int(given):
            return int(given)
        try:
            return os.get_terminal_size(sys.stdout.fileno()).columns or _COLUMNS
        except (OSError, ValueError):
            return _COLUMNS

    @property
    def limit(self) -> int | None:
        """Columns that a table must not exceed; None where nobody looks."""
        looking = sys.stdout.isatty() or "COLUMNS" in os.environ
        return self.width if looking else None

    @property
    def unicode(self) -> bool:
        """Whether drawings may have more than ASCII; POSIX says where that stands."""
        names = ("LC_ALL", "LC_CTYPE", "LANG")
        given = next((v for name in names if (v := os.environ.get(name))), "utf-8")
        return "utf" in given.lower()

    @property
    def shows(self) -> bool:
        """Whether what is written to stdout is shown to a person."""
        return sys.stdout.isatty()

    @property
    def asks(self) -> bool:
        """Whether a person can be asked something."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    def colored(self, stream: TextIO) -> bool:
        """Whether `stream` gets colours: https://no-color.org unless told."""
        if self.color != "auto":
            return self.color == "always"
        plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        return stream.isatty() and not plain

    def paint(self, spans: Iterable[Span]) -> str:
        """Text for stdout."""
        return self._painted(spans, sys.stdout)

    def _painted(self, spans: Iterable[Span], stream: TextIO) -> str:
        colored = self.colored(stream)
        return "".join(
            click.style(text, **STYLES[style]) if colored and style and text else text
            for text, style in spans
        )

    def write(self, lines: Iterable[str]) -> None:
        """Write lines of data to stdout.

        Raises:
            ReaderGone: when nobody reads them any more.
        """
        try:
            for line in lines:
                sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
        except BrokenPipeError:
            raise ReaderGone from None

    def write_bytes(self, data: bytes) -> None:
        """Write data to stdout as it is.

        Raises:
            ReaderGone: when nobody reads it any more.
        """
        try:
            sys.stdout.buffer.write(data)
            sys.stdout.flush()
        except BrokenPipeError:
            raise ReaderGone from None

    def page(self, lines: Iterable[str]) -> None:
        """Write lines of data, through the pager where a person reads them."""
        pager = self._pager()
        if pager:
            _through(pager, lines)
        else:
            self.write(lines)

    def _pager(self) -> list[str]:
        """The pager's command, empty when there is none to use."""
        if not (self.paged and sys.stdout.isatty() and sys.stdin.isatty()):
            return []
        import shlex
        import shutil

        chosen = (os.environ.get(name) for name in ("LINEAGE_PAGER", "PAGER"))
        words = shlex.split(next((w for w in chosen if w is not None), "less"))
        found = words and words[0] != "cat" and shutil.which(words[0])
        return words if found else []

    def say(self, *spans: Span | str) -> None:
        """Tell the person something on stderr, unless asked to be quiet."""
        if not self.quiet:
            self._tell(spans)

    def note(self, text: str) -> None:
        """Tell the person what to keep in mind."""
        self.say(("note:", "hint"), f" {one_line(text)}")

    def complain(
        self,
        message: str,
        hint: str = "",
        details: Iterable[str] = (),
        place: "Place | None" = None,
    ) -> None:
        """Say what is wrong, with what, where and, if known, what to do.

        A name that is longer than anybody reads is not repeated whole.
        """
        self._tell([("error:", "error"), f" {short_words(one_line(message))}"])
        for detail in details:
            self._tell([f"  {short_words(one_line(detail))}"])
        if place and place.text:
            shown, mark = pointed(place.text, place.start, place.end, self.width - 2)
            self._tell([f"  {shown}"])
            self._tell(["  ", (mark, "error")])
        if hint:
            self._tell([("hint:", "hint"), f" {short_words(one_line(hint))}"])

    def _tell(self, spans: Iterable[Span | str]) -> None:
        whole = [(span, "") if isinstance(span, str) else span for span in spans]
        harmless_ = [(harmless(text), style) for text, style in whole]
        with suppress(BrokenPipeError):
            sys.stderr.write(f"{self._painted(harmless_, sys.stderr)}\n")
            sys.stderr.flush()

    def live(self) -> Live:
        """A line on stderr that tells who watches how far something is."""
        return Live(sys.stderr, watched=not self.quiet)

    @contextmanager
    def progress(self, doing: str) -> Iterator[Callable[[int], None]]:
        """Show how many bytes were done, where somebody watches a longer job."""
        line, done = self.live(), 0
        line.wait(_PATIENCE)

        def advance(count: int) -> None:
            nonlocal done
            done += count
            if line.is_due():
                line.show(f"{doing} {size(done)}")

        with line:
            yield advance

    @contextmanager
    def telling(self) -> Iterator[Callable[[str], None]]:
        """Show how far another program is, in its words, where somebody watches."""
        line = self.live()
        with line:
            yield lambda words: line.show(one_line(words))


def _through(pager: list[str], lines: Iterable[str]) -> None:
    """Feed a pager line by line; it stays until the reader leaves it."""
    import subprocess

    shown = subprocess.Popen(
        pager,
        stdin=subprocess.PIPE,
        env={"LESS": "FRX", "LV": "-c", **os.environ},
        encoding="utf-8",
        errors="surrogateescape",
    )
    assert shown.stdin is not None
    try:
        for line in lines:
            shown.stdin.write(f"{line}\n")
    except BrokenPipeError:
        pass
    finally:
        with suppress(BrokenPipeError):
            shown.stdin.close()
        _wait(shown)


def _wait(shown: "Popen[str]") -> None:
    """Wait until the pager ends; ^C is the pager's business, not ours."""
    while True:
        try:
            shown.wait()
        except KeyboardInterrupt:
            continue
        return
