"""`lineage attest`: say what was measured of a commit after it was recorded."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lineage.cli import shapes, values
from lineage.cli.command import App, Command, complete_revision, format_option, pass_app
from lineage.cli.commit import METRIC, METRICS, merged
from lineage.cli.names import short
from lineage.cli.render import document
from lineage.cli.text import one_line
from lineage.errors import UsageError

if TYPE_CHECKING:
    from lineage.measured import Said
    from lineage.store.objects import Metric


@click.command(
    cls=Command,
    short_help="Say what was measured of a commit later.",
    examples={
        "lineage attest model/tutor --metric accuracy=0.81": "a number",
        "lineage attest model/tutor --metric accuracy=0.81,0.83,0.82": "of three "
        "repeats: their mean, with an interval",
        "lineage attest v1 --metrics results.json -m 'on the test set of May'": "more "
        "of them, and why",
        "lineage attest v1 --withdraw accuracy": "it was not so",
    },
    exits={
        0: "recorded, or said before",
        1: "failed: a file, a disk",
        2: "a bad option or number, or the commit records that metric itself",
        4: "not allowed",
        5: "no such revision or registry, or several",
    },
)
@click.argument("revision", metavar="REV", shell_complete=complete_revision)
@click.option("--metric", multiple=True, metavar="K=V", help=METRIC)
@click.option("--metrics", type=Path, metavar="FILE", help=METRICS)
@click.option(
    "--withdraw", multiple=True, metavar="NAME", help="Take back what was attested."
)
@click.option("-m", "--message", default="", metavar="MSG", help="Where and how.")
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
    message: str,
    format_: str,
) -> None:
    """Say what was measured of the commit REV after it was recorded.

    The commit stays as it is: an event says it, in your name. Wherever metrics are
    read (log, show, diff, bisect, revsets) they stand beside the recorded ones; of
    what was attested twice the newest holds. Prints the event's id.
    """
    from lineage.measured import attest as say

    registry = app.registry
    id_ = registry.resolve(revision)
    found = values.metrics(merged(metrics, metric, "metric"))
    if both := found.keys() & set(withdraw):
        raise UsageError(f"{min(both)} is both attested and withdrawn")
    given: dict[str, Metric | None] = {**dict.fromkeys(withdraw), **found}
    said = say(registry, id_, given, message=message)
    if format_ == "json":
        app.terminal.write([document(_data(id_, given, said))])
    else:
        app.terminal.write([said.event])
    commit = registry.load(id_)
    names = ", ".join(one_line(name) for name in given)
    known = "" if said.created else " already"
    app.terminal.say(
        f"said{known} of {commit.kind} {one_line(commit.name)} ",
        (short(registry, id_), "id"),
        f": {names}",
    )


def _data(id_: str, given: "dict[str, Metric | None]", said: "Said") -> dict[str, Any]:
    metrics = {name: found and shapes.metric_(found) for name, found in given.items()}
    return {
        "event": said.event,
        "subject": id_,
        "metrics": metrics,
        "created": said.created,
    }
