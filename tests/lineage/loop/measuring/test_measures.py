"""Measures against worked examples and brute force."""

from __future__ import annotations

import gzip
import math
import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.errors import LineageError
from lineage.loop.measuring import measures
from lineage.loop.measuring.definitions import MEASURES
from lineage.loop.measuring.measures import Corpus

if TYPE_CHECKING:
    from collections.abc import Sequence

rows = st.lists(st.lists(st.integers(0, 6)))


def corpus(tokens: Sequence[Sequence[int]]) -> Corpus:
    """Tokens with texts that spell them."""
    return Corpus([" ".join(map(str, row)) for row in tokens], tokens)


def test_perplexity_of_a_fair_die() -> None:
    """A model that gives every token one chance in six has perplexity six."""
    metrics = measures.measure_model([math.log(6) * 4, math.log(6) * 2], [4, 2], [8, 4])
    assert metrics["perplexity"].value == pytest.approx(6, abs=1e-12)
    assert metrics["perplexity"].interval == pytest.approx([6, 6], abs=1e-12)
    assert metrics["perplexity"].n == 6
    assert metrics["bits_per_byte"].value == pytest.approx(math.log2(6) / 2)
    assert metrics["bits_per_byte"].n == 12


def test_perplexity_weighs_records_by_their_tokens() -> None:
    """Worked: (2 + 6) nats over (1 + 3) tokens, 16 bytes in all."""
    metrics = measures.measure_model([2.0, 6.0], [1, 3], [4, 12])
    assert metrics["perplexity"].value == pytest.approx(math.e**2)
    assert metrics["bits_per_byte"].value == pytest.approx(0.5 / math.log(2))
    assert metrics["perplexity"].direction == "lower"


def test_perplexity_interval_worked() -> None:
    """Worked: totals 1 and 3 over 1 token each; mean 2, standard error 1."""
    interval = measures.measure_model([1.0, 3.0], [1, 1], [1, 1])["perplexity"].interval
    assert interval is not None
    low, high = (math.log(end) for end in interval)
    assert (low, high) == pytest.approx((2 - 1.959964, 2 + 1.959964), abs=1e-6)


def test_the_interval_covers_the_truth() -> None:
    """Of 400 samples of records, about 95 % of the intervals hold the true mean."""
    draw = random.Random(0)  # noqa: S311
    covered = 0
    for _ in range(400):
        tokens = [draw.randint(5, 15) for _ in range(60)]
        losses = [sum(draw.expovariate(0.5) for _ in range(n)) for n in tokens]
        found = measures.measure_model(losses, tokens, tokens)["perplexity"].interval
        assert found is not None
        covered += found[0] <= math.exp(2) <= found[1]
    assert 0.91 <= covered / 400 <= 0.98


def test_one_record_has_no_interval() -> None:
    """One record says nothing of the spread between records."""
    assert measures.measure_model([3.0], [2], [5])["perplexity"].interval is None


@pytest.mark.parametrize("count", [1, 19, 20, 21, 72, 73, 400])
def test_the_tail_is_the_95th_percentile(count: int) -> None:
    """As numpy's nearest rank; with an interval where its ranks are there."""
    import numpy as np

    draw = random.Random(count)  # noqa: S311
    rows = [(draw.uniform(1, 9), draw.randint(1, 5)) for _ in range(count)]
    losses, tokens = zip(*rows, strict=True)
    found = measures.measure_model(losses, tokens, tokens)["perplexity_p95"]
    each = [math.exp(loss / n) for loss, n in rows]
    assert found.value == np.percentile(each, 95, method="inverted_cdf")
    assert (found.n, found.interval is not None) == (count, count >= 73)


def test_the_tails_interval_holds_the_percentile() -> None:
    """In about 95 of 100 samples, as it says."""
    draw, held = random.Random(2), 0  # noqa: S311
    for _ in range(300):
        nats = [draw.uniform(0, 1) for _ in range(200)]
        tail = measures.measure_model(nats, [1] * 200, [1] * 200)["perplexity_p95"]
        assert tail.interval is not None
        held += tail.interval[0] <= math.exp(0.95) <= tail.interval[1]
    assert 0.9 < held / 300 < 0.99


