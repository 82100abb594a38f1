"""`lineage report`: what is recorded about a commit, for people who trust nobody."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lineage.cli.command import App, Command, at_option, complete_revision, pass_app
from lineage.cli.render import Column, listing
from lineage.cli.writing import check_file, write_file
from lineage.errors import UsageError
from lineage.wording import plural, size

if TYPE_CHECKING:
    from lineage.audit.model import Report

# What lineage.audit and lineage.bundle have, which are slow to import; tests compare.
CARDS = ("model-card", "dataset-card")
FORMATS = ("html", "json", "pdf", "md", *CARDS, "prov", "cyclonedx", "oms", "in-toto")
SIGNED = ("oms", "in-toto")
BUNDLE = "bundle"
PAYLOADS = ("none", "metrics", "all")
AUDIENCES = ("public", "downstream", "authority")

_TEMPLATES = (
    Column("template", lambda r: (r["id"], "title")),
    Column("version", lambda r: str(r["version"]), right=True),
    Column("items", lambda r: str(r["items"]), right=True),
    Column("for", lambda r: ", ".join(r["audience"])),
    Column("asks for", lambda r: r["title"], flexible=True),
)


def _list_templates(ctx: click.Context, param: click.Parameter, value: object) -> None:
    """Print the templates that there are, and do nothing else."""
    del param
    if not value or ctx.resilient_parsing:
        return
    from lineage.audit.obligations.template import built_in

    records = [
        {
            "id": template.id,
            "version": template.version,
            "items": len(template.items),
            "audience": [
                name
                for name in AUDIENCES
                if any(name in item.audience for item in template.items)
            ],
            "title": template.title,
        }
        for template in built_in()
    ]
    terminal = ctx.ensure_object(App).terminal
    listing(terminal, "human", "templates", records, _TEMPLATES)
    ctx.exit()


@click.command(
    cls=Command,
    short_help="Report what is recorded of a commit, and what is not.",
    examples={
        "lineage report loop/tutor -o report.html": "a page for a browser or paper",
        "lineage report model/tutor --format json": "the same facts, for programs",
        "lineage report loop/tutor --format bundle -o all.zip": "and its proofs",
        "lineage report 'loop/a | loop/b' -o ab.html": "several at once",
        "lineage report v1 --format oms --sign-key key.pem -o v1.oms.json": (
            "a signature over its files, for `model_signing verify key`"
        ),
        "lineage report model/tutor --format model-card --into out/README.md": (
            "what is known, into the card of a folder that goes to the Hub"
        ),
        "lineage report 'released()' --at 2026-11-03 -o live.html": "what was live "
        "anywhere on that day",
        "lineage report model/tutor --template eu-gpai --audience public": "what a "
        "law asks, for everybody",
    },
    exits=[3, 4, 5],
)
@click.argument("revset", metavar="REVSET", shell_complete=complete_revision)
@click.option(
    "--format",
    "format_",
    type=click.Choice((*FORMATS, BUNDLE)),
    metavar="FORMAT",
    default="html",
    show_default=True,
    help=f"{', '.join(FORMATS)} or {BUNDLE}: docs/report.md, docs/formats.md and "
    "docs/bundle.md describe them.",
)
@click.option(
    "--sign-key",
    metavar="PEM",
    type=Path,
    help="Sign with this private key: P-256 for oms, Ed25519 or P-256 for in-toto.",
)
@click.option(
    "-o", "--output", metavar="FILE", type=Path, help="Write to FILE; - is stdout."
)
@click.option(
    "--into",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Of a card: write it into a README.md, and keep what people wrote there.",
)
@click.option(
    "--template",
    metavar="NAME|FILE",
    help="Answer what a law or a framework asks: one of --templates, or your own "
    "YAML (docs/obligations.md).",
)
@click.option(
    "--templates",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list_templates,
    help="List the templates that there are.",
)
@click.option(
    "--audience",
    type=click.Choice(AUDIENCES),
    help="Leave out what is not for these readers.  [default: authority, which is "
    "told everything; public for cards]",
)
@click.option(
    "--payloads",
    type=click.Choice(PAYLOADS),
    help="Put metrics and params, or all bytes, into a bundle too.  [default: none]",
)
@at_option
@pass_app
def report(
    app: App,
    revset: str,
    *,
    format_: str,
    sign_key: Path | None,
    output: Path | None,
    into: Path | None,
    template: str | None,
    audience: str | None,
    payloads: str | None,
) -> None:
    """Report what REVSET is made of, how it was checked, and what nobody recorded.

    Of a generation, or a part of one, the report covers the loop up to there; of
    several commits, every loop that one of them is part of. Every
    value in it is recorded, stated by somebody, or not provided. The same state of
    the registry gives the same bytes.
    """
    from lineage.audit import formats
    from lineage.audit.given import Given
    from lineage.audit.obligations.filling import addressed
    from lineage.audit.obligations.template import load
    from lineage.audit.report import report as make

    if output == Path("-"):
        output = None
    _check(app, format_, output, payloads, sign_key)
    _check_into(format_, into, output)
    _check_audience(format_, audience)
    if template is not None and format_ in SIGNED:
        hint = "give them a report with it: `-o report.html`"
        raise UsageError(f"--template says nothing of {format_}", hint=hint)
    asked = None if template is None else load(template)
    whom = audience or formats.audience_of(format_)
    made = addressed(make(app.registry, revset), whom, asked)
    if format_ == BUNDLE:
        assert output is not None
        _bundle(app, made, output, payloads or PAYLOADS[0], sign_key)
        return
    data = formats.FORMATS[format_](made, Given(app.registry, sign_key))
    if into is not None:
        data, output = _merged(data, into, made), into
    if output is None:
        app.terminal.write_bytes(data)
        return
    write_file(app, output, data, "report")
    app.terminal.say(f"{output}: {_told(made)}, {size(len(data))}")


def _check(
    app: App,
    format_: str,
    output: Path | None,
    payloads: str | None,
    sign_key: Path | None,
) -> None:
    """Refuse options that do not go with the format, before anything is made."""
    if output is not None:
        check_file(app, output, BUNDLE if format_ == BUNDLE else "report")
    elif format_ == "pdf" and app.terminal.shows:
        hint = "name a file: `-o FILE.pdf`"
        raise UsageError("a PDF is nothing to read on a terminal", hint=hint)
    if sign_key is not None and format_ not in (*SIGNED, BUNDLE):
        hint = f"it is for --format {', '.join((*SIGNED, BUNDLE))}"
        raise UsageError(f"--sign-key says nothing of {format_}", hint=hint)
    if format_ == BUNDLE and output is None:
        hint = "name it: `-o FILE.zip`"
        raise UsageError("a bundle is written to a file", hint=hint)
    if format_ != BUNDLE and payloads is not None:
        hint = "files go into a bundle: `--format bundle`"
        raise UsageError(f"--payloads says nothing of {format_}", hint=hint)


def _check_into(format_: str, into: Path | None, output: Path | None) -> None:
    """Only a card goes into a file of other people's."""
    if into is None:
        return
    if format_ not in CARDS:
        hint = f"it is for --format {' and '.join(CARDS)}"
        raise UsageError(f"--into says nothing of {format_}", hint=hint)
    if output is not None:
        raise UsageError("--into and --output are two places: give one")


