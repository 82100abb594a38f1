"""The log: who changed the registry, when and why; some events at a time, or one."""

from typing import TYPE_CHECKING, Any

from lineage import shapes
from lineage.audit.words import flat
from lineage.errors import NotFound
from lineage.events import Wanted, some
from lineage.indexing import index_of
from lineage.moments import find_event
from lineage.server.pages import judged, words
from lineage.server.pages.site import Site

if TYPE_CHECKING:
    from lineage.registry import Registry
    from lineage.store.event_reading import Logged

FILTERS = ("type", "author", "ref", "since", "until")

_MOST = 50
_TABLE = 100  # moves, commits and values of one event


def page(
    site: Site, registry: "Registry", wanted: dict[str, str], tip: str, seen: int
) -> str:
    """The events that are `wanted`, the newest first, `seen` of all left out.

    They are those that the event `tip`, by its git oid, knows: later ones move none.

    Raises:
        UsageError: for a date that is none.
        NotFound: when `tip` is no event of this log.
    """
    log = registry.events_log
    if tip and not log.holds(tip):
        raise NotFound(f"there is no event {tip}", hint="the log lists all events")
    tip = tip or log.tip() or ""
    found, after = some(registry, _asked(wanted), _MOST, seen=seen, tip=tip or None)
    older = site.href("events", **wanted, tip=tip, seen=after)
    return site.render(
        "events",
        events=[_row(registry, logged) for logged in found],
        wanted=wanted,
        older=older if after else "",
        newest=site.href("events", **wanted) if seen else "",
    )


def _asked(wanted: dict[str, str]) -> Wanted:
    types = (wanted["type"],) if wanted["type"] else ()
    given = {key: wanted[key] or None for key in FILTERS if key != "type"}
    return Wanted(types=types, **given)


def _row(registry: "Registry", logged: "Logged") -> dict[str, Any]:
    told = shapes.event(logged.event.id, logged.event)
    subject = told["subject"]
    return {
        **told,
        "signature": judged.signature(registry, logged),
        "to": words.ref(registry, subject) if subject else None,
    }


def _logged(registry: "Registry", prefix: str) -> "Logged":
    """The event of an id, which the index knows, or of the beginning of one."""
    from lineage.store.index_events import event_of

    with index_of(registry) as index:
        oid = index.read(lambda ask: event_of(ask, prefix))
    return (
        next(registry.events_log.many([oid])) if oid else find_event(registry, prefix)
    )


def one(site: Site, registry: "Registry", prefix: str) -> str:
    """One event in full.

    Raises:
        NotFound, Ambiguous: when `prefix` is no event's, or several events'.
    """
    logged = _logged(registry, prefix)
    told = shapes.whole_event(logged)
    values = flat({**told["data"], **told["extra"]})
    return site.render(
        "event",
        event={**told, **_row(registry, logged)},
        commits=[words.ref(registry, each["id"]) for each in told["commits"][:_TABLE]],
        refs=told["refs"][:_TABLE],
        values=values[:_TABLE],
        more=sum(
            len(all_[_TABLE:]) for all_ in (told["commits"], told["refs"], values)
        ),
    )
