"""What a failed gate leads to: each try that ends is kept, and the loop goes on."""

from __future__ import annotations

from typing import Any

import pytest

from lineage.errors import (
    GateFailed,
    LineageError,
    NotFound,
    UsageError,
    WaitingForReview,
)
from lineage.loop.reviews.deciding import can_be_approved, decide
from lineage.loop.reviews.standing import Reviews
from lineage.loop.running import journal
from lineage.loop.running.overview import stopped_try

Toy = Any

JUDGES = """
import steps
from lineage.loop.steps.mix import mix

BAD = {bad}


def _gates(job):
    actions = BAD.get((job.step, job.generation, job.attempt), ())
    bad = [
        {{"id": a, "verdict": "fail", "action": a, "sentence": "bad"}} for a in actions
    ]
    return bad or [{{"id": "fine", "verdict": "pass"}}]


def mixed(job):
    return {{"shares": dict(mix(job).shares), "gates": _gates(job)}}


def evaluate(job):
    return steps.evaluate(job) | {{"gates": _gates(job)}}
"""
Bad = dict[tuple[str, int, int], list[str]]


def judged(toy: Toy, bad: Bad, **more: Any) -> dict[str, Any]:
    """Sections of a loop whose mix and evaluate fail the gates of `bad` tries.

    `bad` maps (step, generation, attempt) to the actions of the gates that fail.
    """
    toy.write("judges.py", JUDGES.format(bad=bad))
    steps = {"mix": "judges:mixed", "evaluate": "judges:evaluate"}
    return {"steps": toy.steps | steps, **more}


def stop(toy: Toy, **sections: Any) -> str:
    with pytest.raises(GateFailed) as caught:
        toy.run(**sections)
    return str(caught.value)


def params(toy: Toy, branch: str = "loop/toy") -> list[dict[str, Any]]:
    """What a branch's generations say of themselves, newest first."""
    return [dict(toy.registry.load(id_).params) for id_ in toy.branch(branch)]


@pytest.mark.parametrize("step", ["mix", "evaluate"])
def test_retry_tries_at_once_with_another_seed(toy: Toy, step: str) -> None:
    """The first try is kept aside, the second is the generation; nobody is asked."""
    toy.run(**judged(toy, {(step, 1, 0): ["retry"]}))
    assert params(toy)[:2] == [
        {"generation": 2, "attempt": 0},
        {"generation": 1, "attempt": 1},
    ]
    [(does, branch, why)] = toy.watch.aside
    assert (does, branch, why) == ("retry", "loop/toy@rejected", "retry: bad")
    aside = toy.registry.load(toy.branch("loop/toy@rejected")[0])
    assert aside.params == {"generation": 1, "attempt": 0}
    assert aside.gates[-1]["verdict"] == "fail"
    assert toy.registry.names("runs") == {}


def test_after_its_retries_a_loop_stops(toy: Toy) -> None:
    """At most `retries` more tries; run again, there is one more each time."""
    bad: Bad = {("evaluate", 1, attempt): ["retry"] for attempt in range(4)}
    sections = judged(toy, bad, retries=2)
    said = stop(toy, **sections)
    assert said == "generation 1 of loop/toy was stopped: retry: bad (retried 2 times)"
    assert [does for does, _, _ in toy.watch.aside] == ["retry", "retry"]
    assert params(toy, "loop/toy@rejected")[0]["attempt"] == 2
    stop(toy, **sections)
    assert toy.watch.aside == []
    assert toy.run(**sections).made[0].attempt == 4


def test_no_retries_is_a_stop(toy: Toy) -> None:
    """`retries: 0` leaves the action of stop."""
    sections = judged(toy, {("evaluate", 1, 0): ["retry"]}, retries=0)
    assert stop(toy, **sections).endswith("was stopped: retry: bad")


