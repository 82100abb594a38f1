"""Near-duplicates: every pair that reaches the threshold, and no other."""

from __future__ import annotations

import inspect
import random
import textwrap
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.loop.measuring.measures import words
from lineage.loop.records.similar import Repeat, repeats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.lineage.loop.gates.conftest import Bench

LICENCE = (
    "Permission is hereby granted, free of charge, to any person obtaining a copy of "
    "this software and associated documentation files, to deal in the software without "
    "restriction, including the rights to use, copy, modify, merge, publish and sell."
)


def by_comparing_all(
    texts: Sequence[str], known: int, threshold: float, size: int
) -> dict[int, Repeat]:
    """The same without any trick."""
    rows = [list(words([text])) or text.split() for text in texts]
    sets = [
        {tuple(row[n : n + size]) for n in range(max(len(row) - size + 1, 1))}
        for row in rows
    ]
    kept, found = list(range(known)), {}
    for number in range(known, len(texts)):
        for other in kept:
            both, either = sets[number] & sets[other], sets[number] | sets[other]
            if len(both) / len(either) >= threshold:
                found[number] = Repeat(other, len(both) / len(either))
                break
        else:
            kept.append(number)
    return found


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.text("ab ", max_size=24), max_size=24),
    st.integers(0, 5),
    st.sampled_from([0.3, 0.5, 0.55, 0.7, 0.8, 1.0]),
    st.integers(1, 4),
)
def test_it_finds_what_comparing_all_finds(
    texts: list[str], known: int, threshold: float, size: int
) -> None:
    """Not one more and not one less, and the same first one."""
    known = min(known, len(texts))
    found = repeats(texts, known=known, threshold=threshold, size=size)
    assert found == by_comparing_all(texts, known, threshold, size)


def test_real_text_with_words_changed() -> None:
    """Paragraphs of the standard library's documentation, some words replaced."""
    source = inspect.getdoc(textwrap.TextWrapper) or ""
    pieces = (source + inspect.getsource(random)).split()
    draw = random.Random(0)  # noqa: S311
    texts = [" ".join(pieces[n : n + 40]) for n in range(0, 3000, 25)]
    for text in texts[:60]:
        changed = [w if draw.random() > 0.02 else "other" for w in text.split()]
        texts.append(" ".join(changed))
    found = repeats(texts, known=20)
    assert found == by_comparing_all(texts, 20, 0.8, 3)
    assert len(found) > 20


def test_the_first_of_each_cluster_stays(bench: Bench) -> None:
    """Copies with other capitals or a word more go; the verdict says of what."""
    records = [
        LICENCE,
        "Something else altogether.",
        LICENCE.upper(),
        LICENCE + " Now.",
    ]
    result = bench({"type": "near_duplicates", "max_rate": 0.5}, records)
    assert list(result.rejected) == [2, 3]
    assert result.passed
    assert result.sentence == (
        "2 of 4 records repeat another one but for a few words; at most 50 % may"
    )
    assert result.details["repeats"] == {"new": 2}
    assert result.details["examples"][0] == {
        "record": "r2",
        "repeats": "r0",
        "jaccard": 1.0,
    }


def test_older_data_count_as_well(bench: Bench) -> None:
    """What repeats a human record, or the generation before, is named so."""
    gate = {"type": "near_duplicates"}
    other = "Nothing in this sentence is to be found in the licence above, nor below."
    older = {"human": [LICENCE], "previous": [other]}
    result = bench(gate, [LICENCE, other, "A third."], **older)
    assert result.rejected == {
        0: "repeats a human record",
        1: "repeats a record of the generation before",
    }
    assert not result.passed
    assert bench(gate | {"against": []}, [LICENCE, other], **older).rejected == {}


def test_the_reference_is_not_taken_for_a_repetition_of_itself(bench: Bench) -> None:
    """In generation 2 the reference is what the generation before was left with."""
    texts = [LICENCE, "Something else altogether, as long as need be."]
    gates = [{"type": "near_duplicates"}, {"type": "diversity"}]
    checked = bench.all(gates, ["ab", "cd"], reference=texts, previous=texts)
    assert checked.results[1].details["reference"] > 0


@pytest.mark.parametrize("texts", [[], [""], ["", " "], ["a"]])
def test_texts_without_words(texts: list[str]) -> None:
    """Empty texts repeat each other."""
    assert set(repeats(texts)) == set(range(1, len(texts)))
