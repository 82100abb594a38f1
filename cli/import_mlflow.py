"""`lineage import mlflow`: what an MLflow server knows."""

from dataclasses import asdict
from importlib.util import find_spec

import click

from lineage.cli.command import App, Command, format_option, pass_app
from lineage.cli.render import document
from lineage.errors import UsageError
from lineage.wording import plural


@click.command(
    cls=Command,
    short_help="Record the runs, datasets and models of an MLflow server.",
    examples={
        "lineage import mlflow http://localhost:5000": "a server",
        "lineage import mlflow sqlite:///mlflow.db": "what a server keeps",
    },
    exits=[4, 5],
)
@click.argument("uri")
@click.option(
    "--registry-uri",
    metavar="URI",
    help="Where the registered models are.",
)
@format_option("json")
@pass_app
def import_mlflow(app: App, uri: str, registry_uri: str | None, format_: str) -> None:
    """Record what the MLflow tracking server URI knows.

    A model that a run made becomes a commit with the run's parameters, metrics and
    datasets; a run that made none becomes a config. Registered models keep their
    versions, aliases, tags and stages. Bytes are stored where they are on this
    machine; else the commit says where they are. What is recorded already is left
    alone.
    """
    registry = app.registry
    if find_spec("mlflow") is None:
        hint = "install it: pip install 'lineage-vcs[mlflow]'"
        raise UsageError("MLflow is not installed", hint=hint)
    _hush()
    from lineage.integrations.mlflow import importing

    found = importing.import_mlflow(registry, uri, registry_uri)
    if format_ == "json":
        app.terminal.write([document({"uri": uri, **asdict(found)})])
    for sentence in found.skipped:
        app.terminal.note(f"left out: {sentence}")
    counts = (
        (found.datasets, "dataset"),
        (found.models, "model"),
        (found.configs, "config"),
        (found.versions, "version"),
    )
    app.terminal.say(
        f"{plural(found.runs, 'run')}, {plural(found.registered, 'registered model')}; "
        f"new here: {', '.join(plural(count, what) for count, what in counts)}"
    )


def _hush() -> None:
    """MLflow tells of its own steps; only what is wrong concerns anybody here."""
    import logging

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