def test_what_was_stopped_has_a_name(toy: Toy) -> None:
    """Kept by `branch` it is not on `loop/toy@rejected`, and has its id for a name."""
    stop(toy, **judged(toy, {("evaluate", 1, 0): ["branch"]}, retries=0))
    kept = toy.branch("loop/toy@g1")[0]
    assert stopped_try(toy.registry, "toy") == kept[:12]
    stop(toy, **judged(toy, {("evaluate", 1, 1): ["stop"]}, retries=0))
    assert stopped_try(toy.registry, "toy") == "loop/toy@rejected"


def test_nothing_of_a_loop_waits(toy: Toy) -> None:
    """A loop's name is no unknown revision, where none of it was judged yet."""
    toy.run(num_generations=0)
    with pytest.raises(NotFound, match="nothing of loop/toy waits"):
        Reviews.read(toy.registry).find(toy.registry, "toy")


def test_warn_is_recorded_and_the_loop_goes_on(toy: Toy) -> None:
    """Not even a review is due."""
    result = toy.run(
        **judged(toy, {("evaluate", 1, 0): ["warn"], ("mix", 2, 0): ["warn"]})
    )
    assert [made.attempt for made in result.made] == [0, 0, 0]
    gates = [toy.registry.load(made.id).gates for made in result.made[1:]]
    assert [[g["verdict"] for g in each] for each in gates] == [
        ["pass", "fail"],
        ["fail", "pass"],
    ]
    assert "review_requested" not in toy.types()


@pytest.mark.parametrize("step", ["mix", "evaluate"])
def test_fallback_goes_on_with_the_parent(toy: Toy, step: str) -> None:
    """The generation has its parent's model, and the next one trains from it."""
    registry = toy.registry
    toy.run(num_generations=3, **judged(toy, {(step, 2, 0): ["fallback"]}))
    assert params(toy)[1] == {"generation": 2, "attempt": 0, "fallback": True}
    three, two, one, _ = [journal.parts(registry, id_) for id_ in toy.branch()]
    assert two.model == one.model
    assert (two.synthetic, two.mixed) == ("", "")
    assert (
        registry.load(two.id).metrics["known"] == registry.load(one.id).metrics["known"]
    )
    assert registry.load(three.model).ids("fine_tuned_from") == (one.model,)
    aside = toy.branch("loop/toy@rejected")[0]
    event = next(e for _, e in registry.events() if e.subject == two.id)
    assert event.data["instead_of"] == aside


def test_what_fell_back_adds_no_records(toy: Toy) -> None:
    """Later mixes leave the generation out, as it wrote nothing."""
    toy.run(num_generations=3, **judged(toy, {("mix", 2, 0): ["fallback"]}))
    three = journal.parts(toy.registry, toy.branch()[0])
    folder = toy.registry.get(three.mixed, toy.registry.root / "mixed")
    assert sorted(path.name for path in folder.iterdir()) == ["g001", "g003", "human"]


def test_generation_0_has_nothing_to_fall_back_to(toy: Toy) -> None:
    """It stops and says so."""
    said = stop(toy, **judged(toy, {("evaluate", 0, 0): ["fallback"]}))
    assert said.endswith("fallback: bad (generation 0 has no parent to fall back to)")


@pytest.mark.parametrize("step", ["mix", "evaluate"])
def test_branch_finishes_the_try_beside_the_loop(toy: Toy, step: str) -> None:
    """It has a model and metrics, and the loop's own generation another seed."""
    toy.run(**judged(toy, {(step, 1, 0): ["branch"], (step, 1, 1): ["branch"]}))
    assert params(toy)[1] == {"generation": 1, "attempt": 2}
    assert [branch for _, branch, _ in toy.watch.aside] == [
        "loop/toy@g1",
        "loop/toy@g1-1",
    ]
    aside = toy.branch("loop/toy@g1")[0]
    assert journal.parts(toy.registry, aside).model
    assert "known" in toy.registry.load(aside).metrics
    assert "loop/toy@rejected" not in toy.registry.branches()


