"""What a commit reached: everything that came of it, with its dose."""

from typing import TYPE_CHECKING, Any

from lineage.graph import KIND_ORDER
from lineage.server.pages import tainted, words
from lineage.server.pages.site import Site
from lineage.shapes.impact import reached as shaped
from lineage.wording import between

if TYPE_CHECKING:
    from lineage.registry import Registry

_MOST = 100  # rows of a table


def page(site: Site, registry: "Registry", revision: str) -> str:
    """The page of what `revision` reached.

    Raises:
        NotFound, Ambiguous: when it is not one commit.
    """
    from lineage.descent.impact import impact

    found = impact(registry, registry.resolve(revision), limit=_MOST)
    told = shaped(registry, found, _MOST)
    return site.render(
        "impact",
        of=words.ref(registry, found.source),
        tainted=tainted.of(registry, found.source),
        kinds={kind: told["kinds"][kind] for kind in KIND_ORDER if told["kinds"][kind]},
        told=told,
        tips=[_branch(registry, each) for each in told["branches"]],
        rows=[_row(registry, each) for each in told["reached"]],
        measured=[words.ref(registry, each["id"]) for each in told["measured"]],
        copies=[words.ref(registry, each["id"]) for each in told["copies"]],
        ranges=[
            (words.ref(registry, each.id), each.why) for each in found.ranges[:_MOST]
        ],
        more={
            "branches": len(found.branches) - len(told["branches"]),
            "reached": found.count - len(told["reached"]),
            "ranges": max(0, len(found.ranges) - _MOST),
            "measured": found.measurements - len(told["measured"]),
            "copies": len(found.copies) - len(told["copies"]),
        },
    )


def _branch(registry: "Registry", found: dict[str, Any]) -> dict[str, Any]:
    clean = found["clean"]
    return {
        **found,
        "first": words.ref(registry, found["first"]),
        "clean": clean and words.ref(registry, clean),
    }


def _row(registry: "Registry", found: dict[str, Any]) -> dict[str, Any]:
    """A commit with how much of the source is in it, in words."""
    dose = found["dose"]
    shares = {name: _share(dose[name]) for name in ("records", "written")}
    return {**found, "to": words.ref(registry, found["id"]), **shares}


def _share(found: dict[str, Any] | None) -> str:
    """A share with its count where that is known."""
    if found is None:
        return ""
    both = between(found["low"], found["high"])
    counts = " to ".join(f"{n:,}" for n in dict.fromkeys(found["count"] or ()))
    return f"{counts}, {both}" if counts and found["high"] else both
