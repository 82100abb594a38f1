"""`lineage merge-base`: where two histories met last."""

from typing import TYPE_CHECKING

import click

from lineage import shapes
from lineage.cli.command import (
    App,
    Command,
    at_option,
    complete_revision,
    format_option,
    pass_app,
)
from lineage.cli.names import short
from lineage.cli.render import Column, listing
from lineage.errors import NotFound, UsageError

if TYPE_CHECKING:
    from lineage.registry import Registry


def _columns(registry: "Registry") -> tuple[Column, ...]:
    return (
        Column("commit", lambda r: (short(registry, r["id"]), "id")),
        Column("kind", lambda r: r["kind"]),
        Column("name", lambda r: r["name"], flexible=True),
    )


@click.command(
    cls=Command,
    short_help="Show the newest commits that two both came from.",
    examples={
        "lineage merge-base loop/a loop/b": "where two branches parted",
        "lineage merge-base v1 v2 --all-origins": "the newest thing that both are of",
        "lineage merge-base v1 v2 --role trained_on --role generated_by": "along "
        "these edges",
    },
    exits={2: "a bad option or role",
           5: "no such revision, or nothing in common"},
)  # fmt: skip
@click.argument("a", metavar="A", shell_complete=complete_revision)
@click.argument("b", metavar="B", shell_complete=complete_revision)
@click.option("--all-origins", is_flag=True, help="Along edges of any role.")
@click.option(
    "--role", "roles", multiple=True, metavar="ROLE", help="Along edges of this role."
)
@at_option
@format_option("json", "jsonl", "csv", "md")
@pass_app
def merge_base(
    app: App,
    /,
    *,
    a: str,
    b: str,
    all_origins: bool,
    roles: tuple[str, ...],
    format_: str,
) -> None:
    """Show the newest commits that A and B both came from, or are.

    Along follows and revises, unless options say otherwise. There can be several:
    common ancestors of which none came from another. `merge_base(A, B)` means the
    same in a revset.
    """
    from lineage.store.objects import BACK
    from lineage.walks import merge_base as find

    registry = app.registry
    along = _checked(roles, all_origins=all_origins) or (None if all_origins else BACK)
    found = find(registry, registry.resolve(a), registry.resolve(b), along)
    if not found:
        hint = "" if all_origins else "look along all edges with --all-origins"
        raise NotFound(f"{a} and {b} have nothing in common", hint=hint)
    records = [shapes.named(registry, id_) for id_ in found]
    listing(app.terminal, format_, "commits", records, _columns(registry))


def _checked(roles: tuple[str, ...], *, all_origins: bool) -> tuple[str, ...]:
    from lineage.store.objects import ROLES

    if roles and all_origins:
        hint = "leave out one of them"
        raise UsageError("--role and --all-origins exclude each other", hint=hint)
    for role in roles:
        if role not in ROLES:
            hint = "one of: " + ", ".join(ROLES)
            raise UsageError(f"{role!r} is not a role", hint=hint)
    return roles
