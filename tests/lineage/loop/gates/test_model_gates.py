"""Gates on models compare a new one with the parent and with generation 0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lineage.errors import UsageError
from lineage.loop.gates import GateResult, ModelContext, load_gates
from lineage.loop.measuring.definitions import MEASURES
from lineage.loop.records.shards import write_shard
from lineage.loop.steps.protocol import Job
from lineage.store.objects import Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from lineage.loop.spec import LoopSpec

    Judge = Callable[..., GateResult]

PPL = MEASURES["perplexity"]
P95 = MEASURES["perplexity_p95"]


@pytest.fixture
def judge(parse: Callable[..., LoopSpec], tmp_path: Path) -> Judge:
    """What one gate says of a model with these metrics; `texts` are by role."""

    def judge(
        gate: dict[str, Any],
        here: Mapping[str, Metric],
        zero: Mapping[str, Metric] | None = None,
        parent: Mapping[str, Metric] | None = None,
        **texts: list[str],
    ) -> GateResult:
        spec = parse(gates=[gate])
        for role, written in texts.items():
            records = [{"id": str(n), "text": text} for n, text in enumerate(written)]
            write_shard(tmp_path / role / "a.jsonl", records)
        job = Job(
            step="judge",
            generation=1 if zero else 0,
            attempt=0,
            seed=0,
            spec=spec,
            inputs={role: tmp_path / role for role in texts},
            ids={},
            output=tmp_path,
            scratch=tmp_path,
        )
        [loaded] = load_gates(spec, "model")
        zero = zero or {}
        context = ModelContext(here, zero if parent is None else parent, zero, job)
        result: GateResult = loaded.judge(context)
        assert result.on == "model"
        return result

    return judge


@pytest.mark.parametrize(
    ("gate", "here", "value", "passes"),
    [
        ({}, 25.0, 1.25, True),
        ({}, 25.1, 1.255, False),
        ({}, 1.0, 0.05, True),
        ({"max_ratio": 1.1}, 22.1, 1.105, False),
        ({"min_ratio": 0.5}, 9.0, 0.45, False),
        ({"min_ratio": 0.5}, 90.0, 4.5, True),
        ({"max_difference": 2.0}, 22.5, 2.5, False),
        ({"min_difference": -2.0, "max_difference": 2.0}, 18.5, -1.5, True),
        ({"min_difference": -2.0, "max_difference": 2.0}, 17.5, -2.5, False),
    ],
)
def test_a_measure_may_not_get_worse(
    judge: Judge,
    gate: dict[str, Any],
    here: float,
    value: float,
    passes: bool,  # noqa: FBT001
) -> None:
    """A ratio or a difference is judged by the bounds given, or the direction's."""
    new, zero = ({"perplexity": PPL.metric(v, 9)} for v in (here, 20.0))
    result = judge({"type": "regression"} | gate, new, zero)
    assert result.value == pytest.approx(value)
    assert result.passed is passes
    assert "may be chance" not in result.sentence


def test_regression_is_said_in_words(judge: Judge) -> None:
    """With both values, the limit, and whether chance may be all there is."""
    new = {"perplexity": PPL.metric(30.0, 9, [24.0, 36.0])}
    zero = {"perplexity": PPL.metric(20.0, 9, [15.0, 25.0])}
    result = judge({"type": "regression"}, new, zero)
    assert result.sentence == (
        "perplexity is 30, 1.5 times generation 0's 20; at most 1.25 is allowed; "
        "their 95 % intervals overlap, so it may be chance"
    )
    assert not result.passed
    apart = {"perplexity": PPL.metric(30.0, 9, [26.0, 36.0])}
    sentence = judge({"type": "regression"}, apart, zero).sentence
    assert sentence.endswith("at most 1.25 is allowed")


def test_regression_looks_at_the_parent_where_asked(judge: Judge) -> None:
    """Slow decay passes against the parent and fails against generation 0."""
    values = {"zero": 20.0, "parent": 24.0, "here": 28.0}
    metrics = {k: {"perplexity": PPL.metric(v, 9)} for k, v in values.items()}
    for against, passes in (("parent", True), ("zero", False)):
        gate = {"type": "regression", "against": against}
        result = judge(gate, metrics["here"], metrics["zero"], metrics["parent"])
        assert result.passed is passes, against


