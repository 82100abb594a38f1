"""Statistics of columns: what is counted, what moved and what is said of it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from tests.lineage.diff.test_records import compared, jsonl

if TYPE_CHECKING:
    from lineage.diff.records import ColumnChange


def columns(old: list[Any], new: list[Any]) -> dict[str, ColumnChange]:
    """What moved, by column, in the order in which it is said."""
    found, notes = compared({"a.jsonl": jsonl(old)}, {"a.jsonl": jsonl(new)})
    assert notes == []
    return {column.name: column for column in found.columns}


def test_numbers_have_their_own_unit() -> None:
    """Lowest, mean, highest, nulls; how much of it moved, and how far."""
    old = [{"n": n} for n in (1, 2, 3, 4)] + [{"n": None}]
    new = [{"n": n} for n in (1, 2, 3, 14)] + [{}]
    found = columns(old, new)["n"]

    assert found.kind == "number"
    assert (found.a.low, found.a.mean, found.a.high) == (1, 2.5, 4)
    assert (found.b.low, found.b.mean, found.b.high) == (1, 5, 14)
    assert (found.a.count, found.a.nulls, found.a.distinct) == (4, 0.2, 4)
    assert (found.ks, found.wasserstein, found.js) == (0.25, 2.5, None)


@pytest.mark.parametrize("wild", ["1e400", "-Infinity", "NaN", "1" + "0" * 400])
def test_numbers_that_are_not_finite(wild: str) -> None:
    """How many they are and how much moved is said; what is no finite number is not."""
    old = b'{"n": 1}\n{"n": 3}\n' + b'{"n": %s}\n' % wild.encode()
    found, notes = compared({"a.jsonl": old}, {"a.jsonl": jsonl([{"n": 5}])})
    (column,) = found.columns

    assert notes == []
    assert (column.kind, column.a.count, column.a.distinct) == ("number", 3, 3)
    assert (column.a.mean, column.wasserstein) == (None, None)
    assert None in (column.a.low, column.a.high)
    assert column.ks is not None
    assert column.ks > 0.5
    assert (column.b.low, column.b.mean, column.b.high) == (5, 5, 5)


def test_numbers_that_are_written_as_text() -> None:
    """Cells that are all numbers are compared as numbers; empty ones are none."""
    found, _ = compared(
        {"a.csv": b"n,zip\n1,01\n2,02\n"}, {"a.csv": b"n,zip\n1,01\n,003\n"}
    )
    by_name = {column.name: column for column in found.columns}

    assert (by_name["n"].kind, by_name["n"].b.nulls) == ("number", 0.5)
    assert by_name["zip"].kind != "number"


def test_categories() -> None:
    """Few different values are compared by how often each is there; so are booleans."""
    old = [{"c": "x", "ok": n < 5} for n in range(10)]
    new = [{"c": "xy"[n % 2], "ok": n < 5} for n in range(10)]
    found = columns(old, new)

    assert list(found) == ["c"]  # the other did not move
    assert found["c"].kind == "category"
    assert found["c"].js == pytest.approx(0.311278, abs=1e-6)
    assert (found["c"].a.distinct, found["c"].b.distinct) == (1, 2)


def test_texts() -> None:
    """Lengths in characters, tokens, and measures on as much text of either side."""
    choose = random.Random(1)  # noqa: S311 - the same each time
    words = [f"wort{n}" for n in range(200)]
    old = [{"t": " ".join(choose.choices(words, k=20))} for _ in range(50)]
    new = [{"t": " ".join(choose.choices(words[:5], k=10))} for _ in range(50)]
    found = columns(old, new)["t"]

    assert found.kind == "text"
    assert found.js is not None
    assert 0.5 < found.js <= 1
    assert (found.ks, found.a.mean) == (1, sum(len(r["t"]) for r in old) / 50)
    assert found.b.text["distinct_5_grams"] < found.a.text["distinct_5_grams"]
    assert found.b.text["compression"] > found.a.text["compression"]


def test_what_moved_most_comes_first() -> None:
    """Columns stand in the order of how much they moved; names have no tokens."""
    old = [{"id": f"a{n}", "near": n, "far": n} for n in range(20)]
    new = [{"id": f"b{n}", "near": n + 1, "far": n + 15} for n in range(20)]
    found = columns(old, new)

    assert list(found) == ["far", "near"]
    assert [found["far"].ks, found["near"].ks] == pytest.approx([0.75, 0.05])


def test_large_sides_are_sampled_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same records are taken on both sides, so what is shared does not move."""
    monkeypatch.setattr("lineage.diff.records.matching._FEW", 200)
    old = [{"n": n * 7919 % 10_007, "t": f"text {n}"} for n in range(2000)]
    new = [*old[:-1], {"n": 5, "t": "another"}]
    found, _ = compared({"a.jsonl": jsonl(old)}, {"a.jsonl": jsonl(new)})

    assert (found.added, found.removed) == (1, 1)
    assert found.sampled is not None
    assert all(100 < side < 300 for side in found.sampled)
    assert all(column.shift < 0.01 for column in found.columns)


@pytest.mark.parametrize("other", [[1], {"x": 1}, "text", None])
def test_mixed_columns(other: object) -> None:
    """A column of several types has counts alone, and that is no error."""
    found = columns([{"m": 1}, {"m": True}], [{"m": other}, {"m": 2}])

    assert all(c.kind in ("other", "number") for c in found.values())