def test_the_order_of_records_changes_no_bit() -> None:
    """Sums are exactly rounded, so shards may come in any order."""
    draw = random.Random(1)  # noqa: S311
    found = [(draw.uniform(0, 1e3), 1 + n % 7, 3 + n % 5) for n in range(500)]
    straight = measures.measure_model(*zip(*found, strict=True))
    draw.shuffle(found)
    assert measures.measure_model(*zip(*found, strict=True)) == straight


@pytest.mark.parametrize("loss", [math.nan, math.inf, 1e9])
def test_a_diverged_model(loss: float) -> None:
    """A loss that has no perplexity is an error, not a number."""
    with pytest.raises(LineageError, match="training has diverged"):
        measures.measure_model([loss, 1.0], [1, 1], [1, 1])


def test_nothing_to_predict() -> None:
    """Held-out records of one token each measure nothing."""
    with pytest.raises(LineageError, match="no token to predict"):
        measures.measure_model([0.0], [0], [0])


def test_distinct_worked() -> None:
    """Worked: a b a | a b: 2 of 5 tokens; pairs ab ba | ab: 2 of 3, none across."""
    sample = corpus([[1, 2, 1], [1, 2]])
    assert measures.distinct_1(sample).value == 2 / 5
    assert measures.distinct_2(sample).value == 2 / 3
    assert measures.distinct_2(sample).n == 3
    assert measures.distinct_2(sample).direction is None


@given(rows)
def test_distinct_by_brute_force(tokens: list[list[int]]) -> None:
    """The same as counting every pair by its place."""
    pairs = [(row[i], row[i + 1]) for row in tokens for i in range(len(row) - 1)]
    unique = [pair for i, pair in enumerate(pairs) if pair not in pairs[:i]]
    expected = len(unique) / len(pairs) if pairs else 0.0
    assert measures.distinct_2(corpus(tokens)).value == expected


def test_entropy_worked() -> None:
    """Worked: frequencies 1/2, 1/4, 1/4 have 1.5 bits."""
    assert measures.unigram_entropy(corpus([[1, 1], [2, 3]])).value == 1.5
    assert measures.unigram_entropy(corpus([[1, 1]])).value == 0.0
    assert measures.unigram_entropy(corpus([])).value == 0.0


def test_js_worked() -> None:
    """Worked: nothing shared is 1 bit; {a} against {a, b} is 0.311278 bits."""
    a, b, both = corpus([[1]]), corpus([[2]]), corpus([[1, 2]])
    assert measures.unigram_js(a, b).value == 1.0
    assert measures.unigram_js(a, a).value == 0.0
    # H(3/4, 1/4) - (0 + 1) / 2 = 0.811278 - 0.5
    assert measures.unigram_js(a, both).value == pytest.approx(0.311278, abs=1e-6)


@given(rows, rows)
def test_js_by_its_definition(ours: list[list[int]], theirs: list[list[int]]) -> None:
    """The mean of two Kullback-Leibler divergences to the midpoint; symmetric."""
    p, q = (Counter(token for row in side for token in row) for side in (ours, theirs))
    if not p or not q:
        return
    divergence = 0.0
    for token in p | q:
        a, b = p[token] / p.total(), q[token] / q.total()
        middle = (a + b) / 2
        for share in (a, b):
            divergence += share / 2 * math.log2(share / middle) if share else 0.0
    found = measures.unigram_js(corpus(ours), corpus(theirs)).value
    assert found == pytest.approx(divergence, abs=1e-12)
    assert found == measures.unigram_js(corpus(theirs), corpus(ours)).value
    assert 0 <= found <= 1 + 1e-12


def test_duplicate_rate_worked() -> None:
    """Worked: a a b a: two of four repeat an earlier one."""
    assert measures.duplicate_rate(["a", "a", "b", "a"]).value == 0.5
    assert measures.duplicate_rate([]).value == 0.0


