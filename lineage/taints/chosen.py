"""From what people call records to their identities."""

from collections.abc import Iterable

from lineage.errors import NotFound
from lineage.records import identity, rows
from lineage.registry import Registry
from lineage.store.objects import is_id
from lineage.store.reading import Progress

_FEW = 5  # named in an error


def identities(
    registry: Registry, id_: str, wanted: Iterable[str], progress: Progress
) -> set[str]:
    """The identities of the records of the dataset `id_` that `wanted` names.

    Each is a record's number (from 1), its identity, or the exact text of any of its
    columns, such as its `id` or `text`; one text may be that of several records.

    Raises:
        NotFound: when one of them is no record of the dataset.
        LineageError: when its bytes are not here.
    """
    left = dict.fromkeys(one for one in wanted if one)
    names = frozenset(left)
    numbers = {int(one): one for one in names if one.isdecimal() and one.isascii()}
    ids = any(map(is_id, names))
    found: set[str] = set()
    for row in rows(registry, id_, progress=progress):
        said = {v for v in row.data.values() if isinstance(v, str)} & names
        if row.number in numbers:
            said.add(numbers[row.number])
        if ids and (own := identity(row.data, row.where)) in names:
            said.add(own)
        if said:
            found.add(row.identity)
            for one in said:
                left.pop(one, None)
    if left:
        raise _unknown(id_, [*left])
    return found


def _unknown(id_: str, left: list[str]) -> NotFound:
    some = ", ".join(map(repr, left[:_FEW])) + ", …" * (len(left) > _FEW)
    hint = "name a record by its number, its identity or its text"
    return NotFound(f"{id_[:12]} has no record {some}", hint=hint)
