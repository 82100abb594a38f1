"""What is said of the records of two datasets: plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Sample:
    """One record for people to look at, its long values cut.

    `what` is added, removed, changed or duplicated; of a changed one `record` has the
    columns that changed, as ``[old, new]``, and those of the key. `number` counts the
    records of the file `path` from 1; `copies` says how many there are more, fewer or,
    of a duplicated one, in all.
    """

    what: str
    path: str
    number: int
    copies: int
    record: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """A column that came, went, or has values of other JSON types.

    `a` and `b` are the types on either side, sorted; None where there is no column.
    """

    name: str
    a: tuple[str, ...] | None
    b: tuple[str, ...] | None

    @property
    def what(self) -> str:
        """Added, removed or retyped."""
        if self.a is None:
            return "added"
        return "removed" if self.b is None else "retyped"


@dataclass(frozen=True, slots=True)
class Distribution:
    """One side of a column.

    `count` are its values that are not null, `nulls` the share of records where it is
    null or missing, `distinct` how many values are different. `low`, `mean` and `high`
    are of the numbers, or of the lengths of texts in characters; None where that is no
    finite number. `text` are measures of what is written, by name; see
    `lineage.diff.records.texts`.
    """

    count: int
    nulls: float
    distinct: int
    low: float | None = None
    mean: float | None = None
    high: float | None = None
    text: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ColumnChange:
    """How a column's values moved.

    `kind` is number, category, text or other. `ks` is the Kolmogorov-Smirnov statistic
    and `wasserstein` the first Wasserstein distance, in the column's own unit, of
    numbers or of the lengths of texts in characters; `js` the Jensen-Shannon divergence
    in bits (0 to 1) of categories or of a text's tokens. None where it does not
    apply, or is no finite number.
    """

    name: str
    kind: str
    a: Distribution
    b: Distribution
    ks: float | None = None
    wasserstein: float | None = None
    js: float | None = None

    @property
    def shift(self) -> float:
        """How much it moved, 0 to 1: the largest of the measures that are bounded."""
        return max(self.ks or 0.0, self.js or 0.0, abs(self.a.nulls - self.b.nulls))


@dataclass(frozen=True)
class RecordChanges:
    """What happened to the records of a dataset, or of a part called `label`.

    `records` are how many were read on either side; `same_files` were not, as their
    bytes are on both sides. Records count as often as they are there: of three copies
    against two one is removed. `changed` ones have the same `key` on both sides and
    are neither added nor removed; `changed_columns` says how often each column is
    another. `moved` records lie in another file now, `reordered` ones in another
    place of theirs. `duplicated` counts the copies beside the first on either side.
    `columns` are sorted by how much they moved; `sampled` says of how many records on
    either side, when not of all.
    """

    label: str
    records: tuple[int, int]
    same_files: int
    added: int
    removed: int
    changed: int | None = None
    key: tuple[str, ...] = ()
    changed_columns: Mapping[str, int] = field(default_factory=dict)
    moved: int = 0
    reordered: int = 0
    duplicated: tuple[int, int] = (0, 0)
    schema: tuple[SchemaChange, ...] = ()
    columns: tuple[ColumnChange, ...] = ()
    sampled: tuple[int, int] | None = None
    samples: tuple[Sample, ...] = ()

    def __bool__(self) -> bool:
        """Whether any record is new, gone, another, or elsewhere."""
        return bool(
            self.added or self.removed or self.changed or self.moved or self.reordered
        )
