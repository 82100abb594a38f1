"""What a commit is made of, through every generation."""

from typing import TYPE_CHECKING, Any

from lineage.server.pages import words
from lineage.server.pages.origins import bar
from lineage.server.pages.site import Site
from lineage.wording import between

if TYPE_CHECKING:
    from lineage.descent.paths import Link
    from lineage.descent.trace import Amount, Inherited, Made, Part
    from lineage.registry import Registry

_MOST = 60  # rows of a table
_FEW = 4  # commits that lack something


def page(site: Site, registry: "Registry", revision: str) -> str:
    """The page of what `revision` is made of.

    Raises:
        NotFound, Ambiguous: when it is not one commit.
    """
    from lineage.descent.trace import trace

    found = trace(registry, revision)
    return site.render(
        "trace",
        of=words.ref(registry, found.subject),
        generation=found.generation,
        distance=found.distance,
        weakest=found.weakest and _link(registry, found.weakest),
        made=[_made(registry, made) for made in found.telling()],
        inherited=[_inherited(registry, each) for each in found.inherited[:_MOST]],
        together=found.together and _amount(found.together),
        gaps=[
            {
                "what": gap.what,
                "where": [words.ref(registry, id_) for id_ in gap.where[:_FEW]],
                "more": len(gap.where[_FEW:]),
            }
            for gap in found.gaps[:_MOST]
        ],
        looked_at=len(found.ancestry.commits),
    )


def _made(registry: "Registry", made: "Made") -> dict[str, Any]:
    counts = {amount.unit: amount.count for amount in made.amounts}
    return {
        "to": words.ref(registry, made.id),
        "amounts": [_amount(amount) for amount in made.amounts],
        "sources": [
            _source(registry, part, counts.get("records"))
            for part in made.parts[:_MOST]
        ],
        "more": len(made.parts[_MOST:]),
    }


def _amount(amount: "Amount") -> dict[str, Any]:
    ranges = (
        f"{between(*map(float, amount.made_of.range(origin)))} {origin}"
        for origin in ("human", "machine")
    )
    unknown = bool(amount.made_of.unknown)
    return {
        "unit": amount.unit,
        "count": amount.count,
        "bar": bar(amount.made_of),
        "ranges": ", ".join(ranges) if unknown else "",
    }


def _source(registry: "Registry", part: "Part", count: int | None) -> dict[str, Any]:
    low, high = map(float, part.shares["records"])
    return {
        "to": words.ref(registry, part.id),
        "origin": part.origin,
        "share": between(low, high),
        "records": f"{low * count:,.0f}" if count is not None and low == high else "",
        "low": low,
        "said": part.said,
        "grade": part.trail.weakest.grade if part.trail else "",
    }


def _inherited(registry: "Registry", each: "Inherited") -> dict[str, Any]:
    return {
        "to": words.ref(registry, each.id),
        "role": each.trail.last.role,
        "amount": each.amount and _amount(each.amount),
        "grade": each.trail.weakest.grade,
    }


def _link(registry: "Registry", link: "Link") -> dict[str, Any]:
    return {
        "child": words.ref(registry, link.child),
        "role": link.role,
        "parent": words.ref(registry, link.parent),
        "grade": link.grade,
    }
