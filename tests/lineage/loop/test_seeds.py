"""Every choice comes from the loop's seed, the same on every machine."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lineage.loop.seeds import choose, order, shard_seed


def test_shard_seed_is_pinned() -> None:
    """Old loops must be repeatable: the derivation never changes.

    printf '0|1|generate|2' | sha256sum
    """
    assert shard_seed(0, 1, "generate", 2) == 0xC5C1ABA8


def test_every_part_counts() -> None:
    """Another seed, generation, stage or shard is another stream."""
    seeds = {
        shard_seed(seed, generation, stage, shard)
        for seed in range(3)
        for generation in range(3)
        for stage in ("generate", "train")
        for shard in range(3)
    }
    assert len(seeds) == 54
    assert all(0 <= seed < 2**32 for seed in seeds)


@given(st.integers(0, 200), st.integers())
def test_order_is_a_permutation(count: int, seed: int) -> None:
    """Every number comes once."""
    assert sorted(order(count, seed)) == list(range(count))


@given(st.integers(0, 60), st.data())
def test_choices_are_nested_and_rising(count: int, data: st.DataObject) -> None:
    """More of the same choice only adds to it."""
    fewer = data.draw(st.integers(0, count))
    more = data.draw(st.integers(fewer, count))
    few, many = choose(count, fewer, "x"), choose(count, more, "x")
    assert len(few) == fewer
    assert few == sorted(set(few))
    assert set(few) <= set(many)


def test_order_is_even() -> None:
    """Over many seeds each place is taken by each number about equally often."""
    firsts = [order(4, seed)[0] for seed in range(2000)]
    assert all(400 < firsts.count(number) < 600 for number in range(4))
