"""`lineage run`: run a command, and record what it read and left."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lineage.cli import tainted, values
from lineage.cli.command import App, Command, format_option, pass_app
from lineage.cli.commit import metrics_of
from lineage.cli.names import short
from lineage.cli.render import document
from lineage.errors import LineageError, UsageError

if TYPE_CHECKING:
    from lineage.observing.command import Output
    from lineage.store.objects import Metric

_STDERR = 2


@click.command(
    cls=Command,
    short_help="Run a command and record what it read and left.",
    examples={
        "lineage run --use dataset/seed=data/ --output model/tutor=out/ "
        "-- python train.py data/ out/": "a script's model, and what it learned from",
        "lineage run --read corpus.txt --output dataset/clean=clean.txt "
        "-- sh clean.sh": "data that are here already are found by their content",
        "lineage run --use model/judge --output dataset/best=best.jsonl "
        "--metrics scores.json -- python judge.py": "a model behind an API, metrics",
    },
    exits={
        0: "the command ended well, and its outputs are recorded",
        1: "an input changed, or an output is missing",
        2: "a bad option, name or number",
        4: "not allowed",
        5: "no such revision or registry, or several",
        130: "interrupted",
    },
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option("--name", metavar="NAME", help="What the run is called, for the log.")
@click.option(
    "--use",
    "uses",
    multiple=True,
    metavar="REV[=PATH]",
    help="A commit that it reads: its files are put to PATH, or compared with what is "
    "there. Without PATH it is only named, and its edges say declared. May end in "
    ",role=evaluated_on and the like.",
)
@click.option(
    "--read",
    "reads",
    multiple=True,
    type=Path,
    metavar="PATH",
    help="A file or folder that it reads: found by content, else committed first.",
)
@click.option(
    "--output",
    "outputs",
    multiple=True,
    metavar="KIND/NAME=PATH",
    help="What it writes, and the branch that it goes on: model/tutor=out/.",
)
@click.option("--param", multiple=True, metavar="K=V", help="A parameter of the run.")
@click.option(
    "--metrics",
    type=Path,
    metavar="FILE",
    help="YAML or JSON that it writes: metrics of the last output.",
)
@click.option("--seed", type=int, metavar="N", help="The seed that it was given.")
@format_option("json")
@pass_app
def run(app: App, /, command: tuple[str, ...], format_: str, **given: Any) -> None:
    """Run COMMAND, and record its outputs with edges to all that it read.

    Inputs are hashed before and after: when one has changed nothing is recorded. When
    COMMAND fails, an event says so, and its exit code is ours. What it prints goes to
    stderr; stdout has an id for each output.
    """
    from lineage.observing.command import Plan, parse_output, parse_use, run_command

    if not given["outputs"]:
        hint = "say what it writes: --output model/tutor=out/"
        raise UsageError("a run without an output records nothing", hint=hint)
    plan = Plan(
        command,
        [parse_use(text) for text in given["uses"]],
        given["reads"],
        [parse_output(text) for text in given["outputs"]],
    )
    made = run_command(
        app.registry,
        given["name"] or "",
        plan,
        metrics=lambda: _metrics(app, given["metrics"], plan.outputs[-1]),
        stdout=_STDERR,
        params=values.pairs(given["param"], "param"),
        seed=given["seed"],
    )
    _report(app, plan.outputs, made, format_)


def _metrics(app: App, file: Path | None, output: "Output") -> "dict[str, Metric]":
    """What the command measured; hours of work are not lost for a file of numbers."""
    try:
        return metrics_of(app, file)
    except LineageError as error:
        app.terminal.note(f"recorded without metrics: {error}")
        branch = f"{output.kind}/{output.name}"
        later = shlex.join(["lineage", "attest", branch, "--metrics", str(file)])
        app.terminal.say((f"  later: {later}", "hint"))
        return {}


def _report(app: App, outputs: Any, made: list[str], format_: str) -> None:
    """An id for each output, and on stderr which branch it is on."""
    for output, id_ in zip(outputs, made, strict=True):
        label = (f"{output.kind} {output.name}", "title")
        app.terminal.say(label, " recorded as ", (short(app.registry, id_), "id"))
        tainted.warn(app, id_)
    if format_ == "human":
        app.terminal.write(made)
    else:
        app.terminal.write([document({"outputs": made})])
