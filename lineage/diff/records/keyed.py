"""Records that a key tells apart: the same one on both sides may have changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lineage.diff.records.engine import Engine
from lineage.diff.records.forms import CANONICAL, extract, form, pointers
from lineage.diff.records.matching import TEXTS, WIDEST, Matching

_SIDES = ("old", "new")


@dataclass(frozen=True, slots=True)
class Keyed:
    """How many records changed, and how often each column did."""

    changed: int
    columns: Mapping[str, int]


def keyed(matching: Matching, key: Sequence[str], notes: list[str]) -> Keyed | None:
    """Match by key what is left; the table `pairs` has the documents of each pair.

    None, with a note, where the key does not tell the records of a side apart.
    """
    engine, named = matching.engine, " and ".join(key)
    if not _unique(engine, named, notes):
        return None
    engine.run(
        "CREATE TABLE pairs AS SELECT r.k_a, r.first_a, r.id AS id_a,"
        " n.k_b, n.first_b, n.id AS id_b FROM"
        " (SELECT ids.*, key FROM ids JOIN lines ON lines.rowid = first_a"
        "  WHERE ids.a > ids.b) AS r JOIN"
        " (SELECT ids.*, key FROM ids JOIN lines ON lines.rowid = first_b"
        "  WHERE ids.b > ids.a) AS n ON r.key = n.key"
    )
    (changed,) = engine.one("SELECT count(*) FROM pairs")
    matching.rewrite(
        "k IN (SELECT k_a FROM pairs UNION SELECT k_b FROM pairs)"
        " AND k IN (SELECT k FROM prints WHERE nested)"
    )
    return Keyed(changed, _columns(engine, matching.names))


def _unique(engine: Engine, named: str, notes: list[str]) -> bool:
    """Whether no key is there twice on a side; notes say if not, or who lacks it."""
    found = engine.rows(
        "SELECT side, count(*), count(key), count(DISTINCT key) FROM lines"
        " GROUP BY side ORDER BY side"
    )
    for side, records, present, distinct in found:
        if distinct < present:
            notes.append(
                f"the key {named} is not unique: {present:,} {_SIDES[side]} records"
                f" have {distinct:,} keys; what changed is shown as added and removed"
            )
            return False
        if present < records:
            notes.append(
                f"{records - present:,} of {records:,} {_SIDES[side]} records have no"
                f" {named}: they can only be added or removed"
            )
    return True


def _columns(engine: Engine, names: Sequence[str]) -> Mapping[str, int]:
    """In how many pairs each column is another; the most often first."""
    found: dict[str, int] = {}
    for start in range(0, len(names), WIDEST):
        some = names[start : start + WIDEST]
        counts = (
            f"count_if({form(f'x[{i}]', 'was')} <> {form(f'y[{i}]', 'is_')})"
            for i in range(1, len(some) + 1)
        )
        values = extract(pointers(some))
        row = engine.one(
            f"SELECT {', '.join(counts)} FROM"
            f" (SELECT k AS k_a, {values} AS x, {CANONICAL} AS was FROM {TEXTS})"
            " JOIN pairs USING (k_a)"
            f" JOIN (SELECT k AS k_b, {values} AS y, {CANONICAL} AS is_ FROM {TEXTS})"
            " USING (k_b)"
        )
        found |= {name: count for name, count in zip(some, row, strict=True) if count}
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))
