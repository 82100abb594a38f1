"""`lineage blame`: where a record of a dataset comes from."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lineage.cli.blame_text import human, markdown
from lineage.cli.command import (
    App,
    Command,
    at_option,
    complete_revision,
    format_option,
    pass_app,
)
from lineage.cli.render import Record, document, write_as
from lineage.cli.writing import write_file
from lineage.wording import plural

if TYPE_CHECKING:
    from lineage.blame import Blame
    from lineage.registry import Registry

_CSV = ("dataset", "name", "path", "line", "unit", "same", "role", "fields", "unread")
_PERHAPS = {"same", "role", "unread", "source"}  # null where there is none


@click.command(
    cls=Command,
    short_help="Show where a record of a dataset comes from.",
    examples={
        "lineage blame loop/tutor 17": "the 17th record that the newest model saw",
        "lineage blame dataset/web g002-00000-00017": "by its id",
        "lineage blame dataset/web 'piece of text'": "the one record that has it",
        "lineage blame dataset/orders 1017 --key order": "by another column",
        "lineage blame dataset/web 17 --prove proof.json": "and prove that it is in it",
    },
    exits={
        1: "failed: a file that is not here or not what it seems",
        2: "a bad option",
        3: "the records are not those that were stated",
        4: "the root may not be stated here",
        5: "no such commit or record, or several",
    },
)
@click.argument("revision", metavar="DATASET", shell_complete=complete_revision)
@click.argument("record", metavar="RECORD")
@click.option("--key", metavar="COL", help="RECORD is a value of this column.")
@click.option("--text", is_flag=True, help="RECORD is text, even if it is a number.")
@click.option(
    "--prove",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a proof that the record is in the dataset, without the others.",
)
@at_option
@format_option("json", "jsonl", "csv", "md")
@pass_app
def blame(
    app: App,
    /,
    *,
    revision: str,
    record: str,
    key: str | None,
    text: bool,
    prove: Path | None,
    format_: str,
) -> None:
    """Show where the RECORD of a DATASET comes from.

    RECORD is its number, counted from 1, its id, its text, or a piece of text that
    no other record has. A generation or model means the dataset that it was trained
    on. The answer leads back through filters and mixes to the dataset where the
    record first appears, to the model, prompt and settings that it was written with,
    and to the human record behind the prompt; where nothing of that is known, to
    what was stated of the dataset's origin. See docs/blame.md.
    """
    from lineage.blame import blame as ask

    registry = app.registry
    with app.terminal.progress("searching") as progress:
        found = ask(registry, revision, record, key=key, text=text, progress=progress)
    data = _data(registry, found)
    write_as(
        app.terminal,
        format_,
        data=lambda: data,
        lines=lambda: [data],
        rows=lambda: map(_row, data["steps"]),
        markdown=lambda: markdown(registry, found),
        human=lambda: human(app, found),
    )
    for note in found.notes:
        app.terminal.note(note)
    if prove:
        _prove(app, found, prove)


def _prove(app: App, found: "Blame", path: Path) -> None:
    """Write the proof, and say which event states the root."""
    from lineage.blame.proof import prove

    with app.terminal.progress("hashing all records") as progress:
        proof = prove(app.registry, found.dataset, found.number, progress=progress)
    data = proof.data
    write_file(app, path, f"{document(data)}\n".encode(), "proof")
    app.terminal.say(
        f"{path}: the root of {plural(data['count'], 'record')} is stated by ",
        "the new event " if proof.stated else "event ",
        (data["event_id"][:8], "id"),
        ", signed" if "signed" in data else ", not signed",
    )


def _data(registry: "Registry", found: "Blame") -> dict[str, Any]:
    """What docs/json.md describes."""
    data = asdict(found)
    data["record"] = dict(data.pop("data"))
    data |= {name: data[name] or None for name in ("generator", "config")}
    for each in (*data["steps"], data["prompt"] or {}):
        each |= {name: each[name] or None for name in _PERHAPS & each.keys()}
    data["dataset"] = found.dataset
    for each in (*data["steps"], *data["writers"], *data["choosers"]):
        each["name"] = _name(registry, each.get("id") or each["dataset"])
    for step in data["steps"]:
        step["fields"] = list(step["fields"])
    order = ("dataset", "number", "identity", "record", "steps")
    return {name: data.pop(name) for name in order} | data


def _name(registry: "Registry", id_: str) -> str | None:
    return registry.load(id_).name if id_ in registry.ids else None


def _row(step: Record) -> Record:
    """A step as a line of a table."""
    flat = {**step, **(step["place"] or {"path": None, "line": None, "unit": None})}
    return {name: flat[name] for name in _CSV}
