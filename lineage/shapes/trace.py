"""What `trace` says as JSON and as rows; docs/json.md describes both."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from lineage import shapes
from lineage.shapes import Json
from lineage.shapes.tainted import marked

if TYPE_CHECKING:
    from lineage.descent.paths import Link, Trail
    from lineage.descent.shares import Composition
    from lineage.descent.trace import Amount, Inherited, Made, Part, Trace
    from lineage.registry import Registry

_ORIGINS = ("human", "machine")
_SAID = ("type", "source", "licence", "by")
_FAR = 1000  # links


def traced(registry: "Registry", found: "Trace") -> Json:
    """Everything."""
    from lineage.taints.marks import marks

    return {
        **_named(registry, found.subject),
        "tainted": marked(marks(registry), found.subject),
        "distance": found.distance and found.distance._asdict(),
        "weakest": _link(found.weakest) if found.weakest else None,
        "made_of": [_made(registry, made) for made in found.made],
        "inherited": [_inherited(registry, each) for each in found.inherited],
        "together": _amount(found.together) if found.together else None,
        "gaps": [{"what": gap.what, "where": list(gap.where)} for gap in found.gaps],
        "ancestry": list(_ancestry(registry, found)),
    }


def rows(registry: "Registry", found: "Trace") -> Iterator[Json]:
    """One source of one commit's records each."""
    for made in found.made:
        for part in made.parts:
            one = _part(registry, part)
            del one["path"]
            one["said"] = one["said"] or dict.fromkeys(_SAID)
            yield {"of": made.id, **one}


def _named(registry: "Registry", id_: str) -> Json:
    if id_ not in registry.ids:
        return {"id": id_, "kind": None, "name": None, "generation": None}
    commit = registry.load(id_)
    generation = registry.ids.get(id_).generation
    return {"id": id_, "kind": commit.kind, "name": commit.name,
            "generation": generation}  # fmt: skip


def _made(registry: "Registry", made: "Made") -> Json:
    return {
        **_named(registry, made.id),
        **_amounts(made.amounts),
        "sources": [_part(registry, part) for part in made.parts],
    }


def _amounts(amounts: Iterable["Amount"]) -> Json:
    told = {amount.unit: _amount(amount) for amount in amounts}
    return {unit: told.get(unit) for unit in ("records", "tokens")}


def _amount(amount: "Amount") -> Json:
    return {"count": amount.count, **composition(amount.made_of)}


def composition(made_of: "Composition") -> Json:
    """How much of some records is human, machine-written and unknown."""
    shares = {origin: shapes.share(*made_of.range(origin)) for origin in _ORIGINS}
    unknown = {"share": float(made_of.unknown), "exact": shapes.exact(made_of.unknown)}
    return {**shares, "unknown": unknown}


def _part(registry: "Registry", part: "Part") -> Json:
    shares = {unit: shapes.share(*share) for unit, share in part.shares.items()}
    said = part.said
    return {
        "origin": part.origin,
        **_named(registry, part.id),
        **{unit: shares.get(unit) for unit in ("records", "tokens")},
        "said": said and {name: getattr(said, name) for name in _SAID},
        "grade": part.trail.weakest.grade if part.trail else None,
        "path": _path(part.trail) if part.trail else [],
    }  # fmt: skip


def _inherited(registry: "Registry", each: "Inherited") -> Json:
    return {
        **_named(registry, each.id),
        "role": each.trail.last.role,
        "records": _amount(each.amount) if each.amount else None,
        "grade": each.trail.weakest.grade,
        "via": each.trail.last.child,
    }


def _path(trail: "Trail") -> list[Json] | None:
    """The links of a path, unless it is too long to be read."""
    if trail.length > _FAR:
        return None
    return [_link(link) for link in trail.links()]


def _link(link: "Link") -> Json:
    return {"child": link.child, "role": link.role, "parent": link.parent,
            "grade": link.grade}  # fmt: skip


def _ancestry(registry: "Registry", found: "Trace") -> Iterator[Json]:
    """Every commit that was looked at, the subject first, with its edges."""
    ancestry = found.ancestry
    for id_ in reversed(ancestry.order):
        commit = ancestry.commits[id_]
        edges = [
            {"role": edge.role, "id": edge.id, "share": edge.share,
             "evidence": edge.evidence, "grade": ancestry.grade(id_, edge)}
            for edge in commit.edges
        ]  # fmt: skip
        yield {**_named(registry, id_), "edges": edges}
