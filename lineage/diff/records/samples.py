"""A few records of each sort, cut short."""

import json
from bisect import bisect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lineage.diff.comparison import Options
from lineage.diff.records.changes import Sample
from lineage.diff.records.forms import loaded
from lineage.diff.records.matching import NEW, OLD, Matching
from lineage.records.values import canonical_record

_LONGEST = 120  # characters of a value
_WIDEST = 12  # columns

# By sort: its side, and the documents with their first place and number of copies.
_SORTS: Mapping[str, tuple[int, str]] = {
    "added": (
        NEW,
        (
            "SELECT k_b AS k, first_b AS place, b - a AS copies FROM ids"
            " WHERE b > a {unpaired} ORDER BY first_b"
        ),
    ),
    "removed": (
        OLD,
        (
            "SELECT k_a AS k, first_a AS place, a - b AS copies FROM ids"
            " WHERE a > b {unpaired} ORDER BY first_a"
        ),
    ),
    "duplicated": (
        NEW,
        (
            "SELECT k, place, copies FROM"
            " (SELECT k_b AS k, first_b AS place, b AS copies FROM ids"
            "  UNION ALL SELECT k, first_b, b FROM counts WHERE a = b)"
            " WHERE copies > 1 ORDER BY copies DESC, place"
        ),
    ),
}


def samples(
    matching: Matching, paths: Sequence[str], options: Options, *, paired: bool
) -> tuple[Sample, ...]:
    """The first records that were added, removed and changed, and the most frequent."""
    where = {
        "added": "AND id NOT IN (SELECT id_b FROM pairs)" if paired else "",
        "removed": "AND id NOT IN (SELECT id_a FROM pairs)" if paired else "",
    }
    found: list[Sample] = []
    for what, (side, query) in _SORTS.items():
        if what == "duplicated" and paired:
            found += _changed(matching, paths, options)
        chosen = query.format(unpaired=where.get(what, ""))
        rows = matching.engine.rows(
            "SELECT doc, place, copies FROM documents JOIN"
            f" ({chosen} LIMIT {options.samples}) USING (k) ORDER BY place"
        )
        for document, place, copies in rows:
            path, number = _place(matching, paths, side, place)
            record = short(loaded(document))
            found.append(Sample(what, path, number, copies, record))
    return tuple(found)


def _changed(
    matching: Matching, paths: Sequence[str], options: Options
) -> Iterator[Sample]:
    rows = matching.engine.rows(
        "SELECT x.doc, y.doc, pairs.first_b FROM"
        f" (FROM pairs ORDER BY first_b LIMIT {options.samples}) AS pairs"
        " JOIN documents AS x ON x.k = k_a JOIN documents AS y ON y.k = k_b"
        " ORDER BY pairs.first_b"
    )
    for old, new, place in rows:
        path, number = _place(matching, paths, NEW, place)
        record = _difference(loaded(old), loaded(new), options.key)
        yield Sample("changed", path, number, 1, record)


def _difference(
    old: Mapping[str, Any], new: Mapping[str, Any], key: Sequence[str]
) -> dict[str, Any]:
    """The key as it is, and what changed as ``[old, new]``."""
    changed = {
        name: [_cut(side.get(name)) for side in (old, new)]
        for name in sorted({*old, *new} - set(key))
        if _value(old, name) != _value(new, name)
    }
    return short({name: new[name] for name in key}) | _few(changed)


def _value(record: Mapping[str, Any], name: str) -> bytes | None:
    return canonical_record({name: record[name]}) if name in record else None


def _place(
    matching: Matching, paths: Sequence[str], side: int, place: int
) -> tuple[str, int]:
    """The file of a row of `lines`, and its number there."""
    files = [
        taken
        for taken in matching.taken
        if taken.side == side and taken.end > taken.start
    ]
    taken = files[bisect([each.start for each in files], place) - 1]
    return paths[taken.file], place - taken.start + 1


def short(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record of a few columns, its long values cut."""
    return _few({name: _cut(value) for name, value in record.items()})


def _few(record: Mapping[str, Any]) -> dict[str, Any]:
    shown = dict(list(record.items())[:_WIDEST])
    more = len(record) - len(shown)
    return shown | {"…": f"{more} more"} if more else shown


def _cut(value: Any) -> Any:
    """A value that is not long; an object or list that is becomes a piece of JSON."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if abs(value) < 2**53 else _cut(str(value))
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    whole = len(text) <= _LONGEST
    if isinstance(value, float) and text in ("NaN", "Infinity", "-Infinity"):
        return text
    return value if whole else text[: _LONGEST - 1] + "…"
