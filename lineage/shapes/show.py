"""What `show` says of a commit as JSON; docs/json.md describes it."""

from typing import TYPE_CHECKING

from lineage import shapes
from lineage.shapes import Json
from lineage.shapes.signed import Signatures
from lineage.shapes.tainted import marked

if TYPE_CHECKING:
    from lineage.history import Entry
    from lineage.registry import Registry


def everything(registry: "Registry", entry: "Entry") -> Json:
    """The commit, the taints that reached it and the events that speak of it."""
    from lineage.taints.marks import marks

    return {
        **shapes.shown(registry, entry),
        "tainted": marked(marks(registry), entry.id),
        "events": _events(registry, entry),
    }


def _events(registry: "Registry", entry: "Entry") -> list[Json]:
    """The events that speak of the commit, newest first."""
    signatures = Signatures(registry)
    first = registry.ids.get(entry.id).event
    return [
        {**shapes.event(logged.event.id, logged.event), **signatures.of(logged)}
        for logged in registry.events_log.about(entry.id, first)
    ]
