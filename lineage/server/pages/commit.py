"""The page of one commit: made of, used by, what changed, and what was said of it."""

from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from lineage import shapes
from lineage.audit.words import flat
from lineage.graph import headlines
from lineage.history import Names, entry
from lineage.indexing import index_of
from lineage.server.pages import changed, judged, near, origins, tainted, words
from lineage.server.pages.site import Site, fields
from lineage.store.event_reading import Logged
from lineage.store.objects import BACK
from lineage.store.order import in_order

if TYPE_CHECKING:
    from lineage.registry import Registry
    from lineage.store.index_asking import Ask
    from lineage.store.index_query import Child

_FILES = 100  # on the page; the API gives all
_CHILDREN = 40
_PARAMS = 200
_EVENTS = 60
_TILES = 4


def page(site: Site, registry: "Registry", id_: str) -> str:
    """The page of the commit `id_`, a full id.

    Raises:
        NotFound: when it is not here.
    """
    found = entry(registry, id_, Names.of(registry))
    data = shapes.shown(registry, found)
    around = _around(registry, id_)
    events = _events(registry, around.events)
    change = changed.since_before(registry, id_)
    first = Logged(registry.ids.get(id_).event, registry.first_event(id_))
    params = flat({**data["params"], **data["extra"]})
    return site.render(
        "commit",
        data=data,
        title=words.title(found.commit, found.generation),
        signature=judged.signature(registry, first),
        tainted=tainted.of(registry, id_),
        tiles=_tiles(data, change),
        made_of=_edges(registry, data),
        shares=any(edge["share"] for edge in data["edges"]),
        origins=origins.at_once(registry, id_),
        used_by=_used_by(registry, around),
        drawing=near.drawing(site, registry, id_),
        change=change,
        facts=_facts(data),
        params=params[:_PARAMS],
        more_params=len(params[_PARAMS:]),
        files=data["files"][:_FILES],
        first=first.event.id,
        later=[one for one in events if one["type"] != "commit"],
        verdicts=[one for one in events if one["type"] == "review"],
    )


class _Around(NamedTuple):
    """What the index knows of a commit: the newest that name it, how many, events."""

    total: int
    children: "list[Child]"
    events: list[str]


def _around(registry: "Registry", id_: str) -> _Around:
    from lineage.store.index_events import speaking_of
    from lineage.store.index_query import named_by

    def question(ask: "Ask") -> _Around:
        events = speaking_of(ask, id_, _EVENTS)
        return _Around(*named_by(ask, id_, _CHILDREN), events)

    with index_of(registry) as index:
        return index.read(question)


def _events(registry: "Registry", oids: list[str]) -> list[dict[str, Any]]:
    """What events say of the commit, the newest first."""
    told = list(registry.events_log.many(oids))
    return [
        {
            **shapes.event(logged.event.id, logged.event),
            "signature": judged.signature(registry, logged),
        }
        for logged in in_order(registry.git, told[::-1])[::-1]
    ]


def _tiles(
    data: dict[str, Any], change: "changed.Changed | None"
) -> list[dict[str, Any]]:
    """The headline metrics, each with what it did since the commit before."""
    moved = {one.name: one for one in change.metrics} if change else {}
    return [
        {"name": name, **data["metrics"][name], "change": moved.get(name)}
        for name in headlines(_metrics(data))[:_TILES]
    ]


def _metrics(data: dict[str, Any]) -> dict[str, Any]:
    from lineage.store.objects import Metric

    known = Metric.__match_args__
    return {
        name: Metric(**{key: said[key] for key in known})
        for name, said in data["metrics"].items()
    }


def _edges(registry: "Registry", data: dict[str, Any]) -> list[dict[str, Any]]:
    """The edges by role, those that bring something first."""
    edges = [
        {**edge, "to": words.ref(registry, edge["id"]), "part": words.share(edge)}
        for edge in data["edges"]
    ]
    edges.sort(key=lambda edge: (edge["role"] in BACK, edge["role"] != "includes"))
    groups = groupby(edges, key=lambda edge: edge["role"])
    return [{"role": role, "edges": list(some)} for role, some in groups]


def _used_by(registry: "Registry", found: _Around) -> dict[str, Any]:
    """How many commits name this one, and the newest of them."""
    uses = [
        {"role": child.role, "by": words.ref(registry, child.id)}
        for child in found.children
    ]
    return {"count": found.total, "uses": uses, "more": found.total - len(uses)}


def _facts(data: dict[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """What the manifest says in fields of their own."""
    told = {"origin": "type", "external": "uri", "code": ""}
    return [(key, fields(data[key], first)) for key, first in told.items() if data[key]]
