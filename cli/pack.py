"""`lineage pack`: what is cold, stored as differences."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from lineage.cli.command import App, Command, complete_revision, format_option, pass_app
from lineage.cli.names import short
from lineage.cli.render import Column, Record, document, listing
from lineage.errors import UsageError
from lineage.wording import percent, plural, size

if TYPE_CHECKING:
    from lineage.packing.counts import Packed

_NAMED = 3  # commits that a note names


def _part(key: str) -> Column:
    """How much of the whole was kept in one way."""

    def show(record: Record) -> str:
        return percent(record[key] / record["whole"]) if record[key] else "-"

    return Column(key, show, right=True)


_PLANNED = (
    Column("kind", lambda r: (r["kind"], "title")),
    Column("files", lambda r: f"{r['files']:,}", right=True),
    Column("whole", lambda r: size(r["whole"]), right=True),
)
_COLUMNS = (
    *_PLANNED,
    Column("packed", lambda r: size(r["packed"]), right=True),
    Column("share", lambda r: percent(r["packed"] / r["whole"]), right=True),
    *map(_part, ("shared", "delta", "alone")),
)

_LISTED = (
    Column("commit", lambda r: (r["id"][:12], "id")),
    Column("what", lambda r: f"{r['kind']} {r['name']}", flexible=True),
    *_COLUMNS[1:5],
    Column("depth", lambda r: f"{r['depth']}", right=True),
)


@click.command(
    cls=Command,
    short_help="Store what is cold as differences.",
    examples={
        "lineage pack --dry-run": "what there is to pack, and what stays",
        "lineage pack": "all but what a branch's tip has",
        "lineage pack 'heads()~'": "what a revset selects, be it in use or not",
        "lineage pack --list": "what is packed, by commit",
        "lineage config pack.auto on": "and `lineage loop run` packs when it is done",
    },
    exits=[5],
)
@click.argument("revset", required=False, shell_complete=complete_revision)
@click.option("-n", "--dry-run", is_flag=True, help="Only say what there is to pack.")
@click.option("--list", "list_", is_flag=True, help="List what is packed, by commit.")
@click.option(
    "--auto",
    is_flag=True,
    help="Only if there is as much as pack.least says; for what runs by itself.",
)
@format_option("json", "jsonl", "csv", "md")
@pass_app
def pack(
    app: App,
    revset: str | None,
    *,
    dry_run: bool,
    list_: bool,
    auto: bool,
    format_: str,
) -> None:
    """Store the files of commits that nobody works with in packs.

    Weights are kept tensor by tensor as what they differ from the commit's parents,
    text in pieces that versions share. Without REVSET it is every file but those that
    a branch's tip has. Each pack is read back before a plain file goes, every command
    of lineage reads packed files as ever, and `lineage unpack` makes them plain again.

    The trade: DVC does not see packed files. `dvc get`, `dvc checkout` and `dvc push`
    find them again after `lineage unpack`.
    """
    if list_ + auto + dry_run > 1 or (auto and revset):
        raise UsageError("--list, --auto and --dry-run go one at a time")
    if list_:
        _list(app, revset, format_)
        return
    found = _run(app, revset, auto=auto, dry_run=dry_run)
    if found is None:
        app.terminal.say("nothing to do: too little is cold, or somebody packs already")
        return
    _print(app, found, format_, dry_run=dry_run)
    for sentence in _sentences(found, dry_run=dry_run):
        app.terminal.say(sentence)
    _notes(app, found, dry_run=dry_run)


def _run(app: App, revset: str | None, *, auto: bool, dry_run: bool) -> "Packed | None":
    from lineage.packing.auto import pack_if_due
    from lineage.packing.packer import pack as run
    from lineage.store.memory import keep_freed_memory

    keep_freed_memory()
    with app.terminal.progress("packing") as progress:
        if auto:
            return pack_if_due(app.registry, progress)
        return run(app.registry, revset, dry_run=dry_run, progress=progress)


def _list(app: App, revset: str | None, format_: str) -> None:
    from lineage.packing.listing import listed

    records = [one._asdict() for one in listed(app.registry, revset)]
    listing(app.terminal, format_, "packed", records, _LISTED)
    if not records:
        app.terminal.say("nothing is packed")


def _print(app: App, found: "Packed", format_: str, *, dry_run: bool) -> None:
    from lineage.shapes.packing import packed

    whole = packed(found, dry_run=dry_run)
    kinds = whole["kinds"]
    if format_ == "json":
        app.terminal.write([document(whole)])
    else:
        columns = _PLANNED if dry_run else _COLUMNS
        listing(app.terminal, format_, "kinds", kinds, columns)


def _sentences(found: "Packed", *, dry_run: bool) -> Iterator[str]:
    """What happened, or would, and what stays."""
    files = plural(found.files, "file")
    if not found.files and found.released:
        yield f"{size(found.released)} of plain files went that were packed already"
    elif not found.files:
        yield "nothing to pack"
    elif dry_run:
        yield f"{files}, {size(found.whole)}, would be packed"
    else:
        share, speed = found.packed / found.whole, found.whole / found.seconds
        yield (
            f"packed {files}: {size(found.whole)} in {size(found.packed)}, "
            f"{percent(share)}, at {size(round(speed))}/s"
        )
    for left in found.left.values():
        yield f"left plain: {plural(left.files, 'file')}, {size(left.size)}; {left.why}"


def _notes(app: App, found: "Packed", *, dry_run: bool) -> None:
    """What else there is to keep in mind."""
    if found.parents and not dry_run:
        named = ", ".join(short(app.registry, id_) for id_ in found.parents[:_NAMED])
        more = "" if len(found.parents) <= _NAMED else " and others"
        app.terminal.note(
            f"nothing could build on {named}{more}, whose files are plain; "
            "packed with them, the next commits take less"
        )
    if found.files and not dry_run:
        app.terminal.note("DVC finds these files again after `lineage unpack`")
