"""Lists of names: how people see them."""

from typing import TYPE_CHECKING

from lineage.cli.names import short
from lineage.cli.render import Column

if TYPE_CHECKING:
    from lineage.registry import Registry


def columns(registry: "Registry") -> tuple[Column, ...]:
    """How people see them."""
    return (
        Column("", lambda r: ("*", "head") if r.get("head") else " "),
        Column("name", lambda r: (r["name"], "branch"), flexible=True),
        Column("commit", lambda r: (short(registry, r["id"]), "id")),
        Column("kind", lambda r: r["kind"]),
        Column("", lambda r: ("protected", "good") if r.get("protected") else ""),
    )
