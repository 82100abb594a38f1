"""A metric along a branch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lineage.errors import NotFound
from lineage.measured import attest
from lineage.metric_history import Course, course, definitions, meaning, measured
from lineage.store.objects import Edge, Metric

if TYPE_CHECKING:
    from lineage.registry import Registry


def branch(repo: Registry, *values: Metric | None) -> list[str]:
    """Commits of one branch, oldest first, with these values of ``loss``."""
    return [
        repo.commit(
            "model", "m", params={"n": n}, metrics={"loss": value} if value else {}
        ).id
        for n, value in enumerate(values)
    ]


def numbers(found: Course) -> list[list[int]]:
    return [[step.number for step in stretch] for stretch in found.stretches()]


def test_values_newest_first_with_what_they_did(repo: Registry) -> None:
    """Each step has its change since the last value before it."""
    ids = branch(repo, Metric(3.0), Metric(2.5), Metric(2.0))
    found = course(repo, ids[-1], "loss", "model/m")

    assert [step.entry.id for step in found.steps] == ids[::-1]
    assert [s.change and s.change.delta for s in found.steps] == [-0.5, -0.5, None]
    assert [step.since for step in found.steps] == [ids[1], ids[0], None]
    assert [step.number for step in found.newest(2).steps] == [2, 1]


def test_gaps(repo: Registry) -> None:
    """A stretch ends where a value is missing and where the definition changes."""
    one, two = Metric(1.0, "loss", 1), Metric(5.0, "loss", 2)
    ids = branch(repo, None, one, one, None, one, two, two)
    found = course(repo, ids[-1], "loss", "model/m")

    assert numbers(found) == [[1, 2], [4], [5, 6]]
    assert [(m.definition, m.version) for m in definitions([found])] == [
        ("loss", 2), ("loss", 1),
    ]  # fmt: skip
    assert found.steps[2].since == ids[2]  # across the gap
    assert found.steps[1].change is not None
    assert found.steps[1].change.verdict == "not comparable"


def test_what_was_attested_later_is_in_the_history(repo: Registry) -> None:
    """An attested value says by which event; as of before there is none."""
    ids = branch(repo, Metric(1.0), None)
    event = attest(repo, ids[1], {"loss": Metric(0.5)}).event
    newest = course(repo, ids[1], "loss", "model/m").steps[0]

    assert newest.measured == (Metric(0.5), ids[1], event)
    assert newest.change is not None
    assert newest.change.delta == -0.5


def test_a_generation_has_what_its_only_part_has(repo: Registry) -> None:
    """Own values come first; of several parts one has to be named."""
    a, b = (
        repo.commit("model", n, params={"n": n}, metrics={"loss": v, n: 1}).id
        for n, v in (("x", 1.0), ("y", 2.0))
    )
    both = [Edge("includes", a), Edge("includes", b)]
    whole = repo.commit("generation", "g", edges=both, metrics={"own": 9}).id

    assert measured(repo, whole, "own") == (Metric(9), whole, None)
    assert measured(repo, whole, "x") == (Metric(1), a, None)
    assert measured(repo, whole, "loss") is None
    assert measured(repo, whole, "model/y/loss") == (Metric(2.0), b, None)


def test_a_metric_that_nobody_measured(repo: Registry) -> None:
    """The error says what there is instead."""
    ids = branch(repo, Metric(1.0))

    with pytest.raises(NotFound, match="no commit on model/m has a metric los") as no:
        course(repo, ids[0], "los", "model/m")
    assert no.value.hint == "did you mean loss?"
    with pytest.raises(NotFound) as no:
        course(repo, ids[0], "accuracy", "model/m")
    assert no.value.hint == "there is loss"


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        (Metric(1), "loss"),
        (Metric(1, direction="lower"), "loss, lower is better"),
        (Metric(1, "loss", 2), "loss v2"),
        (Metric(1, "perplexity", 1), "loss: perplexity v1, lower is better"),
    ],
)
def test_what_a_value_means(metric: Metric, words: str) -> None:
    """Definition, version and direction in a few words."""
    assert meaning("loss", metric) == words