def test_compression_ratio_is_gzips() -> None:
    """The same as gzip says; repetition compresses better than variety."""
    texts = [f"sentence {n} of many" for n in range(50)]
    data = "\n".join(texts).encode()
    found = measures.compression_ratio(Corpus(texts, [[0]] * 50))
    assert found.value == len(data) / len(gzip.compress(data, 9, mtime=0))
    same = measures.compression_ratio(Corpus(["same"] * 50, [[0]] * 50))
    assert same.value > found.value


def test_tail_coverage_worked() -> None:
    """Worked: of the rare words two, deux, Zwei the data have two, in any case."""
    human = ["common common common", "two two deux", "Zwei"]
    found = measures.tail_coverage(["TWO commonplace", "zwei, common"], human)
    assert (found.value, found.n) == (2 / 3, 3)
    assert found.direction == "higher"
    assert measures.tail_coverage(["x"], []).n == 0


@given(rows, st.integers(1, 40), st.integers(0, 5))
def test_a_sample_has_its_size(tokens: list[list[int]], size: int, seed: int) -> None:
    """Exactly `size` tokens, or all; whole records but the last, each taken once."""
    whole = corpus(tokens)
    sample = whole.sample(size, seed)
    assert sample.size == min(size, whole.size)
    assert not Counter(sample.texts) - Counter(whole.texts)
    cut = [
        text != " ".join(map(str, row))
        for text, row in zip(sample.texts, sample.tokens, strict=True)
    ]
    assert not any(cut[:-1])


def test_a_smaller_sample_is_part_of_a_larger() -> None:
    """Two sizes of one seed look at the same records."""
    whole = corpus([[n, n + 1, n + 2] for n in range(50)])
    small, large = whole.sample(10, 3), whole.sample(60, 3)
    assert large.texts[: len(small.texts)] == small.texts
    assert whole.sample(10, 4).texts != small.texts


def test_distinct_falls_with_the_sample() -> None:
    """Why the size is fixed: the same source looks less diverse in a larger sample."""
    draw = random.Random(0)  # noqa: S311
    whole = corpus([[draw.randrange(40) for _ in range(20)] for _ in range(200)])
    small, large = (
        measures.distinct_2(whole.sample(size, 0)).value for size in (500, 4000)
    )
    assert small > 1.5 * large


def test_measure_data_on_the_human_data_itself() -> None:
    """Data that are the human data diverge by nothing and cover the whole tail."""
    draw = random.Random(0)  # noqa: S311
    human = corpus([[draw.randrange(999) for _ in range(9)] for _ in range(99)])
    found = measures.measure_data(human, human, sample_size=300, seed=0)
    assert found["unigram_js"].value == 0.0
    assert found["tail_coverage"].value == 1.0
    assert found["distinct_1"].n == 300
    assert found == measures.measure_data(human, human, sample_size=300, seed=0)


def test_js_compares_samples_of_one_size() -> None:
    """A small dataset is compared with an equally small sample of the human data."""
    human = corpus([[n % 7] * 5 for n in range(70)])
    data = corpus([[1, 2, 3]])
    assert (
        measures.measure_data(data, human, sample_size=99, seed=0)["unigram_js"].n == 3
    )


def test_every_measure_is_defined() -> None:
    """What is measured is in the table, under its own name and version."""
    human = corpus([[1, 2, 3], [1, 2]])
    found = (
        measures.measure_data(human, human, sample_size=9, seed=0)
        | measures.measure_model([1.0, 2.0], [1, 1], [1, 1])
        | measures.measure_counts(10, 3)
    )
    assert set(found) <= set(MEASURES)
    for name, metric in found.items():
        assert metric.definition == name
        assert metric.version == MEASURES[name].version
        assert metric.direction == MEASURES[name].direction


def test_counts() -> None:
    """Generated is rejected and kept."""
    found = measures.measure_counts(generated=10, rejected=3)
    assert {name: metric.value for name, metric in found.items()} == {
        "generated": 10,
        "rejected": 3,
        "kept": 7,
    }
