"""`lineage review`: what waits for a person, what there is to see, the verdict."""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from lineage.cli import tainted
from lineage.cli.command import (
    App,
    Group,
    at_option,
    complete_revision,
    format_option,
    pass_app,
)
from lineage.cli.loop import suggest
from lineage.cli.render import Column, Record, document, listing
from lineage.cli.review_labels import audit, edit, label
from lineage.cli.review_show import said, show
from lineage.cli.text import ago, lasted
from lineage.shapes.reviews import reviews_of
from lineage.wording import plural

if TYPE_CHECKING:
    from lineage.loop.reviews.deciding import Word
    from lineage.loop.reviews.standing import Decision


def _in_words(record: Record) -> str:
    """Why it was asked for, and what was said."""
    over = "override: " if record["override"] else ""
    note = f" -> {over}{record['note']}" if record["note"] else ""
    return f"{record['why']}{note}"


_WAITING = (
    Column("loop", lambda r: (r["loop"], "branch")),
    Column("generation", lambda r: str(r["generation"]), right=True),
    Column("waits", lambda r: r["on"]),
    Column("commit", lambda r: (r["subject"][:12], "id")),
    Column("since", lambda r: ago(r["time"])),
)
_APPROVED = Column("approved", lambda r: f"{len(r['approved_by'])} of {r['approvals']}")
_WHY = Column("why", lambda r: r["why"], flexible=True)
_STYLES = {"waiting": "hint", "approved": "good", "rejected": "bad"}
_ALL = (
    Column("loop", lambda r: (r["loop"], "branch")),
    Column("gen.", lambda r: str(r["generation"]), right=True),
    Column("of", lambda r: r["on"]),
    Column("commit", lambda r: (r["subject"][:12], "id")),
    Column("state", lambda r: (r["state"], _STYLES.get(r["state"], ""))),
    Column("by", lambda r: r["by"] or "", flexible=True),
    Column("took", lambda r: "" if r["seconds"] is None else lasted(r["seconds"])),
    Column("in words", _in_words, below=True),
)


@click.group(
    cls=Group,
    examples={
        "lineage review list": "what waits for a person",
        "lineage review show": "what there is to see, if one commit waits",
        "lineage review label tutor g002-00000-00017 --wrong": "say of a record",
        "lineage review approve tutor --note 'reads well'": "let the loop tutor go on",
        "lineage review audit tutor": "does its filter still tell right from wrong?",
    },
)
def review() -> None:
    """Look at what a loop made, and let it go on or not."""


for command in (show, label, edit, audit):
    review.add_command(command)


@review.command(
    name="list",
    examples={
        "lineage review list": "what waits",
        "lineage review list --all": "what was decided, too: by whom and how fast",
    },
    exits=[5],
)
@click.option("--all", "all_", is_flag=True, help="What was decided, too.")
@at_option
@format_option("json", "jsonl", "csv", "md")
@pass_app
def list_(app: App, /, *, all_: bool, format_: str) -> None:
    """List what waits for a person's verdict, newest first."""
    from lineage.loop.reviews.standing import Reviews

    reviews = Reviews.read(app.registry)
    records = list(reviews_of(reviews, all_=all_))
    several = (_APPROVED,) if any(r["approvals"] > 1 for r in records) else ()
    columns = _ALL if all_ else (*_WAITING, *several, _WHY)
    listing(app.terminal, format_, "reviews", records, columns)
    waiting = list(reviews.waiting.values())
    if not waiting:
        app.terminal.say("nothing waits for review")
    elif format_ == "human":
        suggest(app, {f"lineage review show {waiting[0].loop}": "what there is to see"})


def _of_a_verdict(command: Callable[..., Any]) -> Callable[..., Any]:
    """What a verdict is of, and what its giver has to say."""
    options = (
        click.argument("rev", required=False, shell_complete=complete_revision),
        click.option(
            "-m", "--note", default="", metavar="WHY", help="What you have to say."
        ),
        format_option("json"),
    )
    for option in reversed(options):
        command = option(command)
    return command


@review.command(
    examples={
        "lineage review approve": "the only commit that waits",
        "lineage review approve tutor --note 'false alarm: a new topic'": (
            "though a gate failed or a budget was spent: an override, with its reason"
        ),
    },
    exits={0: "recorded", 2: "it does not wait, or was decided on before",
           3: "the data are not those that were asked about",
           4: "a failed gate or a spent budget and no reason, or not a reviewer's key",
           5: "no such commit, or several wait"},
)  # fmt: skip
@_of_a_verdict
@pass_app
def approve(app: App, rev: str | None, note: str, format_: str) -> None:
    """Let the loop go on with REV, in your name.

    REV is what `review list` shows, the name of a loop that waits, or the newest
    generation that a gate stopped (loop/NAME@rejected). To approve what failed a gate,
    or more than a budget, is an override and needs a --note. Where the loop asks for
    several people, each counts once.
    """
    _decide(app, rev, "approve", note, format_)


@review.command(
    examples={"lineage review reject tutor --note 'repeats itself'": "and why"},
    exits={0: "recorded", 2: "it does not wait, or was decided on before",
           3: "the data are not those that were asked about",
           4: "not a reviewer's key",
           5: "no such commit, or several wait"},
)  # fmt: skip
@_of_a_verdict
@pass_app
def reject(app: App, rev: str | None, note: str, format_: str) -> None:
    """Keep REV out of its loop, in your name.

    One person is enough. The next run of the loop goes back before it; it stays on
    loop/NAME@rejected.
    """
    _decide(app, rev, "reject", note, format_)


def _decide(
    app: App, rev: str | None, verdict: "Word", note: str, format_: str
) -> None:
    from lineage.loop.reviews.deciding import decide

    made = decide(app.registry, rev, verdict, note)
    if format_ == "json":
        app.terminal.write([document(asdict(made))])
        return
    app.terminal.write([made.event])
    app.terminal.say((made.subject[:12], "id"), f" {said(made)}")
    tainted.warn(app, made.subject)
    suggest(app, dict(_next(made)))


def _next(made: "Decision") -> Iterable[tuple[str, str]]:
    if made.missing:
        people = plural(made.missing, "more person has", "more people have")
        command = f"lineage review approve {made.subject[:12]}"
        yield command, f"{people} to say"
    else:
        yield "lineage loop run FILE", "the loop acts on it when it runs"
