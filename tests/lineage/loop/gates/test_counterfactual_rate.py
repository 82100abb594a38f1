"""Swapped words, and which group stands where either could."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.errors import UsageError
from lineage.loop.gates import Context, GateResult, load_gates
from lineage.loop.gates.counterfactual_rate import Table, common_log_odds, shared_places
from lineage.loop.gates.swaps import Swaps, parse_swaps
from lineage.loop.measuring.intervals import tolerance_factor, wilson

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage.loop.spec import LoopSpec

PAIRS = Swaps(("women", ["she", "woman"]), ("men", ["he", "man"]))
GATE = {"type": "counterfactual_rate", "lexicon": "swaps.yaml"}


@pytest.fixture
def judge(
    parse: Callable[..., LoopSpec], tmp_path: Path
) -> Callable[[list[str], list[str]], GateResult]:
    """The verdict on new texts against human ones."""
    (tmp_path / "swaps.yaml").write_text("women: [she, woman]\nmen: [he, man]\n")

    def judge(texts: list[str], human: list[str]) -> GateResult:
        [gate] = load_gates(parse(gates=[GATE]))
        context = Context(
            records=[{"id": str(n), "text": text} for n, text in enumerate(texts)],
            human=human,
            reference=None,
            tokenize=lambda texts: [[0] for _ in texts],
            sample_size=100,
            seed=0,
        )
        result: GateResult = gate.check(context)
        return result

    return judge


@pytest.mark.parametrize(
    ("text", "swapped"),
    [
        ("She saw a WOMAN; he left.", "He saw a MAN; she left."),
        ("the human manhole", "the human manhole"),
        ("", ""),
    ],
)
def test_words_are_swapped_with_their_capitals(text: str, swapped: str) -> None:
    """Whole words alone, and twice gives the text back."""
    assert PAIRS.swap(text) == swapped
    assert PAIRS.swap(swapped) == text


@given(st.text())
def test_swapping_changes_sides_and_nothing_else(text: str) -> None:
    """Every word of a group becomes one of the other."""
    swapped = PAIRS.swap(text)
    assert PAIRS.sides(swapped) == [-side for side in PAIRS.sides(text)]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: [x]", "is not a lexicon of two groups"),
        ("a: [x]\nb: [y]\nc: [z]", "is not a lexicon of two groups"),
        ("a: [x, y]\nb: [z]", "a has 2 words, b 1"),
        ("a: [she, her]\nb: [he, HER]", "'her' stands there twice"),
        ("a: [x y]\nb: [z]", "'x y' in group 'a' is not one word"),
    ],
)
def test_lexicons_that_cannot_be_swapped(
    tmp_path: Path, text: str, sentence: str
) -> None:
    """Are one sentence."""
    with pytest.raises(UsageError) as caught:
        parse_swaps(text.encode(), tmp_path / "swaps.yaml")
    assert sentence in str(caught.value)


def test_only_shared_places_count() -> None:
    """The same pair after the same word, in both kinds of data."""
    new = ["then she came", "then he came", "she sang", "the woman ran"]
    human = ["Then HE came!", "then he came", "he danced", "the man ran", "he sang"]
    assert shared_places(PAIRS, new, human) == [
        Table(1, 0, 0, 2),  # she or he, at the beginning
        Table(1, 1, 0, 2),  # then she or he
        Table(1, 0, 0, 1),  # the woman or man
    ]


def test_the_log_odds_of_one_table_are_its_own() -> None:
    """With many counts the half that is added makes no difference."""
    shift, error = common_log_odds([Table(300, 100, 150, 150)])
    assert shift == pytest.approx(math.log(3), abs=0.01)
    cells = 1 / 300 + 1 / 100 + 2 / 150
    assert error == pytest.approx(math.sqrt(cells), rel=0.02)


counts = st.integers(0, 50).map(float)
tables = st.lists(st.builds(Table, counts, counts, counts, counts), max_size=8)


@given(tables)
def test_the_log_odds_mirror_the_groups(given: list[Table]) -> None:
    """Naming the groups the other way round turns the sign and nothing else."""
    full = [table for table in given if sum(table)]
    turned = [Table(b, a, d, c) for a, b, c, d in full]
    shift, error = common_log_odds(full)
    other, same = common_log_odds(turned)
    assert shift == pytest.approx(-other, abs=1e-12)
    assert error == pytest.approx(same)


def test_who_stands_there_is_judged(
    judge: Callable[[list[str], list[str]], GateResult],
) -> None:
    """More men in the same places fail; another subject does not."""
    human = ["then she came", "then he came", "the woman ran"] * 30
    same = judge(human, human)
    assert same.passed
    assert same.value == pytest.approx(0)
    result = judge(["then he came"] * 50 + ["then she came"] * 10, human)
    assert not result.passed
    assert result.details["towards"] == "men"
    assert result.value == pytest.approx(math.log(5), abs=0.1)
    assert result.sentence.startswith("where either could stand, 60 times here and 60")
    elsewhere = judge(["he sings"] * 99, human)
    assert elsewhere.passed
    assert elsewhere.sentence.startswith("no word of a pair follows the same word")
    few = judge(["then he came"] * 2, human)
    assert few.sentence.endswith("these are too few to tell it from chance")


@given(st.integers(0, 60), st.integers(1, 60))
def test_wilson_is_scipys(count: int, n: int) -> None:
    """The score interval without continuity correction."""
    from scipy.stats import binomtest

    count = min(count, n)
    theirs = binomtest(count, n).proportion_ci(0.95, method="wilson")
    assert wilson(count, n) == pytest.approx([theirs.low, theirs.high], abs=1e-12)


@pytest.mark.parametrize("n", [2, 3, 5, 10, 43, 200, 5000])
def test_the_tolerance_factor_is_howes(n: int) -> None:
    """With scipy's quantiles; 2.2173 is the NIST handbook's example of 43 values."""
    from scipy.stats import chi2, norm

    for coverage, confidence in ((0.99, 0.95), (0.9, 0.99), (0.5, 0.5)):
        quantile = chi2.ppf(1 - confidence, n - 1)
        expected = norm.ppf((1 + coverage) / 2) * math.sqrt((n - 1) * (1 + 1 / n))
        found = tolerance_factor(n, coverage, confidence)
        assert found == pytest.approx(expected / math.sqrt(quantile), rel=1e-9)
    assert tolerance_factor(43, 0.9, 0.99) == pytest.approx(2.2173, abs=2e-3)
