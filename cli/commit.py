"""`lineage commit`: record an artifact."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lineage import shapes
from lineage.cli import tainted, values
from lineage.cli.command import App, Command, complete_revision, format_option, pass_app
from lineage.cli.render import document
from lineage.errors import UsageError
from lineage.wording import plural, size

if TYPE_CHECKING:
    from lineage.recording import Committed
    from lineage.registry import Registry
    from lineage.store.objects import Edge, Metric

METRIC = "A measured number; 0.81,0.83,0.82 are repeats of one measurement."
METRICS = (
    "YAML or JSON: name: number, or name: {value, direction, definition, version, "
    "n, interval}, or groups of them."
)
Decorated = Callable[..., int | None]

_DIGEST = r"sha256:[0-9a-f]{64}"
_SHORT = {
    "trained_on": "A dataset that it was trained on.",
    "generated_by": "The model that wrote it.",
    "derived_from": "What it was made from: a dataset filtered, mixed, translated…",
    "fine_tuned_from": "The model that training started from.",
    "configured_by": "The config that it was made with.",
    "includes": "A part of this generation.",
    "follows": "The generation before this one.",
}


def _edge_options(function: Decorated) -> Decorated:
    """``--edge`` and its short forms; each may be given several times."""
    for role, text in reversed(_SHORT.items()):
        function = click.option(
            f"--{role.replace('_', '-')}",
            role,
            metavar="REV",
            multiple=True,
            shell_complete=complete_revision,
            help=text,
        )(function)
    return click.option(
        "--edge",
        "edges",
        metavar="ROLE=REV",
        multiple=True,
        help="An edge of any role, e.g. selected_by=model/judge. Like the short forms "
        "below it may end in ,share=a/b: a of its b records came along this edge.",
    )(function)


@click.command(
    cls=Command,
    short_help="Record an artifact and what it came from.",
    examples={
        "lineage commit dataset corpus.txt --name seed --origin human --licence CC0": (
            "people's text"
        ),
        "lineage commit model out/ --name tutor --trained-on dataset/seed "
        "--metric perplexity=21.9": "a model and what it learned from",
        "lineage commit dataset synth.jsonl --name synth --generated-by model/tutor": (
            "what that model wrote"
        ),
        "lineage commit config loop.yaml --name loop --param learning_rate=2e-3": (
            "settings"
        ),
        "lineage commit model --name judge --external hf://org/judge": (
            "something whose bytes are elsewhere"
        ),
    },
    exits=[4, 5],
)
@click.argument("kind")
@click.argument("path", required=False, type=Path)
@click.option(
    "--name", metavar="NAME", required=True, help="What it is called: tutor, org/model…"
)
@click.option("-m", "--message", default="", metavar="MSG", help="Why; for the log.")
@_edge_options
@click.option(
    "--param", multiple=True, metavar="K=V", help="A parameter: 2e-3 is a number."
)
@click.option(
    "--params",
    type=Path,
    metavar="FILE",
    help="Parameters: YAML, JSON, TOML or literals in Python.",
)
@click.option("--metric", multiple=True, metavar="K=V", help=METRIC)
@click.option(
    "--metrics",
    type=Path,
    metavar="FILE",
    help=METRICS,
)
@click.option(
    "--origin",
    metavar="O",
    help="Of data without lineage: human, machine, mixed or unknown.",
)
@click.option("--source", metavar="S", help="Where such data come from.")
@click.option("--licence", metavar="L", help="Their licence.")
@click.option("--external", metavar="URI", help="The bytes are there, not here.")
@click.option("--digest", metavar="sha256:HEX", help="What those bytes hash to.")
@click.option("--reference", is_flag=True, help="Hash PATH in place, do not store it.")
@click.option("--branch", metavar="B", help="Instead of KIND/NAME.")
@format_option("json")
@pass_app
def commit(
    app: App,
    /,
    *,
    kind: str,
    path: Path | None,
    name: str,
    message: str,
    format_: str,
    reference: bool,
    branch: str | None,
    **given: Any,
) -> None:
    """Record the artifact PATH (a file or folder) and what it came from.

    KIND is config, dataset, model or generation. The commit goes on the branch
    KIND/NAME (loop/NAME for a generation), after what is there. Prints its id; the
    same content again is the same commit.
    """
    _check(path, given, reference=reference)
    params = _params(given["params"], given["param"])
    metrics = metrics_of(app, given["metrics"], given["metric"])
    edges = _edges(app.registry, given)
    with app.terminal.progress("storing") as progress:
        made = app.registry.commit(
            kind,
            name,
            path,
            edges=edges,
            params=params,
            metrics=metrics,
            origin=_origin(given),
            external=_external(given),
            reference=reference,
            branch=branch,
            message=message,
            progress=progress,
        )
    _report(app, made)
    if edges or not made.created:
        tainted.warn(app, made.id)
    shown = made.id if format_ == "human" else document(shapes.committed(made))
    app.terminal.write([shown])


def _check(path: Path | None, given: dict[str, Any], *, reference: bool) -> None:
    """Refuse options that do not go together."""
    digest, external = given["digest"], given["external"]
    if external and path:
        hint = "leave out PATH or --external"
        raise UsageError("an external artifact has no files here", hint=hint)
    if digest and not external:
        raise UsageError("--digest is for --external", hint="add --external URI")
    if digest and not re.fullmatch(_DIGEST, digest):
        hint = "it is written as sha256: and 64 lower-case hexadecimal digits"
        raise UsageError(f"the digest {digest!r} is not a SHA-256", hint=hint)
    if reference and not path:
        raise UsageError("--reference hashes files in place", hint="give a PATH")
    if (given["source"] or given["licence"]) and not given["origin"]:
        message = "--source and --licence say more about an origin"
        raise UsageError(message, hint="add --origin human, machine, mixed or unknown")


def _params(path: Path | None, texts: tuple[str, ...]) -> dict[str, Any]:
    """A file's values, and over them those of the command line."""
    from_file = values.mapping(path, "params") if path else {}
    return {**from_file, **values.pairs(texts, "param")}