def _merged(card: bytes, into: Path, made: "Report") -> bytes:
    """The card that is there with ours in it."""
    from lineage.integrations.huggingface.back import merged

    try:
        present = into.read_text(encoding="utf-8") if into.exists() else ""
    except UnicodeDecodeError:
        raise UsageError(f"{into} is not UTF-8 text") from None
    return merged(card, present, made)


def _check_audience(format_: str, audience: str | None) -> None:
    """Refuse to leave out what a format is made of."""
    if audience in (None, AUDIENCES[-1]):
        return
    hint = f"give them the report: `--audience {audience} -o report.html`"
    if format_ == BUNDLE:
        raise UsageError("a bundle holds the whole log, for an authority", hint=hint)
    if format_ in SIGNED:
        raise UsageError(f"{format_} names every file, for whoever has them", hint=hint)


def _bundle(
    app: App, made: "Report", output: Path, payloads: str, key: Path | None
) -> None:
    from lineage import bundle
    from lineage.bundle_check import MOST_FILES

    with app.terminal.progress("packing") as progress:
        done = bundle.export(
            app.registry, made, output, payloads=payloads, key=key, progress=progress
        )
    files = plural(done.entries, "file")
    app.terminal.say(f"{output}: {_told(made)}, {files}, {size(done.size)}")
    if done.entries > MOST_FILES:
        hint = f"--entries {done.entries}"
        app.terminal.say(f"to check so many files takes `{hint}`: tell the auditor")
    for digest, why in done.away.items():
        app.terminal.say(f"not in it: {digest[:12]} ({why[:24].replace('-', ' ')})")
    if not done.signed:
        hint = "`lineage key generate` makes a key"
        app.terminal.say(f"it is not signed: no key is set here; {hint}")


def _told(made: "Report") -> str:
    commits, gaps = len(made.artifacts), len(made.gaps)
    return f"{plural(commits, 'commit')}, {plural(gaps, 'gap')}"
