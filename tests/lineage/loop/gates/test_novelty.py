"""Novelty: what is copied, and what is noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.loop.measuring.measures import words
from lineage.loop.records.runs import shared

if TYPE_CHECKING:
    from tests.lineage.loop.gates.conftest import Bench

HUMAN = "one two three four five six seven eight nine ten"


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.text("abc ", max_size=20), max_size=8),
    st.lists(st.text("abc ", max_size=20), max_size=8),
    st.integers(1, 4),
)
def test_runs_are_those_of_comparing_all(
    texts: list[str], known: list[str], size: int
) -> None:
    """Share and longest copy, never across texts."""

    def runs(texts: list[str], n: int) -> list[tuple[str, ...]]:
        rows = (tuple(words([text])) for text in texts)
        return [row[i : i + n] for row in rows for i in range(len(row) - n + 1)]

    found = shared(texts, known, size)
    there = set(runs(known, size))
    ours = runs(texts, size)
    assert (found.runs, found.new) == (len(ours), sum(r not in there for r in ours))
    lengths = [n for n in range(1, 21) if {*runs(texts, n)} & {*runs(known, n)}]
    assert found.longest == max(lengths, default=0)
    if found.longest:
        copied = set(runs([texts[found.row]], found.longest))
        assert copied & set(runs(known, found.longest))


def test_a_copy_fails(bench: Bench) -> None:
    """Of the training data, which is human text and the generation before."""
    gate = {"type": "novelty"}
    result = bench(gate, [HUMAN, "six seven eight nine"], human=[HUMAN])
    assert not result.passed
    assert result.value == 0
    assert result.sentence == (
        "0 % of the runs of 3 words are not in the training data; 10 % to 10 % may be; "
        "the longest copy has 10 words of at most 50"
    )
    assert result.details["records"] == ["r0"]
    assert bench(gate, ["ten nine eight"], reference=["a b c"], human=[HUMAN]).passed
    old = bench(gate, ["ten nine eight"], previous=["ten nine eight"], human=[HUMAN])
    assert old.value == 0


def test_noise_fails(bench: Bench) -> None:
    """Where much more is new than in what was written first."""
    gate = {"type": "novelty", "max_over_reference": 0.2}
    half = "one two three four and then some"  # 2 of 5 runs are people's
    assert bench(gate, [half], reference=[half], human=[HUMAN]).passed
    result = bench(gate, ["a b c d e f"], reference=[half], human=[HUMAN])
    assert not result.passed
    assert result.bounds == {"min": 0.1, "max": 0.8}


def test_a_long_copy_fails_whatever_the_share(bench: Bench) -> None:
    """One record that goes on and on in another's words."""
    gate = {"type": "novelty", "max_copied_words": 9, "max_over_reference": 1.0}
    new = "this here is not to be found in any human record at all " * 3
    assert not bench(gate, [new, HUMAN], human=[HUMAN]).passed
    assert bench(gate, [new, HUMAN[:-4]], human=[HUMAN]).passed
    assert not bench(gate, ["", "a"], human=[HUMAN]).passed
