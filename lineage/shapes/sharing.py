"""What travelled, as push, fetch and pull have it; docs/json.md describes it."""

from typing import TYPE_CHECKING

from lineage.shapes import Json

if TYPE_CHECKING:
    from lineage.registry import Registry
    from lineage.sharing.fetch import Fetched
    from lineage.sharing.pull import Pulled
    from lineage.sharing.push import Pushed
    from lineage.transfer.moving import Moved


def pushed_of(registry: "Registry", pushed: "Pushed") -> Json:
    """What a push gave."""
    return {
        **_told(registry, pushed),
        "names": pushed.names,
        "tags": list(pushed.tags),
        "payloads": moved_of(pushed.payloads),
    }


def fetched_of(registry: "Registry", fetched: "Fetched") -> Json:
    """What a fetch brought."""
    return _told(registry, fetched)


def pulled_of(registry: "Registry", pulled: "Pulled", moved: "Moved | None") -> Json:
    """What a pull brought, and what it meant for names here."""
    changes = [move.change() for move in pulled.merged.moves if pulled.event]
    return {
        **_told(registry, pulled.fetched),
        "pull": pulled.event,
        "refs": [change._asdict() for change in changes],
        "doubled": pulled.merged.doubled,
        "renamed": pulled.merged.renamed,
        "payloads": moved_of(moved),
    }


def moved_of(moved: "Moved | None") -> Json | None:
    """Payloads that travelled."""
    keys = ("objects", "bytes", "packs", "pack_bytes")
    return {key: getattr(moved, key) for key in keys} if moved else None


def _told(registry: "Registry", found: "Pushed | Fetched") -> Json:
    return {
        "remote": found.remote.name,
        "url": found.remote.url,
        "event": registry.events_log.event(found.tip).id,
        "events": found.events,
        "commits": found.commits,
    }
