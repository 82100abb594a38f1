"""Commits by revset, the newest first, some at a time."""

from typing import TYPE_CHECKING

from lineage.errors import LineageError
from lineage.indexing import index_of
from lineage.revisions import read
from lineage.server.pages.rows import rows
from lineage.server.pages.site import Site

if TYPE_CHECKING:
    from lineage.registry import Registry

_MOST = 50
KINDS = ("generation", "model", "dataset", "config")
EXAMPLES = {
    "latest(all(), 20)": "the newest 20",
    "heads(all())": "what nothing came of yet",
    "tainted()": "what a taint reached",
    "descendants(dataset/seed) & kind(model)": "models that something went into",
    "metric(perplexity < 30)": "what measured that well",
    "loop/b..loop/a": "what one branch has and another has not",
}


def one_commit(registry: "Registry", asked: str) -> str | None:
    """The commit that a text names, where it names one; no set means that."""
    try:
        reading = read(registry, asked) if asked else None
    except LineageError:
        return None  # the page says what is wrong
    return reading.ids[0] if reading and reading.is_revision else None


def page(site: Site, registry: "Registry", asked: str, after: str) -> tuple[str, int]:
    """The commits of a revset behind the commit `after`, with the page's status."""
    error = None
    try:
        ids, count, more = _found(registry, asked, after)
    except LineageError as found:
        error, ids, count, more = found, [], 0, False
    shown = site.render(
        "search",
        asked=asked,
        kinds=KINDS,
        examples=EXAMPLES,
        rows=rows(registry, ids),
        count=count,
        older=site.href("search", q=asked, after=ids[-1]) if more else "",
        newest=site.href("search", q=asked) if after else "",
        error=error and _said(error),
    )
    return shown, 400 if error else 200


def _found(registry: "Registry", asked: str, after: str) -> tuple[list[str], int, bool]:
    """Some ids, how many there are at all, and whether there are more behind."""
    start = registry.ids.get(after).number if after else None
    if not asked:
        ids = _newest(registry, start)
        return ids[:_MOST], len(registry.ids), len(ids) > _MOST
    found = read(registry, asked).ids
    behind = found
    if start is not None:
        behind = [id_ for id_ in found if registry.ids.get(id_).number < start]
    return behind[:_MOST], len(found), len(behind) > _MOST


def _newest(registry: "Registry", start: int | None) -> list[str]:
    from lineage.store.index_query import newest

    with index_of(registry) as index:
        return index.read(lambda ask: newest(ask, _MOST + 1, before=start))


def _said(error: LineageError) -> dict[str, str]:
    """What is wrong with a question, and where."""
    place = error.place
    if place is None:
        return {"says": str(error), "hint": error.hint}
    return {
        "says": str(error),
        "hint": error.hint,
        "before": place.text[: place.start],
        "at": place.text[place.start : place.end] or " ",
        "behind": place.text[place.end :],
    }
