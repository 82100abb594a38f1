"""Lists of names: what `branch` and `tag` print."""

from typing import TYPE_CHECKING, Any

from lineage.cli.names import short
from lineage.cli.render import Column, Record

if TYPE_CHECKING:
    from lineage.registry import Registry


def names_of(registry: "Registry", space: str) -> list[Record]:
    """The names of ``heads`` or ``tags`` with the commits that they name."""
    records: list[Record] = []
    protected = registry.events_log.names("protected") if space == "heads" else {}
    for name, target in registry.names(space).items():
        commit = registry.load(target.id)
        named: dict[str, Any] = {
            "name": name,
            "id": target.id,
            "git": target.git,
            "kind": commit.kind,
        }
        if space == "heads":
            named |= {"head": name == registry.head, "protected": name in protected}
        records.append(named)
    return records


def columns(registry: "Registry") -> tuple[Column, ...]:
    """How people see them."""
    return (
        Column("", lambda r: ("*", "head") if r.get("head") else " "),
        Column("name", lambda r: (r["name"], "branch"), flexible=True),
        Column("commit", lambda r: (short(registry, r["id"]), "id")),
        Column("kind", lambda r: r["kind"]),
        Column("", lambda r: ("protected", "good") if r.get("protected") else ""),
    )
