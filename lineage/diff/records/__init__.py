"""What changed in the records of datasets, as data.

A record is its canonical value (`lineage.records.identity`), so the order of keys,
blanks and the file format do not matter. Files of the same bytes on both sides are
never read: their records cancel. Everything else is read by duckdb, in bounded memory.
"""

from lineage.diff.comparison import Comparison
from lineage.diff.parts import Pair
from lineage.diff.records.changes import (
    ColumnChange,
    Distribution,
    RecordChanges,
    Sample,
    SchemaChange,
)
from lineage.errors import LineageError

__all__ = [
    "ColumnChange",
    "Distribution",
    "RecordChanges",
    "Sample",
    "SchemaChange",
    "compare",
]


def compare(what: Comparison) -> tuple[RecordChanges, ...]:
    """The changes of each pair of datasets that differ in their records.

    A note says what could not be compared, and why.
    """
    found = (_compared(what, pair) for pair in what.pairs if _applies(pair))
    return tuple(changes for changes in found if changes)


def _applies(pair: Pair) -> bool:
    return bool(pair.a or pair.b) and all(c.kind == "dataset" for c in pair.commits)


def _compared(what: Comparison, pair: Pair) -> RecordChanges | None:
    from lineage.diff.records.comparing import compare_files
    from lineage.diff.records.sources import sources

    label = f"{pair.label}: " if pair.label else ""
    notes: list[str] = []
    try:
        found = sources(what.registry, pair, notes)
        if not found.differ:
            return None
        home = what.registry.home
        changes = compare_files(found, pair.label, what.options, home, notes)
    except LineageError as error:
        then = f"; {error.hint}" if error.hint else ""
        notes.append(f"records are not compared: {error}{then}")
        return None
    else:
        if not (changes or notes):
            what.alike.append(("records", pair.label))
        return changes
    finally:
        what.notes.extend(label + note for note in notes)
