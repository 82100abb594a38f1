"""`lineage attest`: say something of a commit after it was recorded."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from lineage import shapes
from lineage.cli import tainted, values
from lineage.cli.command import App, Command, complete_revision, format_option, pass_app
from lineage.cli.commit import METRIC, METRICS, metrics_of
from lineage.cli.names import short
from lineage.cli.render import document
from lineage.cli.text import one_line
from lineage.errors import UsageError

if TYPE_CHECKING:
    from lineage.measured import Said
    from lineage.registry import Registry
    from lineage.store.objects import Metric


@click.command(
    cls=Command,
    short_help="Say later what was measured, stated or released.",
    examples={
        "lineage attest model/tutor --metric accuracy=0.81": "a number",
        "lineage attest model/tutor --metric accuracy=0.81,0.83,0.82": "of three "
        "repeats: their mean, with an interval",
        "lineage attest v1 --metrics results.json -m 'on the test set of May'": "more "
        "of them, and why",
        "lineage attest v1 --withdraw accuracy": "it was not so",
        "lineage attest v1 --state intended_purpose='sums for pupils'": "what only a "
        "person knows; reports show it with the name",
        "lineage attest v1 --state risks=@risks.md": "a longer text, from a file",
        "lineage attest v1 --state risks=": "take it back",
        "lineage attest v1 --release production": "it is live there from now on",
        "lineage attest v1 --retire production": "it is live there no more",
    },
    exits={
        0: "recorded, or said before",
        1: "failed: a file, a disk",
        2: "a bad option, number or text, or the commit records that metric itself",
        4: "not allowed",
        5: "no such revision or registry, or several; not live there",
    },
)
@click.argument("revision", metavar="REV", shell_complete=complete_revision)
@click.option("--metric", multiple=True, metavar="K=V", help=METRIC)
@click.option("--metrics", type=Path, metavar="FILE", help=METRICS)
@click.option(
    "--withdraw", multiple=True, metavar="NAME", help="Take back an attested metric."
)
@click.option("--state", "texts", multiple=True, metavar="FIELD=TEXT",
              help="State a text in your name; @FILE reads one.")  # fmt: skip
@click.option("--release", "released", metavar="ENV", help="It is live in ENV.")
@click.option("--retire", "retired", metavar="ENV", help="It is not live in ENV.")
@click.option("-m", "--message", default="", metavar="MSG", help="Where, how and why.")
@format_option("json")
@pass_app
def attest(
    app: App,
    /,
    *,
    revision: str,
    metric: tuple[str, ...],
    metrics: Path | None,
    withdraw: tuple[str, ...],
    texts: tuple[str, ...],
    released: str | None,
    retired: str | None,
    message: str,
    format_: str,
) -> None:
    """Say something of the commit REV after it was recorded.

    The commit stays as it is: an event says it, in your name, and signed where you
    have a key. Metrics stand beside the recorded ones wherever metrics are read. Texts
    answer what no machine records: `show` and reports have them as stated. Of what
    was said twice the newest holds. In one environment one commit of a kind and name
    is live: a newer release ends the one before. Prints the event's id.
    """
    measured = bool(metric or metrics or withdraw)
    kinds = sum((measured, bool(texts), released is not None, retired is not None))
    if kinds != 1:
        hint = "metrics, --state, --release or --retire, a command each"
        wrong = "one kind of thing is said at a time" if kinds else "nothing is said"
        raise UsageError(wrong, hint=hint)
    registry = app.registry
    id_ = registry.resolve(revision)
    if texts:
        told = _state(registry, id_, values.texts(texts), message)
    elif released is not None:
        told = _release(registry, id_, released, message)
    elif retired is not None:
        told = _retire(registry, id_, retired, message)
    else:
        found = metrics_of(app, metrics, metric)
        if both := found.keys() & set(withdraw):
            raise UsageError(f"{min(both)} is both attested and withdrawn")
        told = _measure(registry, id_, {**dict.fromkeys(withdraw), **found}, message)
    _print(app, id_, told, format_)
    if released is not None:
        tainted.warn(app, id_)
    _tell_unasked(app, told.data.get("stated", {}))


class _Told(NamedTuple):
    """What was said: as data, and as words around the commit's name.

    `verb` comes first, then that it was said already, `where` and the name.
    """

    said: "Said"
    data: dict[str, Any]
    verb: str
    where: str = "of"
    names: Iterable[str] = ()


def _measure(
    registry: "Registry", id_: str, given: "dict[str, Metric | None]", message: str
) -> _Told:
    from lineage.measured import attest as say

    said = say(registry, id_, given, message=message)
    shown = {name: metric and shapes.metric_(metric) for name, metric in given.items()}
    return _Told(said, {"metrics": shown}, "said", names=_shown(given))


def _state(
    registry: "Registry", id_: str, given: dict[str, str | None], message: str
) -> _Told:
    from lineage.stated import state

    said = state(registry, id_, given, message=message)
    return _Told(said, {"stated": given}, "stated", names=_shown(given))


def _shown(given: Mapping[str, object]) -> list[str]:
    return [name + " withdrawn" * (said is None) for name, said in given.items()]


def _tell_unasked(app: App, given: dict[str, str | None]) -> None:
    """Name the fields that would answer nothing: a slip, or a house's own."""
    if not given:
        return
    from lineage.audit.obligations import fields

    asked = fields()
    unasked = [name for name, text in given.items() if text and name not in asked]
    if unasked:
        names = ", ".join(map(one_line, unasked))
        hint = "see `lineage report --templates`"
        app.terminal.say(f"no built-in template asks for {names}; {hint}")


def _release(registry: "Registry", id_: str, place: str, message: str) -> _Told:
    from lineage.releases import release

    said = release(registry, id_, place, message=message)
    where = f"in {one_line(place)}:"
    return _Told(said, {"environment": place, "live": True}, "live", where)


def _retire(registry: "Registry", id_: str, place: str, message: str) -> _Told:
    from lineage.releases import retire

    said = retire(registry, id_, place, message=message)
    where = f"in {one_line(place)}:"
    return _Told(said, {"environment": place, "live": False}, "no more live", where)


def _print(app: App, id_: str, told: _Told, format_: str) -> None:
    said, commit = told.said, app.registry.load(id_)
    data = {"event": said.event, "subject": id_, **told.data, "created": said.created}
    app.terminal.write([document(data) if format_ == "json" else said.event])
    verb = told.verb if said.created else f"{told.verb} already"
    names = ", ".join(map(one_line, told.names))
    app.terminal.say(
        f"{verb} {told.where} {commit.kind} {one_line(commit.name)} ",
        (short(app.registry, id_), "id"),
        f": {names}" if names else "",
    )
