"""The columns of two sides and the JSON types of their values."""

from collections.abc import Iterator, Sequence

from lineage.diff.records.changes import SchemaChange
from lineage.diff.records.engine import Engine
from lineage.diff.records.matching import WIDEST, Matching, pointer

_TYPES = ("null", "boolean", "number", "string", "array", "object")
_NAMED = ("'NULL'", "'BOOLEAN'", "", "'VARCHAR'", "'ARRAY'", "'OBJECT'")
_OTHER = _TYPES.index("number")
_MOST = 100_000  # documents of those that are on one side alone

Types = tuple[str, ...] | None


def types(matching: Matching) -> dict[str, tuple[Types, Types]]:
    """The types that each column has on either side, sorted; None where it is not.

    They are of the records that statistics are of, and of the first 100,000 that are on
    one side alone.
    """
    found: dict[str, tuple[Types, Types]] = {}
    for start in range(0, len(matching.names), WIDEST):
        some = matching.names[start : start + WIDEST]
        found |= dict(zip(some, _types(matching.engine, some), strict=True))
    return found


def _types(engine: Engine, names: Sequence[str]) -> Iterator[tuple[Types, Types]]:
    cases = " ".join(
        f"WHEN {named} THEN {1 << bit}" for bit, named in enumerate(_NAMED) if named
    )
    sets = (
        f"bit_or(CASE json_type(doc, {pointer(name)}) {cases}"
        f" ELSE if(json_type(doc, {pointer(name)}) IS NULL, 0, {1 << _OTHER}) END)"
        f" FILTER (WHERE {side} > 0)"
        for name in names
        for side in "ab"
    )
    row = engine.one(
        f"SELECT {', '.join(sets)} FROM documents JOIN counts USING (k)"
        f" WHERE sampled OR documents.rowid < {_MOST}"
    )
    both = map(_named, row)
    return zip(both, both, strict=True)


def _named(bits: int | None) -> Types:
    found = (name for bit, name in enumerate(_TYPES) if (bits or 0) >> bit & 1)
    return tuple(sorted(found)) or None


def schema(found: dict[str, tuple[Types, Types]]) -> tuple[SchemaChange, ...]:
    """The columns that came, went or changed their types; a null is of any type."""
    return tuple(
        SchemaChange(name, a, b)
        for name, (a, b) in found.items()
        if a is None or b is None or {*a} - {"null"} != {*b} - {"null"}
    )
