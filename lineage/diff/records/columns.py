"""Statistics of each column on both sides, and how far they moved."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lineage.diff.records.changes import ColumnChange, Distribution
from lineage.diff.records.engine import Engine
from lineage.diff.records.forms import form
from lineage.diff.records.matching import WIDEST, Matching
from lineage.diff.records.schema import Types
from lineage.diff.records.shifts import (
    finite,
    jensen_shannon,
    kolmogorov_smirnov,
    mean,
    of_counts,
    wasserstein,
)
from lineage.diff.records.texts import measures, tokens

if TYPE_CHECKING:
    from lineage.diff.records.shifts import Counts

_CATEGORIES = 1000  # distinct values, and at most half of all
_NAME = (
    64  # characters; a text that no other record has and that is no longer is a name
)
_SAMPLE = 200_000  # characters of text that are measured
_LEAST = 1e-9
_EMPTY = '""'  # a cell of a table without a value
_WRITTEN = re.compile(r'"-?(0|[1-9][0-9]{0,17})(\.[0-9]+)?([eE][-+]?[0-9]{1,2})?"')


def columns(
    matching: Matching, types: Mapping[str, tuple[Types, Types]]
) -> tuple[ColumnChange, ...]:
    """The columns whose values moved, those that moved most first.

    Those that are missing on a side are a matter of the schema. Of a dataset with more
    than 200 columns the first 200 by name are looked at.
    """
    engine, names = matching.engine, matching.names[:WIDEST]
    engine.run("DELETE FROM vals WHERE NOT sampled")
    records = engine.one("SELECT sum(a)::BIGINT, sum(b)::BIGINT FROM vals")
    if not all(records):
        return ()
    found = []
    for index, name in enumerate(names, start=1):
        a, b = types[name]
        if a and b:
            kinds = ({*a} | {*b}) - {"null"}
            found.append(_Column(engine, f"v[{index}]", records).change(name, kinds))
    moved = [column for column in found if column.shift > _LEAST]
    return tuple(sorted(moved, key=lambda column: -column.shift))


class _Column:
    """One column: `value` is its expression over the table `vals`."""

    def __init__(self, engine: Engine, value: str, records: Sequence[int]) -> None:
        self._engine = engine
        self._value = value
        self._records = records

    def change(self, name: str, types: set[str]) -> ColumnChange:
        """How it moved."""
        kind = {"number": self._number, "string": self._string}
        one = next(iter(types)) if len(types) == 1 else ""
        how = kind.get(one, self._other if one != "boolean" else self._category)
        return how(name)

    def _number(self, name: str, value: str = "") -> ColumnChange:
        counted = self._counted(f"TRY_CAST({value or self._value} AS DOUBLE)")
        return self._of_numbers(name, "number", *counted)

    def _of_numbers(
        self, name: str, kind: str, x: "Counts", a: "Counts", b: "Counts"
    ) -> ColumnChange:
        sides = self._distribution(0, a, x), self._distribution(1, b, x)
        if not (a.sum() and b.sum()):
            return ColumnChange(name, kind, *sides)
        ks, far = kolmogorov_smirnov(a, b), wasserstein(x, a, b)
        return ColumnChange(name, kind, *sides, ks=ks, wasserstein=far)

    def _category(self, name: str) -> ColumnChange:
        _, a, b = self._counted(form(self._value, "true"))
        return self._of_categories(name, a, b)

    def _of_categories(self, name: str, a: "Counts", b: "Counts") -> ColumnChange:
        sides = self._distribution(0, a), self._distribution(1, b)
        js = jensen_shannon(a, b) if a.sum() and b.sum() else None
        return ColumnChange(name, "category", *sides, js=js)

    def _other(self, name: str) -> ColumnChange:
        _, a, b = self._counted(form(self._value, "true"))
        sides = self._distribution(0, a), self._distribution(1, b)
        return ColumnChange(name, "other", *sides)

    def _string(self, name: str) -> ColumnChange:
        """Numbers written as text are numbers, few different texts categories.

        Others are told by their lengths and by what is written.
        """
        x, a, b = self._counted(self._value)
        written = {*x} - {_EMPTY}
        if written and all(map(_WRITTEN.fullmatch, written)):
            return self._number(name, f"({self._value}::JSON ->> '$')")
        distinct, total = len(a), a.sum() + b.sum()
        if distinct <= _CATEGORIES and distinct * 2 <= total:
            return self._of_categories(name, a, b)
        counted = self._counted(f"length({self._value}::JSON ->> '$')")
        found = self._of_numbers(name, "text", *counted)
        old = replace(found.a, distinct=int((a > 0).sum()))
        new = replace(found.b, distinct=int((b > 0).sum()))
        if _names(old) and _names(new):
            return replace(found, a=old, b=new)
        texts = self._texts()
        old, new = (
            replace(old, text=measures(texts[0])),
            replace(new, text=measures(texts[1])),
        )
        counts = [tokens(some) for some in texts]
        js = of_counts(*counts) if all(counts) else None
        return replace(found, a=old, b=new, js=js)

    def _texts(self) -> list[list[str]]:
        """As many characters of either side, its records in an order of their own."""
        columns = [
            self._engine.rows(
                f"SELECT text, {side} FROM (SELECT {self._value}::JSON ->> '$' AS text,"
                f" k, {side}, sum(length(text) * {side}) OVER (ORDER BY k) AS size"
                f" FROM vals WHERE {side} > 0 AND {self._value} <> 'null')"
                f" WHERE size - length(text) * {side} < {_SAMPLE} ORDER BY k"
            )
            for side in "ab"
        ]
        whole = [[text for text, n in rows for _ in range(n)] for rows in columns]
        most = min(_SAMPLE, *(sum(map(len, texts)) for texts in whole))
        return [_cut(texts, most) for texts in whole]

    def _distribution(
        self, side: int, counts: "Counts", values: "Counts | None" = None
    ) -> Distribution:
        total, records = int(counts.sum()), self._records[side]
        found = Distribution(
            total, (records - total) / records, int((counts > 0).sum())
        )
        if values is None or not total:
            return found
        some = values[counts > 0]
        low, high = finite(float(some.min())), finite(float(some.max()))
        middle = mean(some, counts[counts > 0] / total)
        return replace(found, low=low, mean=middle, high=high)

    def _counted(self, value: str) -> tuple[Any, "Counts", "Counts"]:
        """Each value that is not null, ascending, and how often each side has it."""
        x, a, b = self._engine.arrays(
            f"SELECT x, sum(a)::DOUBLE AS a, sum(b)::DOUBLE AS b FROM"
            f" (SELECT {value} AS x, a, b FROM vals WHERE {self._value} <> 'null')"
            " WHERE x IS NOT NULL GROUP BY x ORDER BY x"
        )
        return x, a, b


def _names(side: Distribution) -> bool:
    """Whether a side's texts only tell its records apart."""
    return side.distinct == side.count and (side.high or 0) <= _NAME


def _cut(texts: Sequence[str], most: int) -> list[str]:
    """The texts up to so many characters."""
    found, left = [], most
    for text in texts:
        if left <= 0:
            break
        found.append(text[:left])
        left -= len(text)
    return found
