"""The columns of two sides and the JSON types of their values."""

from collections.abc import Iterator

from lineage.diff.records.changes import SchemaChange
from lineage.diff.records.engine import Engine, quoted
from lineage.diff.records.forms import extract, pointers
from lineage.diff.records.matching import WIDEST, Matching

_TYPES = ("null", "boolean", "number", "string", "array", "object")
_BEGIN = (
    "n",
    "tf",
    "",
    '"',
    "[",
    "{",
)  # how a value of each is written; others: numbers
_MOST = 100_000  # documents of those that are on one side alone

Types = tuple[str, ...] | None


def types(matching: Matching) -> dict[str, tuple[Types, Types]]:
    """The types that each column has on either side, sorted; None where it is not.

    They are of the records that statistics are of, and of up to 100,000 that are on
    one side alone. The table `vals` has the values of the first columns of all of them.
    """
    found: dict[str, tuple[Types, Types]] = {}
    for start in reversed(range(0, len(matching.names), WIDEST)):
        some = matching.names[start : start + WIDEST]
        matching.engine.run(
            "CREATE OR REPLACE TABLE vals AS SELECT k, a, b, sampled,"
            f" {extract(pointers(some))} AS v FROM documents"
            f" WHERE sampled OR rowid < {_MOST}"
        )
        types = zip(some, _types(matching.engine, len(some)), strict=True)
        found = dict(types) | found
    return found


def _types(engine: Engine, count: int) -> Iterator[tuple[Types, Types]]:
    sets = (
        f"bit_or({_bit(f'v[{index}]')}) FILTER (WHERE {side} > 0)"
        for index in range(1, count + 1)
        for side in "ab"
    )
    row = engine.one(f"SELECT {', '.join(sets)} FROM vals")
    both = map(_named, row)
    return zip(both, both, strict=True)


def _bit(value: str) -> str:
    """The bit of a value's type; 0 where there is none."""
    cases = " ".join(
        f"WHEN {quoted(mark)} THEN {1 << bit}"
        for bit, marks in enumerate(_BEGIN)
        for mark in marks
    )
    other = 1 << _TYPES.index("number")
    known = f"CASE {value}[1] {cases} ELSE {other} END"
    return f"CASE WHEN {value} IS NULL THEN 0 ELSE {known} END"


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
