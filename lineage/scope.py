"""What `log` shows: where a history starts or which set it is, and what is let through.

Open `scope` for what revisions mean there, and `filtered` for what filters do.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from lineage.history import Entry
    from lineage.registry import Registry


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
    registry: "Registry", scope: Scope, kind: str | None, wanted: dict[str, Any]
) -> "Iterator[Entry]":
    """The commits of `scope` that the filters let through, newest first.

    Filters that speak of values ask the index; it is not even imported for others.
    """
    from lineage.history import Names, entry, walk
    from lineage.store.objects import check_kind

    if kind is not None:
        check_kind(kind)
    names, members = Names.of(registry), scope.members
    if not any(wanted.values()):
        found = walk(registry, scope.starts)
        if members is not None:
            found = (entry(registry, id_, names) for id_ in members)
        return (entry for entry in found if kind in (None, entry.commit.kind))
    from lineage.search import Filters, search

    filters = Filters(kind=kind, **wanted)
    if members is None:
        ids = search(registry, filters, starts=scope.starts)
    else:
        ids = search(registry, filters, among=set(members))
    return (entry(registry, id_, names) for id_ in ids)
