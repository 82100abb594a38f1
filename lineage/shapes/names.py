"""Lists of names, as `branch` and `tag` have them; docs/json.md describes them."""

from typing import TYPE_CHECKING

from lineage.shapes import Json

if TYPE_CHECKING:
    from lineage.registry import Registry
    from lineage.store.views import Target


def names_of(registry: "Registry", space: str) -> list[Json]:
    """The names of ``heads`` or ``tags`` with the commits that they name."""
    found = registry.names(space).items()
    return [name_of(registry, space, name, target) for name, target in found]


def name_of(registry: "Registry", space: str, name: str, target: "Target") -> Json:
    """One name, and what it names."""
    kind = registry.load(target.id).kind
    named: Json = {"name": name, "id": target.id, "git": target.git, "kind": kind}
    if space == "heads":
        lock = registry.events_log.lookup(f"protected/{name}")
        named |= {"head": name == registry.head, "protected": lock is not None}
    return named
