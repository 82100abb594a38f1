"""Commits by revset, the newest first, some at a time."""

from typing import TYPE_CHECKING, NamedTuple

from lineage.errors import LineageError
from lineage.graph import KIND_ORDER
from lineage.indexing import index_of
from lineage.resolving import read
from lineage.server.pages.rows import rows
from lineage.server.pages.site import Site

if TYPE_CHECKING:
    from lineage.registry import Registry
    from lineage.store.index_asking import Ask

_MOST = 50
EXAMPLES = {
    "latest(all(), 20)": "the newest 20",
    "heads(all())": "what nothing came of yet",
    "tainted()": "what a taint reached",
    "children(roots(kind(dataset))) & kind(model)": "models of what came from nowhere",
    "metric(perplexity < 30)": "what measured that well",
    "generation(0..1)": "what is at most one turn from human data",
    "tagged() | released()": "what has a tag, or is live",
}


def one_commit(registry: "Registry", asked: str) -> str | None:
    """The commit that a text names, where it names one; no set means that."""
    try:
        reading = read(registry, asked) if asked else None
    except LineageError:
        return None  # the page says what is wrong
    return reading.ids[0] if reading and reading.is_revision else None


def page(
    site: Site, registry: "Registry", asked: str, kind: str, after: str
) -> tuple[str, int]:
    """The commits of a revset, or else all (of a kind), behind the commit `after`.

    With the page's status.
    """
    error, found = None, _Found([], 0, more=False)
    try:
        found = _found(registry, asked, kind, after)
    except LineageError as wrong:
        error = wrong
    last = found.ids[-1] if found.more else ""
    shown = site.render(
        "search",
        asked=asked,
        kind=kind,
        kinds=KIND_ORDER,
        examples=EXAMPLES,
        rows=rows(registry, found.ids),
        count=found.total,
        older=site.href("search", q=asked, kind=kind, after=last) if last else "",
        newest=site.href("search", q=asked, kind=kind) if after else "",
        error=error and _said(error),
    )
    return shown, 400 if error else 200


class _Found(NamedTuple):
    """Some ids, how many there are in all, and whether there are more behind."""

    ids: list[str]
    total: int
    more: bool


def _found(registry: "Registry", asked: str, kind: str, after: str) -> _Found:
    start = registry.ids.get(after).number if after else None
    if not asked:
        return _newest(registry, kind or None, start)
    found = read(registry, asked).ids
    behind = found
    if start is not None:
        behind = [id_ for id_ in found if registry.ids.get(id_).number < start]
    return _Found(behind[:_MOST], len(found), len(behind) > _MOST)


def _newest(registry: "Registry", kind: str | None, start: int | None) -> _Found:
    """What the index knows without looking at all."""
    from lineage.store.index_query import counted, newest

    def question(ask: "Ask") -> _Found:
        ids = newest(ask, _MOST + 1, before=start, kind=kind)
        count = counted(ask, kind) if kind else len(registry.ids)
        return _Found(ids[:_MOST], count, len(ids) > _MOST)

    with index_of(registry) as index:
        return index.read(question)


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
