"""What `log` shows: where a history starts or which set it is, and what is let through.

Open `scope` for what revisions mean there, and `filtered` for what filters do.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lineage.history import Entry
    from lineage.registry import Registry
    from lineage.search import Filters


class Scope(NamedTuple):
    """What to show: all that `starts` came from or, where they are given, `members`.

    A history has every commit between two that it has; other sets have gaps.
    """

    starts: list[str]
    members: list[str] | None = None
    is_history: bool = True


def scope(
    registry: "Registry", revsets: Sequence[str], *, everything: bool = False
) -> Scope:
    """What the union of `revsets` shows; `everything` is every branch and tag."""
    from lineage.resolving import read
    from lineage.revisions import newest_first
    from lineage.walks import ancestors

    readings = [read(registry, text) for text in revsets]
    starts = [r.ids[0] for r in readings if r.is_revision]
    if everything:
        starts += [*registry.branches().values(), *registry.tags().values()]
    sets = [r for r in readings if not r.is_revision]
    if not sets:
        return Scope(starts if readings or everything else [registry.resolve("HEAD")])
    members = {id_ for reading in sets for id_ in reading.ids}
    members |= ancestors(registry, starts)
    is_history = all(r.is_range for r in sets)
    return Scope(starts, newest_first(registry, members), is_history)


def filtered(
    registry: "Registry", scope: Scope, filters: "Filters", limit: int | None = None
) -> "Iterator[Entry]":
    """The commits of `scope` that the filters let through, newest first.

    At most `limit`. The index is opened only where it has to be asked.
    """
    from lineage.history import Names, entry

    if not filters.of_values:
        found = _entries(registry, scope)
        right = (one for one in found if filters.kind in (None, one.commit.kind))
        return islice(right, limit)
    ids, names = _ids(registry, scope, filters, limit), Names.of(registry)
    return (entry(registry, id_, names) for id_ in ids)


def _entries(registry: "Registry", scope: Scope) -> "Iterator[Entry]":
    from lineage.history import Names, entry, walk

    if scope.members is None:
        return walk(registry, scope.starts)
    names = Names.of(registry)
    return (entry(registry, id_, names) for id_ in scope.members)


def _ids(
    registry: "Registry", scope: Scope, filters: "Filters", limit: int | None
) -> list[str]:
    from lineage.search import search

    if scope.members is None:
        return search(registry, filters, starts=scope.starts, limit=limit)
    return search(registry, filters, among=set(scope.members), limit=limit)
