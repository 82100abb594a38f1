"""`lineage timestamp`: have an authority say when the log was there."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lineage import shapes
from lineage.cli.command import App, Command, at_option, format_option, pass_app
from lineage.cli.render import Column, Record, document, listing
from lineage.cli.text import minute, one_line
from lineage.cli.writing import write_file
from lineage.errors import StoreError, UsageError

if TYPE_CHECKING:
    from lineage.timestamps import Stamped

_URL = "tsa.url"  # the setting
_COLUMNS = (
    Column("time", lambda r: minute(r["time"])),
    Column("event", lambda r: (r["of"][:8], "id")),
    Column("tsa", lambda r: one_line(r["tsa"]), flexible=True),
    Column("recorded by", lambda r: r["author"].partition(" <")[0], flexible=True),
    Column("in", lambda r: (r["event"][:8], "id")),
)


@click.command(
    cls=Command,
    short_help="Have an authority say when the log was there.",
    examples={
        "lineage timestamp --tsa https://tsa.example.com": "ask a service, record it",
        "lineage timestamp --query now.tsq": "where no network is: a query to carry "
        "there by hand",
        "lineage timestamp --reply now.tsr": "and its reply",
        "lineage timestamp": "list the time stamps",
    },
    exits={
        1: "failed: a file, the service, or rfc3161-client is not installed",
        2: "a bad option, or no time stamp",
        3: "the time stamp does not lead to the certificates",
        4: "not allowed",
        5: "the time stamp is of no event here",
    },
)
@click.option("--tsa", "url", metavar="[URL]", is_flag=False, flag_value="",
              help="Ask the service at URL (RFC 3161); tsa.url.")  # fmt: skip
@click.option("--query", "asked", type=Path, metavar="FILE",
              help="Write a query for the newest event to FILE.")  # fmt: skip
@click.option("--reply", "got", type=Path, metavar="FILE",
              help="Record the reply in FILE.")  # fmt: skip
@click.option("--tsa-ca", "ca", type=Path, metavar="FILE",
              help="Certificates, in PEM, that it has to lead to; tsa.ca.")  # fmt: skip
@at_option
@format_option("json", "jsonl", "csv", "md")
@pass_app
def timestamp(
    app: App,
    /,
    *,
    url: str | None,
    asked: Path | None,
    got: Path | None,
    ca: Path | None,
    format_: str,
) -> None:
    """Have a time stamping authority sign the newest event's id, and record that.

    An event names the SHA-256 of those before it: with the time stamp all of them were
    there by then, whatever any clock here says. The authority learns that one hash.
    What it answers is recorded by one more event; `lineage verify` checks it.
    """
    if sum(option is not None for option in (url, asked, got)) > 1:
        hint = "--query first, --reply with what came back; --tsa does both"
        raise UsageError("give one of --tsa, --query and --reply", hint=hint)
    if ca is not None and url is None and got is None:
        hint = "to check those that there are: `lineage verify --tsa-ca FILE`"
        raise UsageError("--tsa-ca goes with --tsa and --reply", hint=hint)
    if asked is not None:
        _write_query(app, asked)
    elif got is not None:
        _record(app, _read(got), ca, None, format_)
    elif url is not None:
        _ask(app, url, ca, format_)
    else:
        _list(app, format_)


def _write_query(app: App, file: Path) -> None:
    from lineage.timestamps import query

    event, data, _ = query(app.registry)
    write_file(app, file, data, "query")
    app.terminal.say(f"{file}: a query for the event ", (event[:12], "id"))


def _ask(app: App, url: str, ca: Path | None, format_: str) -> None:
    from lineage.timestamps import ask, query

    place = url or app.registry.settings.get(_URL)
    if not place:
        hint = "--tsa URL, or `lineage config tsa.url URL`"
        raise UsageError("no time stamping service is named", hint=hint)
    app.registry.signer.ready()
    _, data, nonce = query(app.registry, nonce=True)
    _record(app, ask(place, data), ca, nonce, format_)


def _record(
    app: App, reply: bytes, ca: Path | None, nonce: int | None, format_: str
) -> None:
    from lineage.timestamps import record, roots_of

    roots = roots_of(app.registry, ca)
    made = record(app.registry, reply, roots=roots, nonce=nonce)
    shown = document(_shape(made)) if format_ == "json" else made.event
    app.terminal.write([shown])
    app.terminal.say(
        (made.of[:12], "id"),
        f" was there by {made.time[:19]}Z, says {one_line(made.tsa)}",
    )
    if roots is None:
        app.terminal.note("nobody checked whose the time stamp is: --tsa-ca FILE does")


def _list(app: App, format_: str) -> None:
    from lineage.timestamps import stamps

    records = [_shape(one) for one in stamps(app.registry)]
    listing(app.terminal, format_, "timestamps", records, _COLUMNS)
    if not records:
        app.terminal.say("there are no time stamps")


def _shape(one: "Stamped") -> Record:
    """A time stamp in JSON."""
    import base64

    return {
        "event": one.event,
        "of": one.of,
        "time": one.time,
        "tsa": one.tsa,
        "token": base64.b64encode(one.token).decode(),
        "recorded": one.recorded,
        "author": shapes.author(one.by),
    }


def _read(file: Path) -> bytes:
    """What a file holds, as far as a reply can be long."""
    from lineage.timestamps import LONGEST

    try:
        with file.open("rb") as reader:
            return reader.read(LONGEST)
    except OSError as error:
        raise StoreError(f"{file} cannot be read: {error.strerror}") from None