def test_a_person_can_go_on_from_a_branch(toy: Toy) -> None:
    """Once it is approved, a loop of that name follows the try that was set aside."""
    sections = judged(toy, {("evaluate", 1, 0): ["branch"]})
    toy.run(**sections)
    aside = toy.branch("loop/toy@g1")[0]
    with pytest.raises(WaitingForReview):
        toy.run(**sections | {"name": "toy@g1"})
    decide(toy.registry, aside, "approve", "I want to see where it leads")
    made = toy.run(**sections | {"name": "toy@g1"}).made
    assert [each.generation for each in made] == [2]
    assert toy.branch("loop/toy@g1")[1] == aside
    assert len(toy.branch()) == 3


def test_the_strongest_action_is_taken(toy: Toy) -> None:
    """From what a loop does by itself to what ends it."""
    actions = ["warn", "retry", "branch", "fallback", "review", "stop"]
    said = stop(toy, **judged(toy, {("mix", 1, 0): actions}))
    assert said.endswith("; stop: bad")


def test_review_comes_before_fallback(toy: Toy) -> None:
    """Where a person is asked, nothing is done without them."""
    with pytest.raises(WaitingForReview):
        toy.run(**judged(toy, {("mix", 1, 0): ["fallback", "review", "retry"]}))


FAILING = """
import steps
from pathlib import Path


def train(job):
    if job.generation == {generation} and Path(__file__).with_name("bad").exists():
        raise RuntimeError("out of luck")
    return steps.train(job)
"""


def test_a_failed_step_leaves_a_commit_and_ends_no_try(toy: Toy, repo: Any) -> None:
    """What the generation has is kept aside; mended, it ends as if undisturbed."""
    toy.write("failing.py", FAILING.format(generation=1))
    sections = {"steps": toy.steps | {"train": "failing:train"}}
    toy.write("bad", "")
    for _ in range(2):
        with pytest.raises(LineageError, match="out of luck"):
            toy.run(**sections)
    failed = toy.registry.load(toy.branch("loop/toy@rejected")[0])
    assert failed.params == {"generation": 1, "attempt": 0, "failed": "train"}
    kinds = [toy.registry.load(i).params.get("part") for i in failed.ids("includes")]
    assert sorted(filter(None, kinds)) == ["mixed", "synthetic"]
    assert not can_be_approved(repo, "toy")
    with pytest.raises(UsageError, match="does not wait for review"):
        decide(repo, "loop/toy@rejected", "approve", "please")

    (toy.registry.root / "bad").unlink()
    head = toy.run(**sections).head
    assert toy.watch.recalled_ == ["1 generate", "1 check", "1 mix"]
    assert [each["attempt"] for each in params(toy)] == [0, 0, 0]
    assert toy.registry.branches()["loop/toy"] == head


def test_a_failure_forgets_no_rejection(toy: Toy) -> None:
    """After a rejected try and a failed step the next try is still the second."""
    toy.write("failing.py", FAILING.format(generation=1))
    sections = judged(toy, {("mix", 1, 0): ["stop"]})
    sections["steps"] = sections["steps"] | {"train": "failing:train"}
    stop(toy, **sections)
    toy.write("bad", "")
    with pytest.raises(LineageError, match="out of luck"):
        toy.run(**sections)
    (toy.registry.root / "bad").unlink()
    toy.run(**sections)
    assert params(toy)[1] == {"generation": 1, "attempt": 1}


def test_a_failure_forgets_no_override(toy: Toy) -> None:
    """What a person let pass goes on after a step that failed on the way."""
    toy.write("failing.py", FAILING.format(generation=1))
    sections = judged(toy, {("mix", 1, 0): ["stop"]})
    sections["steps"] = sections["steps"] | {"train": "failing:train"}
    stop(toy, **sections)
    decide(toy.registry, "loop/toy@rejected", "approve", "good enough")
    toy.write("bad", "")
    with pytest.raises(LineageError, match="out of luck"):
        toy.run(**sections)
    (toy.registry.root / "bad").unlink()
    toy.run(**sections)
    assert params(toy)[1] == {"generation": 1, "attempt": 0}
