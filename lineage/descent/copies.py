"""Commits that have the files of another one, and that no edges join with it.

A copy that somebody committed under another name is what the first one is, and its
edges do not say so: neither an impact nor a taint gets there. What the first one came
from is joined with it.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from lineage.registry import Registry
from lineage.walks import ancestors

if TYPE_CHECKING:
    from lineage.store.index import Index
    from lineage.store.index_asking import Ask

_ASKED = 8  # files that a commit is looked for by: two commits seldom share so many


def copies(
    registry: Registry, index: "Index", id_: str, is_reached: Callable[[str], bool]
) -> list[str]:
    """Commits with all files of `id_` that it did not reach, newest first.

    Raises:
        StoreError: when the index cannot be used.
    """
    from lineage.store.index_files import holding_all, largest

    def question(ask: "Ask") -> tuple[list[str], list[str]]:
        files = largest(ask, id_, _ASKED + 1)
        return files, holding_all(ask, files[:_ASKED]) if files else []

    files, holders = index.read(question)
    found = [one for one in holders if one in registry.ids and not is_reached(one)]
    found = _without_ancestors(registry, id_, found)
    if len(files) <= _ASKED:
        return found
    all_of_it = _files(registry, id_)
    return [other for other in found if all_of_it <= _files(registry, other)]


def _without_ancestors(registry: Registry, id_: str, found: Iterable[str]) -> list[str]:
    """Those that are neither the commit nor before it; only older ones can be that."""
    number = registry.ids.get(id_).number
    others = [other for other in found if other != id_]
    if all(registry.ids.get(other).number > number for other in others):
        return others
    before = ancestors(registry, [id_])
    return [other for other in others if other not in before]


def _files(registry: Registry, id_: str) -> set[str]:
    """The SHA-256s of a commit's files; an empty one says nothing."""
    return {e.sha256 for e in registry.files(id_) if not e.is_directory and e.size}
