"""What a difference of two measurements is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.diff import diff
from lineage.diff.metrics import MetricChange
from lineage.measured import attest
from lineage.store.objects import Edge, Metric

if TYPE_CHECKING:
    from lineage.registry import Registry

NUMBERS = st.integers(-50, 50)
INTERVALS = st.none() | st.lists(NUMBERS, min_size=2, max_size=2).map(sorted)


def metric(value: float, interval: list[float] | None = None) -> Metric:
    return Metric(value, "loss", 1, "lower", None, interval)


@pytest.mark.parametrize(
    ("a", "b", "verdict", "apart"),
    [
        (metric(5, [4, 6]), metric(8, [7, 9]), "worse", True),
        (metric(8, [7, 9]), metric(5, [4, 6]), "better", True),
        (metric(5, [4, 6]), metric(7, [6, 8]), "no verdict", False),  # they touch
        (metric(5, [0, 9]), metric(6, [5, 7]), "no verdict", False),  # one in the other
        (metric(5, [4, 6]), metric(8), "worse", None),
        (metric(5, [4, 6]), metric(5.5), "no verdict", False),
        (metric(5), metric(4), "better", None),
    ],
)
def test_intervals_decide(a: Metric, b: Metric, verdict: str, *, apart: bool) -> None:
    """Where intervals overlap nothing is said; where one is unknown it is said so."""
    change = MetricChange("loss", a, b)

    assert (change.verdict, change.apart) == (verdict, apart)


@given(NUMBERS, INTERVALS, NUMBERS, INTERVALS)
def test_a_verdict_needs_two_intervals_without_a_common_point(
    x: int, one: list[float] | None, y: int, other: list[float] | None
) -> None:
    """Whole numbers in both intervals are counted, and the mirror image agrees."""
    there = MetricChange("loss", metric(x, one), metric(y, other))
    back = MetricChange("loss", metric(y, other), metric(x, one))
    spans = [
        set(range(int(i[0]), int(i[1]) + 1)) for i in (one or [x, x], other or [y, y])
    ]

    assert (there.apart is False) == bool(spans[0] & spans[1])
    assert (there.apart is True) == bool(one and other and not spans[0] & spans[1])
    turned = {"better": "worse", "worse": "better"}
    assert back.verdict == turned.get(there.verdict, there.verdict)


def test_the_definition_says_which_way_is_better() -> None:
    """A metric without a direction has that of its definition in its version."""
    known, newer = (
        (Metric(v, "perplexity", 1) for v in (20, 10)),
        Metric(5, "perplexity", 9),
    )
    old, new = known

    assert MetricChange("p", old, new).verdict == "better"
    assert MetricChange("p", newer, Metric(4, "perplexity", 9)).verdict == "none"
    assert MetricChange("p", Metric(2), Metric(1)).verdict == "none"


def test_metrics_attested_later_are_compared(repo: Registry) -> None:
    """What somebody measured afterwards counts, and says by which event."""
    old = repo.commit("model", "m", metrics={"loss": 1.0}, params={"n": 1}).id
    new = repo.commit("model", "m", metrics={"loss": 2.0}, params={"n": 2}).id
    event = attest(repo, new, {"accuracy": Metric(0.7, direction="higher")}).event
    attest(repo, old, {"accuracy": Metric(0.9, direction="higher")})

    accuracy, loss = diff(repo, old, new, ["metrics"]).metrics

    assert (accuracy.name, accuracy.delta, accuracy.verdict) == (
        "accuracy",
        -0.2,
        "worse",
    )
    assert accuracy.events[1] == event
    assert (loss.name, loss.events) == ("loss", (None, None))


def test_commits_of_different_kinds(repo: Registry) -> None:
    """A generation is compared by its part of that kind; others by what they share."""
    same = {"n": 1}
    model = repo.commit("model", "m", params=same, metrics={"loss": 1.0}).id
    data = repo.commit("dataset", "d", params=same, metrics={"loss": 3.0}).id
    edges = [Edge("includes", id_) for id_ in (model, data)]
    whole = repo.commit("generation", "g", edges=edges).id
    later = repo.commit("model", "m", params=same, metrics={"loss": 1.5}).id

    of_part, unlike = diff(repo, whole, later), diff(repo, model, data)

    assert [(c.name, c.delta) for c in of_part.metrics] == [("loss", 0.5)]
    assert of_part.notes == (
        f"of the generation of g, its model m ({model[:12]}) is compared",
    )
    assert [c.delta for c in unlike.metrics] == [2.0]
    assert unlike.notes == (
        "a model and a dataset are compared in metrics, params and files alone",
    )


def test_settings_of_a_part_that_one_side_lacks_are_not_listed(repo: Registry) -> None:
    """A new part is named once, not setting by setting."""
    models = [repo.commit("model", n, params={"x": 1, "y": 2}).id for n in "ab"]
    made = [
        repo.commit("generation", "g", edges=[Edge("includes", id_) for id_ in ids]).id
        for ids in (models[:1], models)
    ]
    found = diff(repo, *made)

    assert (found.only_in("a"), found.only_in("b")) == ([], ["model/b"])
    assert found.params == ()
