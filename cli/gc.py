"""`lineage gc`: freeing bytes that nothing needs."""

from typing import TYPE_CHECKING, Any

import click

from lineage.cli.command import App, Command, format_option, pass_app
from lineage.cli.render import Column, markdown, table, write_as
from lineage.errors import UsageError
from lineage.wording import plural, size

if TYPE_CHECKING:
    from lineage.gc import Collected

_COLUMNS = (
    Column("commit", lambda r: (r["id"][:12] or "-", "id")),
    Column("what", lambda r: f"{r['kind']} {r['name']}".strip(), flexible=True),
    Column("objects", lambda r: f"{r['objects']:,}", right=True),
    Column("size", lambda r: size(r["size"]), right=True),
    Column("why", lambda r: r["why"], flexible=True),
)
_KEYS = ("id", "kind", "name", "objects", "size", "why")


@click.command(
    cls=Command,
    short_help="Free bytes that nothing needs.",
    examples={
        "lineage gc --dry-run": "what would go, how many bytes, and why",
        "lineage gc": "move it to the trash; empty the trash of what is a week old",
        "lineage gc --grace 0d --empty-trash": "now, and for good",
        "lineage gc --restore": "bring back what is in the trash",
    },
    exits=[5],
)
@click.option("-n", "--dry-run", is_flag=True, help="Only list it.")
@click.option(
    "--grace",
    metavar="AGE",
    help="Keep what had a name within AGE, such as 30d or 12h "
    "[default: gc.grace, or 30d].",
)
@click.option("--empty-trash", is_flag=True, help="Empty the trash of all things now.")
@click.option(
    "--restore", "back", is_flag=True, help="Bring back what is in the trash."
)
@format_option("json", "jsonl", "csv", "md")
@pass_app
def gc(
    app: App,
    /,
    *,
    dry_run: bool,
    grace: str | None,
    empty_trash: bool,
    back: bool,
    format_: str,
) -> None:
    """Free the files of commits that no branch, tag or running loop reaches.

    Those that had a name within the grace period stay, so that `undo` finds their
    bytes, and so does whatever DVC itself needs. What goes lies in the trash for a
    week (gc.trash); commits, their history and the log stay for ever. A packed file
    counts with what it takes in its pack; packs are written anew without those that
    go, where enough goes with them.
    """
    from lineage import gc as cleaning

    if back:
        if dry_run or grace or empty_trash:
            raise UsageError("--restore goes with no other option")
        count = cleaning.restore(app.registry)
        app.terminal.say(f"{plural(count, 'object')} brought back from the trash")
        return
    period = cleaning.age(grace) if grace else None
    found = cleaning.gc(
        app.registry, grace=period, dry_run=dry_run, empty_trash=empty_trash
    )
    records = [row._asdict() for row in found.rows]
    write_as(
        app.terminal,
        format_,
        data=lambda: _shape(found, records, dry_run=dry_run),
        lines=lambda: records,
        header=_KEYS,
        markdown=lambda: markdown(records, _COLUMNS),
        human=lambda: table(app.terminal, records, _COLUMNS),
    )
    for sentence in _sentences(found, dry_run=dry_run):
        app.terminal.say(sentence)


def _shape(
    found: "Collected", records: list[dict[str, Any]], *, dry_run: bool
) -> dict[str, Any]:
    """The JSON document; docs/json.md describes it."""
    return {
        "dry_run": dry_run,
        "objects": found.objects,
        "size": found.size,
        "left_to_dvc": found.left_to_dvc,
        "left_packed": found.left_packed,
        "emptied": found.emptied_size,
        "erased": found.erased,
        "freed": records,
    }


def _sentences(found: "Collected", *, dry_run: bool) -> list[str]:
    """What happened, or would."""
    would = "would go" if dry_run else "went"
    said = ["nothing to free"]
    if found.rows:
        count = plural(found.objects, "object")
        said = [f"{count}, {size(found.size)}, {would} to the trash"]
    if found.left_to_dvc:
        count = plural(found.left_to_dvc, "object")
        said.append(f"{count} of them stay in the cache, where DVC may need them")
    if found.left_packed:
        count = plural(found.left_packed, "more object")
        verb = "stays" if found.left_packed == 1 else "stay"
        said.append(f"{count} {verb} packed: others build on it, or little would go")
    if found.erased:
        count = plural(found.erased, "object")
        said.append(f"removed for good, as they were erased: {count}")
    if found.emptied:
        said.append(f"{size(found.emptied_size)} {would} from the trash for good")
    return said
