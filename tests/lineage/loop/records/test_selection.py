"""What is selected is what the rewards say, whatever stands beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.errors import LineageError, UsageError
from lineage.loop.records.selection import Selected, select
from lineage.loop.spec.selection import SelectionSpec

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from lineage.loop.spec import LoopSpec

Group = list[float]
groups = st.lists(
    st.lists(st.sampled_from([-1.5, 0, 0.25, 1, 1e-9, 3e20]), min_size=1, max_size=5),
    max_size=6,
)


def answers(rewards: list[Group]) -> tuple[list[dict[str, Any]], list[float]]:
    """A record for each reward, a prompt for each group."""
    records = [
        {
            "id": f"g001-{p}-{c}",
            "prompt": f"q{p}",
            "prompt_id": f"p{p}",
            "completion": f" a{c}",
            "text": f"q{p} a{c}",
        }
        for p, group in enumerate(rewards)
        for c in range(len(group))
    ]
    return records, [reward for group in rewards for reward in group]


def chosen(rewards: list[Group], keep: str, seed: int = 0, **more: Any) -> Selected:
    section = SelectionSpec.model_validate({"by": "r.py:score", "keep": keep, **more})
    return select(section, *answers(rewards), seed)


@given(groups, st.integers(0, 3))
def test_best_is_one_of_the_best(rewards: list[Group], seed: int) -> None:
    """One record of each prompt, with the highest reward; prompts in their order."""
    found = chosen(rewards, "best", seed).records
    assert [record["prompt_id"] for record in found] == [
        f"p{number}" for number in range(len(rewards))
    ]
    assert [record["reward"] for record in found] == list(map(max, rewards))


@given(groups, st.sampled_from([-2, 0, 0.25, 2]))
def test_above_is_all_that_are(rewards: list[Group], threshold: float) -> None:
    """Every record with such a reward, and no other."""
    records, flat = answers(rewards)
    found = chosen(rewards, "above", threshold=threshold).records
    pairs = zip(records, flat, strict=True)
    good = [record["id"] for record, reward in pairs if reward >= threshold]
    assert [record["id"] for record in found] == good


@given(groups, st.sampled_from([None, 0, 0.5]))
def test_pairs_are_apart(rewards: list[Group], threshold: float | None) -> None:
    """The better answer is the best, the other the worst; else there is no pair."""
    found = chosen(rewards, "pairs", threshold=threshold)
    expected = [
        (f"p{number}", max(group), min(group))
        for number, group in enumerate(rewards)
        if (max(group) > min(group))
        and (threshold is None or max(group) >= threshold > min(group))
    ]
    names = ("prompt_id", "chosen_reward", "rejected_reward")
    assert [tuple(r[name] for name in names) for r in found.records] == expected
    for record in found.records:
        assert record["text"] == record["prompt"] + record["chosen"]
        assert record["chosen"] != record["rejected"]
    without = found.metrics["prompts_without_pair"]
    assert (without.value, without.n) == (len(rewards) - len(expected), len(rewards))


def test_weighted_keeps_all() -> None:
    """All records, each with its reward at six digits."""
    found = chosen([[1 / 3, 2e-9], [5.0]], "weighted").records
    assert [record["reward"] for record in found] == [0.333333, 2e-9, 5.0]


@given(groups, st.randoms(use_true_random=False))
def test_the_order_of_records_changes_nothing(
    rewards: list[Group], draw: random.Random
) -> None:
    """Also between equals: which is handed on hangs on its id and the seed."""
    records, flat = answers(rewards)
    section = SelectionSpec(by="r.py:score", keep="best")
    rows = list(range(len(records)))
    draw.shuffle(rows)
    first = select(section, records, flat, 1).records
    again = select(section, [records[r] for r in rows], [flat[r] for r in rows], 1)
    assert sorted(r["id"] for r in first) == sorted(r["id"] for r in again.records)


def test_equals_are_told_apart_by_the_seed() -> None:
    """Among twenty equal answers two seeds choose different ones."""
    one, other = (chosen([[1.0] * 20], "best", seed).records for seed in (1, 2))
    assert one != other


def test_what_is_measured() -> None:
    """Worked by hand: two prompts with rewards 1, 3 and 0."""
    found = chosen([[1.0, 3.0], [0.0]], "best", threshold=1)
    values = {name: (m.value, m.n) for name, m in found.metrics.items()}
    assert values == {
        "reward_mean": (4 / 3, 3),
        "reward_best": (1.5, 2),
        "selected": (1, 3),
    }
    assert found.verdict["verdict"] == "pass"
    assert found.verdict["sentence"] == (
        "keep: best of 3 records, at 1 or more gives 1 records"
    )


def test_nothing_selected_fails() -> None:
    """The verdict stops the loop."""
    found = chosen([[0.0]], "above", threshold=1)
    verdict = found.verdict
    assert (verdict["verdict"], verdict["action"]) == ("fail", "stop")


@pytest.mark.parametrize("reward", [float("nan"), float("inf")])
def test_rewards_are_numbers(reward: float) -> None:
    """What is none is said with its record."""
    with pytest.raises(LineageError, match=f"the reward of g001-0-1 is {reward}"):
        chosen([[1.0, reward]], "weighted")


@pytest.mark.parametrize(
    ("section", "sentence"),
    [
        ({"by": "score", "keep": "best"}, "selection.by: is check_record"),
        ({"by": "r.py:f", "keep": "above"}, "keep: above needs a threshold"),
        ({"by": "r.py:f", "keep": "pairs"}, "keep: pairs needs generation.num_cand"),
        (
            {"by": "r.py:f", "keep": "weighted", "threshold": 1},
            "threshold has no use with keep: weighted",
        ),
        (
            {"by": {"model_name_or_path": "m", "role": "owl"}, "keep": "above"},
            "must be 'reward', 'judge' or 'verifier'",
        ),
        (
            {
                "by": {"model_name_or_path": "m", "role": "reward", "prompt": "x"},
                "keep": "weighted",
            },
            "prompt and answer are for a judge, not a reward",
        ),
        (
            {
                "by": {"model_name_or_path": "m", "role": "judge", "prompt": "{x}"},
                "keep": "weighted",
            },
            "has {x}; a record has prompt, completion, text",
        ),
        ({"by": "r.py:f", "keep": "abov"}, "must be 'best', 'above', 'pairs' or"),
    ],
)
def test_refusals(
    parse: Callable[..., LoopSpec], section: dict[str, Any], sentence: str
) -> None:
    """What cannot be meant is one sentence."""
    with pytest.raises(UsageError) as caught:
        parse(selection=section)
    assert sentence in str(caught.value)


def test_a_check_s_verdict_has_a_threshold(parse: Callable[..., LoopSpec]) -> None:
    """`check_record` alone is the function of checks.py; right is one half or more."""
    spec = parse(selection={"by": "check_record", "keep": "above"})
    assert spec.selection is not None
    assert spec.selection.by == "checks.py:check_record"
    assert spec.selection.limit == 0.5
