"""Two commits side by side: what changed from one to the other."""

from typing import TYPE_CHECKING, Any

from lineage.diff import diff
from lineage.server.pages import changed, origins, words
from lineage.server.pages.site import Site
from lineage.shapes.diff import diffed

if TYPE_CHECKING:
    from lineage.diff import Diff
    from lineage.registry import Registry

AT_ONCE = ("metrics", "params", "config", "files")
READ = ("records", "tensors", "tokenizer")  # large files are read for these
_MOST = 100  # rows of a table


def page(site: Site, registry: "Registry", a: str, b: str, read: str) -> str:
    """The page that compares `a`, taken as the older one, with `b`.

    `read` is one of `READ`, to compare that too.

    Raises:
        NotFound, Ambiguous, UsageError: when one of them is not one commit.
        StoreError: when files that have to be read are not here.
    """
    chosen = [read] if read in READ else []
    found = diff(registry, a, b, (*AT_ONCE, *chosen))
    return site.render(
        "compare",
        sides=[_side(registry, found, side) for side in "ab"],
        found=found,
        metrics=found.metrics[:_MOST],
        settings={"params": found.params[:_MOST], "config": found.config[:_MOST]},
        counts=changed.counted(found.files),
        files=_files(found),
        more=_more(found),
        read=read,
        readable=READ,
        details=diffed(found, chosen)[read] if chosen else None,
        most=_MOST,
    )


def _side(registry: "Registry", found: "Diff", side: str) -> dict[str, Any]:
    """One of the two: what it is, is made of, and alone has."""
    id_ = getattr(found, side)
    return {
        "to": words.ref(registry, id_),
        "origins": origins.at_once(registry, id_),
        "alone": found.only_in(side),
    }


def _files(found: "Diff") -> list[dict[str, Any]]:
    """The files that differ, by what happened to them."""
    rows = [
        {"what": kind, "change": change}
        for kind in changed.SORTS
        for change in getattr(found.files, kind)
    ]
    return rows[:_MOST]


def _more(found: "Diff") -> dict[str, int]:
    """How many rows of each table are not on the page."""
    counts = {
        "metrics": len(found.metrics),
        "params": len(found.params),
        "config": len(found.config),
        "files": sum(changed.counted(found.files).values()),
    }
    return {name: max(0, count - _MOST) for name, count in counts.items()}
