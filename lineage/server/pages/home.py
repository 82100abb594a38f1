"""The first page: the registry at a glance."""

from itertools import islice
from typing import TYPE_CHECKING, Any

from lineage import shapes
from lineage.graph import headlines, trend
from lineage.history import Entry, Names, entry
from lineage.indexing import index_of
from lineage.loop.branches import LOOP, REJECTED, loop_of
from lineage.loop.reviews.standing import Reviews
from lineage.measured import metrics
from lineage.releases import live_in
from lineage.server.pages import spark, words
from lineage.server.pages.site import Site
from lineage.taints import standing
from lineage.taints.marks import Marks, marks

if TYPE_CHECKING:
    from lineage.registry import Registry

_LOOPS = 30
_BRANCHES = 15
_EVENTS = 12


def page(site: Site, registry: "Registry") -> str:
    """The registry at a glance: loops, other branches, what is live, newest events."""
    heads = registry.events_log.names("heads")
    loops = {name: oid for name, oid in heads.items() if name.startswith(LOOP)}
    others = {name: oid for name, oid in heads.items() if name not in loops}
    known = marks(registry)
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
        waiting=len(Reviews.read(registry).waiting),
        loops=list(map(_loop, _newest(registry, loops, _LOOPS))),
        more_loops=max(0, len(loops) - _LOOPS),
        branches=_newest(registry, others, _BRANCHES),
        more_branches=max(0, len(others) - _BRANCHES),
        live=[
            {
                "to": words.ref(registry, id_),
                "tainted": bool(known.of(id_)),
                "places": places,
            }
            for id_, places in live_in(registry).items()
        ],
        events=[shapes.event(event.id, event) for event in newest],
    )


def _newest(
    registry: "Registry", branches: dict[str, str], most: int
) -> list[dict[str, Any]]:
    """The branches, by git oid of their tips, whose tips were recorded last."""
    from lineage.store.index_graph import numbers_of_git

    if len(branches) > most:
        with index_of(registry) as index:
            numbers = index.read(lambda ask: numbers_of_git(ask, branches.values()))
        ordered = sorted(branches, key=lambda name: -numbers.get(branches[name], 0))
    else:
        ordered = list(branches)
    names = Names.of(registry)
    tips = [
        (branch, entry(registry, target.id, names))
        for branch in ordered[:most]
        if (target := registry.target(f"heads/{branch}"))
    ]
    tips.sort(key=lambda tip: -tip[1].number)
    known = marks(registry)
    return [_row(registry, *tip, known) for tip in tips]


def _row(registry: "Registry", branch: str, tip: Entry, known: Marks) -> dict[str, Any]:
    """A branch with its tip, and how its telling metric went."""
    return {
        "branch": branch,
        "tip": words.ref(registry, tip.id),
        "tainted": bool(known.of(tip.id)),
        "time": tip.time,
        "measured": measured(registry, tip.id),
    }


def _loop(row: dict[str, Any]) -> dict[str, Any]:
    branch = row["branch"]
    return {**row, "name": loop_of(branch), "rejected": branch.endswith(REJECTED)}


def measured(registry: "Registry", id_: str) -> dict[str, Any] | None:
    """The telling metric of a commit with its course, None where there is none."""
    found = metrics(registry, id_)
    for name in headlines(found)[:1]:
        values = trend(registry, id_, name)
        return {"name": name, "value": found[name].value, "spark": spark.line(values)}
    return None
