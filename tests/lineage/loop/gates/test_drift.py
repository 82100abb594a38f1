"""Drift of tokens and of lengths, against human text and the first samples."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

from lineage.loop.gates.drift import kolmogorov_smirnov

if TYPE_CHECKING:
    from tests.lineage.loop.gates.conftest import Bench


def written(
    letters: str, lengths: tuple[int, int], seed: int, n: int = 60
) -> list[str]:
    """Texts of random letters."""
    draw = random.Random(seed)  # noqa: S311
    return ["".join(draw.choices(letters, k=draw.randint(*lengths))) for _ in range(n)]


def test_the_same_source_does_not_drift(bench: Bench) -> None:
    """Chance is taken off: what is left between two samples of one source is little."""
    found = [
        bench(
            {"type": "drift"},
            written("abcdefgh", (10, 40), seed),
            reference=written("abcdefgh", (10, 40), seed + 100),
        )
        for seed in range(20)
    ]
    assert all(result.passed for result in found)
    values = [each.details["distances"]["reference"]["js"] for each in found]
    assert math.fsum(values) / 20 < 0.002
    lengths = [each.details["distances"]["reference"]["ks"] for each in found]
    assert math.fsum(lengths) / 20 < 0.05


def test_words_that_come_in_clusters_are_not_taken_for_drift(bench: Bench) -> None:
    """Each record repeats a letter of its own: chance is that of whole records."""
    draw = random.Random(0)  # noqa: S311

    def clustered() -> list[str]:
        letters = (chr(draw.randrange(100, 1000)) for _ in range(60))
        return [letter * 4 + "ab" * 10 for letter in letters]

    found = [bench({"type": "drift"}, clustered(), clustered()) for _ in range(10)]
    assert all(result.passed for result in found)


def test_other_tokens_fail(bench: Bench) -> None:
    """Two vocabularies are a bit apart, less what random halves of both are."""
    result = bench({"type": "drift"}, ["abab"] * 200, reference=["cdcd"] * 200)
    assert not result.passed
    assert result.value is not None
    assert 0.99 < result.value < 1
    assert result.details["measure"] == "js"
    assert result.sentence == (
        "differs from the reference by 0.997 bits in tokens, 0.00 in length; at most "
        "0.05 and 0.2 is allowed"
    )


def test_other_lengths_fail(bench: Bench) -> None:
    """The same letters in shorter texts."""
    short, long = written("ab", (5, 10), 0), written("ab", (11, 20), 1)
    result = bench({"type": "drift"}, short, reference=long)
    assert not result.passed
    assert result.details["measure"] == "ks"
    chance = math.sqrt(math.pi / 2) * math.log(2) * math.sqrt(1 / 60 + 1 / 60)
    assert (result.value, result.bounds) == (1 - chance, {"max": 0.2})
    assert bench({"type": "drift", "max_ks": 1.0}, short, reference=long).passed


def test_against_human_text(bench: Bench) -> None:
    """Only where it is asked for: a small model sits far from it to begin with."""
    both = {"type": "drift", "against": ["human", "reference"]}
    same = written("ab", (9, 9), 0)
    result = bench(both, same, reference=same, human=["xyz"] * 50)
    assert not result.passed
    assert result.details["from"] == "human"
    assert bench({"type": "drift"}, same, reference=same, human=["xyz"] * 50).passed
    first = bench({"type": "drift"}, same, human=["xyz"] * 50)
    assert first.passed
    assert first.sentence == "written first with this sampling: the reference for drift"


def test_kolmogorov_smirnov_is_scipys() -> None:
    """Ties and other sizes included."""
    from scipy.stats import ks_2samp

    draw = random.Random(0)  # noqa: S311
    for n in range(1, 40):
        ours = [draw.randint(0, 9) for _ in range(n)]
        theirs = [draw.randint(2, 12) for _ in range(41 - n)]
        expected = ks_2samp(ours, theirs).statistic
        assert math.isclose(kolmogorov_smirnov(ours, theirs), expected)
