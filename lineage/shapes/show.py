"""What `show` says of a commit as JSON; docs/json.md describes it."""

from typing import TYPE_CHECKING

from lineage import shapes
from lineage.shapes import Json
from lineage.shapes.signed import Signatures
from lineage.shapes.tainted import marked

if TYPE_CHECKING:
    from lineage.history import Entry
    from lineage.registry import Registry


def everything(registry: "Registry", entry: "Entry", *, indexed: bool = False) -> Json:
    """The commit, the taints that reached it and the events that speak of it.

    `indexed`: the index may say which those are, which takes half a second to open.
    """
    from lineage.taints.marks import marks

    return {
        **shapes.shown(registry, entry),
        "tainted": marked(marks(registry), entry.id),
        "events": _events(registry, entry, indexed=indexed),
    }


def _events(registry: "Registry", entry: "Entry", *, indexed: bool) -> list[Json]:
    """The events that speak of the commit, newest first."""
    from lineage.events import about

    signatures = Signatures(registry)
    return [
        {**shapes.event(logged.event.id, logged.event), **signatures.of(logged)}
        for logged in about(registry, entry.id, indexed=indexed)
    ]