def metrics_of(
    app: App, path: Path | None, texts: tuple[str, ...] = ()
) -> "dict[str, Metric]":
    """A file's metrics, and over them those of the command line."""
    found, others = values.measured(path) if path else ({}, [])
    if others:
        app.terminal.note(f"no numbers of {path}, left out: {', '.join(others)}")
    return {**found, **values.metrics(values.pairs(texts, "metric"))}


def _edges(registry: "Registry", given: dict[str, Any]) -> "list[Edge]":
    wanted = [values.role_and_revision(text) for text in given["edges"]]
    wanted += [(role, text) for role in _SHORT for text in given[role]]
    return [values.edge(registry, role, text) for role, text in wanted]


def _origin(given: dict[str, Any]) -> dict[str, str] | None:
    if not given["origin"]:
        return None
    named = {"type": given["origin"], **{k: given[k] for k in ("source", "licence")}}
    return {key: value for key, value in named.items() if value}


def _external(given: dict[str, Any]) -> dict[str, str] | None:
    if not given["external"]:
        return None
    named = {"uri": given["external"], "digest": given["digest"]}
    return {key: value for key, value in named.items() if value}


def _report(app: App, made: "Committed") -> None:
    """Say in a line what was recorded, and where."""
    terminal = app.terminal
    if terminal.quiet:
        return
    label = (f"{made.kind} {made.name}", "title")
    if not made.created:
        terminal.say(label, " is unchanged on ", (made.branch or "", "branch"))
        return
    payload = app.registry.load(made.id).payload
    what = f": {plural(payload.count, 'file')}, {size(payload.size)}" if payload else ""
    terminal.say(label, " recorded on ", (made.branch or "", "branch"), what)
