"""`lineage import hf`: a repository of the Hugging Face Hub, as a commit."""

from dataclasses import asdict

import click

from lineage.cli.command import App, Command, format_option, pass_app
from lineage.cli.render import document


@click.command(
    cls=Command,
    short_help="Record a model or dataset of the Hugging Face Hub.",
    examples={
        "lineage import hf ./SmolLM2-135M": "a folder with its card and files",
        "lineage import hf org/model --revision v1.0": "downloaded from the Hub",
        "lineage import hf datasets/org/texts": "a dataset",
    },
    exits=[4, 5],
)
@click.argument("source", metavar="PATH|REPO")
@click.option("--name", metavar="NAME", help="What it is called here; its id there.")
@click.option("--kind", type=click.Choice(["model", "dataset"]), help="What it is.")
@click.option("--revision", metavar="REV", help="Of a download: branch, tag, commit.")
@format_option("json")
@pass_app
def import_hf(
    app: App,
    /,
    *,
    source: str,
    name: str | None,
    kind: str | None,
    revision: str | None,
    format_: str,
) -> None:
    """Record a snapshot, with edges to what its card says that it came from.

    base_model, base_model_relation, datasets and source_datasets of the card become
    edges, declared by whoever wrote it. What they name and is not here becomes a
    commit that says where it is. Prints the id of the commit.
    """
    from lineage.integrations.huggingface import import_hf as take

    with app.terminal.progress("storing") as progress:
        made = take(
            app.registry,
            source,
            name=name,
            kind=kind,
            revision=revision,
            progress=progress,
        )
    if format_ == "human":
        app.terminal.write([made.id])
    else:
        app.terminal.write([document(asdict(made))])
    label = (f"{made.kind} {made.name}", "title")
    new = "recorded" if made.created else "unchanged"
    app.terminal.say(label, f" is {new} on ", (made.branch, "branch"))
    for named in made.named:
        app.terminal.say(f"  {named} (its card says so)")
