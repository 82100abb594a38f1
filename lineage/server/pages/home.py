"""The first page: the registry at a glance."""

from itertools import islice
from typing import TYPE_CHECKING, Any

from lineage import shapes
from lineage.graph import headlines, trend
from lineage.history import Entry, Names, entry
from lineage.measured import metrics
from lineage.releases import live_in
from lineage.server.pages import spark, words
from lineage.server.pages.site import Site
from lineage.taints import standing

if TYPE_CHECKING:
    from lineage.registry import Registry

_LOOPS = 30
_BRANCHES = 15
_EVENTS = 12
_READ = 300  # branches whose commits are looked at to find the newest


def page(site: Site, registry: "Registry") -> str:
    """The registry at a glance: loops, other branches, what is live, newest events."""
    heads = registry.events_log.names("heads")
    loops = [name for name in heads if name.startswith("loop/")]
    others = [name for name in heads if not name.startswith("loop/")]
    newest = [
        registry.events_log.event(oid)
        for oid, _ in islice(registry.events_log.chain(), _EVENTS)
    ]
    return site.render(
        "home",
        counts={
            "commits": len(registry.ids),
            "branches": len(heads),
            "tags": len(registry.events_log.names("tags")),
        },
        taints=len(standing(registry)),
        loops=list(map(_loop, _newest(registry, loops, _LOOPS))),
        more_loops=max(0, len(loops) - _LOOPS),
        branches=_newest(registry, others, _BRANCHES),
        more_branches=max(0, len(others) - _BRANCHES),
        live=[
            {"to": words.ref(registry, id_), "places": places}
            for id_, places in live_in(registry).items()
        ],
        events=[shapes.event(event.id, event) for event in newest],
    )


def _newest(
    registry: "Registry", branches: list[str], most: int
) -> list[dict[str, Any]]:
    """The branches whose tips were recorded last."""
    names = Names.of(registry)
    found = []
    for branch in branches[:_READ]:
        target = registry.target(f"heads/{branch}")
        if target:
            found.append((branch, entry(registry, target.id, names)))
    found.sort(key=lambda pair: -pair[1].number)
    return [_row(registry, *pair) for pair in found[:most]]


def _row(registry: "Registry", branch: str, tip: Entry) -> dict[str, Any]:
    """A branch with its tip, and how its telling metric went."""
    return {
        "branch": branch,
        "tip": words.ref(registry, tip.id),
        "time": tip.time,
        "measured": measured(registry, tip.id),
    }


def _loop(row: dict[str, Any]) -> dict[str, Any]:
    name = row["branch"].removeprefix("loop/")
    return {**row, "name": name, "rejected": name.endswith("@rejected")}


def measured(registry: "Registry", id_: str) -> dict[str, Any] | None:
    """The telling metric of a commit with its course, None where there is none."""
    found = metrics(registry, id_)
    for name in headlines(found)[:1]:
        values = trend(registry, id_, name)
        return {"name": name, "value": found[name].value, "spark": spark.line(values)}
    return None