@pytest.mark.parametrize(
    ("here", "zero", "passes", "sentence"),
    [
        (
            {"perplexity": PPL.metric(9.0, 1)},
            {},
            True,
            "perplexity is 9: the reference",
        ),
        ({}, {}, False, "nothing has measured perplexity"),
        ({}, {"perplexity": PPL.metric(9.0, 1)}, False, "nothing has measured perpl"),
        (
            {"perplexity": Metric(9.0, "perplexity", 2)},
            {"perplexity": PPL.metric(9.0, 1)},
            False,
            "perplexity is not measured as it was in generation 0",
        ),
        (
            {"perplexity": PPL.metric(9.0, 1)},
            {"perplexity": PPL.metric(0.0, 1)},
            False,
            "perplexity of generation 0 is 0, of which nothing is a multiple",
        ),
        (
            {"perplexity": PPL.metric(9.0, 1)},
            {"else": Metric(1.0)},
            False,
            "generation 0 has no perplexity to compare with",
        ),
    ],
)
def test_what_cannot_be_compared_does_not_pass(
    judge: Judge,
    here: dict[str, Metric],
    zero: dict[str, Metric],
    passes: bool,  # noqa: FBT001
    sentence: str,
) -> None:
    """But in generation 0, which is the reference."""
    result = judge({"type": "regression"}, here, zero)
    assert (result.passed, result.value) == (passes, None)
    assert result.sentence.startswith(sentence)


def test_a_measure_of_data_has_no_parent_in_generation_1(judge: Judge) -> None:
    """Generation 0 has no data of its own: the first that has passes."""
    gate = {"type": "regression", "metric": "tail_coverage", "against": "parent"}
    here = {"tail_coverage": MEASURES["tail_coverage"].metric(0.5, 9)}
    zero = {"perplexity": PPL.metric(9.0, 1)}
    assert judge(gate, here, zero).passed
    parent = {"tail_coverage": MEASURES["tail_coverage"].metric(0.9, 9)}
    assert not judge(gate, here, zero, parent).passed


@pytest.mark.parametrize(
    ("gate", "sentence"),
    [
        ({"metric": "mine"}, "mine has no direction of its own: say min_ratio, max_r"),
        (
            {"metric": "distinct_2", "against": "parent"},
            "distinct_2 has no direction of its own",
        ),
        ({"metric": "tail_coverage"}, "against: tail_coverage is measured of what"),
        (
            {"max_ratio": 2.0, "max_difference": 1.0},
            "compares by a ratio or by a difference, not by both",
        ),
        (
            {"min_ratio": 2.0, "max_ratio": 1.0},
            "the least allowed, 2, must be less than the most, 1",
        ),
        ({"action": "drop"}, "drop is for gates that judge single records"),
        ({"max_ration": 2.0}, "unknown; did you mean max_ratio?"),
    ],
)
def test_what_regression_cannot_do_is_refused(
    parse: Callable[..., LoopSpec], gate: dict[str, Any], sentence: str
) -> None:
    """Before anything runs, in one sentence."""
    with pytest.raises(UsageError) as caught:
        parse(gates=[{"type": "regression"} | gate])
    assert sentence in str(caught.value)


@pytest.mark.parametrize(("here", "passes"), [(50.0, True), (50.1, False)])
def test_the_perplexity_tail_is_held_to_generation_0(
    judge: Judge,
    here: float,
    passes: bool,  # noqa: FBT001
) -> None:
    """Its 95th percentile may not be more than a quarter higher."""
    zero = {"perplexity_p95": P95.metric(40.0, 9)}
    result = judge({"type": "tails"}, {"perplexity_p95": P95.metric(here, 9)}, zero)
    assert result.passed is passes
    assert result.value == pytest.approx(here / 40)
    assert result.details["coverage"] == {}


def test_rare_words_that_go_missing_fail(judge: Judge) -> None:
    """Equally many words of either text are looked at, in the seed's order."""
    human = ["common common common one two three four"]
    metrics = {"perplexity_p95": P95.metric(40.0, 9)}
    first, twice = ["one two common three"], ["one two common", "one common"]
    result = judge(
        {"type": "tails"}, metrics, metrics,
        human=human, synthetic=twice, reference=first,
    )  # fmt: skip
    coverage = result.details["coverage"]
    assert coverage["reference"] == 0.75
    assert (coverage["words"], coverage["here"] <= 0.5, result.passed) == (
        4,
        True,
        False,
    )
    assert "times the rare words of what generation 0 wrote" in result.sentence
    same = judge(
        {"type": "tails"}, metrics, metrics,
        human=human, synthetic=first, reference=first,
    )  # fmt: skip
    assert same.passed


def test_a_tail_that_nobody_measured_fails(judge: Judge) -> None:
    """A step of the user's may measure something else."""
    assert not judge({"type": "tails"}, {}).passed
    p95 = {"perplexity_p95": P95.metric(40.0, 9)}
    assert judge({"type": "tails"}, p95).passed
    assert not judge({"type": "tails"}, p95, {"perplexity": PPL.metric(9.0, 1)}).passed
