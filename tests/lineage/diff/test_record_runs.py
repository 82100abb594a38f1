"""Runs of shared lines, and what happens when hashes of records collide."""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lineage.diff.records import aligning
from lineage.diff.records.aligning import align
from tests.lineage.diff.test_records import RECORDS, compared, jsonl, multiset, written

MOST = sys.float_info.max
SOME = Random(0)  # noqa: S311 - a style of writing
LINES = st.lists(st.sampled_from([b"", b"a", b"b", b"ab", b"long " * 9]), max_size=12)


@settings(max_examples=50)
@given(LINES, LINES, st.randoms(), st.sampled_from([3, 16, 1 << 16]))
def test_lines_of_a_run_are_the_same(
    old: list[bytes], new: list[bytes], style: Random, block: int
) -> None:
    """Every pair of a run is one line on both sides, in order; all lines are counted.

    Of two equal files all lines are in runs, whatever the blocks that are compared.
    """
    new = new if style.random() < 0.5 else [*old[: style.randrange(9)], *new, *old]
    ends = [style.choice([b"", b"\n"]) for _ in range(2)]
    sides = [b"\n".join(side) + end for side, end in zip((old, new), ends, strict=True)]
    lines = [side.split(b"\n")[: side.count(b"\n")] for side in sides]
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(aligning, "_BLOCK", block)
        places = [Path(folder, name) for name in "ab"]
        for place, side in zip(places, sides, strict=True):
            place.write_bytes(side)
        runs, same = align(*places), align(places[0], places[0])
    open_end = [bool(side) and not side.endswith(b"\n") for side in sides]
    rows = [
        (a + i, b + i)
        for a, b, n in zip(runs.a, runs.b, runs.n, strict=True)
        for i in range(n)
    ]

    assert runs.lines == tuple(map(sum, zip(map(len, lines), open_end, strict=True)))
    assert all(lines[0][a] == lines[1][b] for a, b in rows)
    assert all(x < y for x, y in pairwise(rows) for x, y in zip(x, y, strict=True))
    assert sum(same.n) == len(lines[0])
    import numpy as np

    every = np.array([(a, b) for a in range(len(old)) for b in range(len(new))])
    if len(every):
        paired = runs.pair(every[:, 0], every[:, 1])
        assert {tuple(pair) for pair in every[paired]} == {*rows} & {*map(tuple, every)}


@settings(max_examples=15)
@given(st.lists(RECORDS, max_size=6), st.lists(RECORDS, max_size=6), st.randoms())
def test_records_whose_hashes_collide(
    old: list[Any], new: list[Any], style: Random
) -> None:
    """With a hash of two values the counts are the same: something stronger decides."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lineage.diff.records.matching._HASH", "hash(doc) % 2")
        found, notes = compared(
            {"a.jsonl": written(old, style)}, {"a.jsonl": written(new, style)}
        )
    a, b = multiset(old), multiset(new)

    assert notes == []
    assert (found.added, found.removed) == ((b - a).total(), (a - b).total())


def test_a_colliding_record_next_to_shared_ones() -> None:
    """One that replaces another of the same hash among a thousand is not missed."""
    old = [{"n": n} for n in range(1000)]
    new = [{"n": -1} if r["n"] == 500 else r for r in old]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "lineage.diff.records.matching._HASH",
            """hash(replace(doc, '{"n": -1}', '{"n": 500}'))""",
        )
        found, _ = compared({"a.jsonl": jsonl(old)}, {"a.jsonl": jsonl(new)})

    assert (found.added, found.removed) == (1, 1)


@settings(max_examples=25)
@given(
    st.lists(RECORDS, max_size=6),
    st.lists(RECORDS, max_size=6),
    st.randoms(),
    st.sampled_from([(), ("a",)]),
)
@example([{"b": MOST}], [{"b": -9.9792015476736e291}], SOME, ())
@example([{"b": MOST}, {"b": -MOST}], [{"b": -MOST}], SOME, ("a",))
def test_records_set_apart_by_one_column(
    old: list[Any], new: list[Any], style: Random, key: tuple[str, ...]
) -> None:
    """Where much differs one column tells most apart first, and nothing changes."""
    lines = [
        written([*side, *old[:2]], style)
        + b'{"a": 1, "a": %d}\n{"\\u0061": 7, "a": 3}\n' % style.randrange(3)
        for side in (old, new)
    ]
    twice = [
        [json.loads(line) for line in side.splitlines() if line.strip()]
        for side in lines
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lineage.diff.records.matching._MANY", 0)
        patch.setattr("lineage.diff.records.matching._TELLING", 0)
        patch.setattr("lineage.diff.records.matching._SHOWN", 3)
        found, _ = compared({"a.jsonl": lines[0]}, {"a.jsonl": lines[1]}, key=key)
    a, b = map(multiset, twice)
    changed = found.changed or 0

    assert found.added + changed == (b - a).total()
    assert found.removed + changed == (a - b).total()


def test_a_column_that_is_there_twice_has_its_last_value() -> None:
    """Such a record is the same as one that has that value alone, set apart or not."""
    old, new = [b'{"a": 1, "a": 0}', b'{"a": 2}'], [b'{"a": 0}', b'{"a": 3}']
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lineage.diff.records.matching._MANY", 0)
        found, _ = compared({"a.jsonl": b"\n".join(old)}, {"a.jsonl": b"\n".join(new)})

    assert (found.added, found.removed) == (1, 1)
