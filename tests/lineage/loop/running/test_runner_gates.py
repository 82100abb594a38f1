"""Gates and people decide whether a loop goes on; what they stop is kept."""

from __future__ import annotations

from typing import Any

import pytest

from lineage.errors import GateFailed, WaitingForReview

Toy = Any

NEVER = "def check_record(record):\n    return False\n"
NO_FOXES = (
    'def check_record(record):\n    assert "fox fox" not in record["text"], "foxes"\n'
)
UNLIKE_ZERO = {"type": "diversity", "min": 5, "max": 9}


def stop(toy: Toy, **sections: Any) -> GateFailed:
    with pytest.raises(GateFailed) as caught:
        toy.run(**sections)
    return caught.value


def pause(toy: Toy, **sections: Any) -> WaitingForReview:
    with pytest.raises(WaitingForReview) as caught:
        toy.run(**sections)
    return caught.value


def requests(toy: Toy) -> list[str]:
    """The commits that reviews were asked for, oldest first."""
    events = [e for _, e in toy.registry.events() if e.type == "review_requested"]
    return [event.subject for event in events][::-1]


def test_dropped_records_are_counted_and_do_not_train(toy: Toy) -> None:
    """A unit test of records drops some; the others go on."""
    toy.write("checks.py", NO_FOXES)
    gate = {"type": "check_record", "action": "drop", "min_pass_rate": 0}
    result = toy.run(num_generations=1, gates=[gate])
    metrics = result.made[1].metrics
    counts = {name: metrics[name].value for name in ("generated", "rejected", "kept")}
    assert 0 < counts["rejected"] < 12
    assert counts["generated"] == counts["rejected"] + counts["kept"] == 12
    commit = toy.registry.load(result.head)
    for id_ in commit.ids("includes"):
        if toy.registry.load(id_).params.get("part") == "synthetic":
            folder = toy.registry.get(id_, toy.registry.root / "kept")
            assert "fox fox" not in "".join(f.read_text() for f in folder.iterdir())


def test_a_passed_gate_is_recorded_too(toy: Toy) -> None:
    """The verdict stands in the generation, whichever way it goes."""
    toy.write("checks.py", "def check_record(record):\n    return True\n")
    result = toy.run(num_generations=1, gates=[{"type": "check_record"}])
    (gate,) = toy.registry.load(result.head).gates
    assert (gate["id"], gate["verdict"], gate["value"]) == ("check_record", "pass", 1)


def test_a_gate_that_stops_keeps_the_generation_aside(toy: Toy) -> None:
    """The branch stays; the failed try is a commit with its verdict and reason."""
    error = stop(toy, gates=[UNLIKE_ZERO])
    assert "generation 1 of loop/toy was stopped: diversity" in str(error)
    assert "loop/toy@rejected" in error.hint
    assert len(toy.branch()) == 1
    rejected, zero = toy.branch("loop/toy@rejected")
    assert zero == toy.branch()[0]
    commit = toy.registry.load(rejected)
    assert commit.gates[0]["verdict"] == "fail"
    assert commit.params == {"generation": 1, "attempt": 0}
    newest = next(iter(toy.registry.events()))[1]
    event = next(e for _, e in toy.registry.events() if e.subject == rejected)
    assert newest.type in {"commit", "drop"}
    assert event.message.startswith("diversity: ")


def test_another_try_has_another_seed(toy: Toy) -> None:
    """Running on after a stop makes the generation anew and counts the tries."""
    stop(toy, gates=[UNLIKE_ZERO])
    first = toy.branch("loop/toy@rejected")[0]
    stop(toy, gates=[UNLIKE_ZERO])
    second = toy.branch("loop/toy@rejected")[0]
    assert toy.watch.did == ["1 generate", "1 check"]
    assert toy.registry.load(second).params == {"generation": 1, "attempt": 1}
    assert first != second


def test_a_stopped_generation_can_be_approved_after_all(toy: Toy) -> None:
    """An override is a review of the rejected commit; the same data go on."""
    stop(toy, num_generations=1, gates=[UNLIKE_ZERO])
    rejected = toy.branch("loop/toy@rejected")[0]
    toy.review(rejected, "approve", override=True)
    result = toy.run(num_generations=1, gates=[UNLIKE_ZERO])
    assert toy.watch.recalled_ == ["1 generate", "1 check"]
    commit = toy.registry.load(result.head)
    assert commit.gates[0]["verdict"] == "fail"
    assert commit.params == {"generation": 1, "attempt": 0}


def test_nothing_left_to_train_on_is_said(toy: Toy) -> None:
    """A gate that drops everything stops the loop even where it passes."""
    toy.write("checks.py", NEVER)
    gate = {"type": "check_record", "action": "drop", "min_pass_rate": 0}
    error = stop(toy, gates=[gate])
    assert str(error).endswith("was stopped: no record was left to train on")
    assert len(toy.branch()) == 1


def test_dropping_too_much_stops(toy: Toy) -> None:
    """Below its pass rate a dropping gate trusts none of the rest."""
    toy.write("checks.py", NEVER)
    stop(toy, gates=[{"type": "check_record", "action": "drop"}])
    rejected = toy.registry.load(toy.branch("loop/toy@rejected")[0])
    assert rejected.metrics["kept"].value == 0


def test_a_gate_can_ask_for_a_person(toy: Toy) -> None:
    """The loop pauses before training, asks once, and waits as long as it takes."""
    gate = UNLIKE_ZERO | {"action": "review"}
    error = pause(toy, num_generations=1, gates=[gate])
    assert "waits for a review of the dataset" in str(error)
    (subject,) = requests(toy)
    assert toy.registry.load(subject).params["part"] == "synthetic"
    pause(toy, num_generations=1, gates=[gate])
    assert requests(toy) == [subject]
    assert toy.watch.recalled_ == ["1 generate", "1 check"]
    toy.review(subject, "approve", override=True)
    assert len(toy.run(num_generations=1, gates=[gate]).made) == 1


def test_rejected_data_are_kept_aside(toy: Toy) -> None:
    """A person's no stops the generation with their words, and the next is new."""
    gate = UNLIKE_ZERO | {"action": "review"}
    pause(toy, gates=[gate])
    toy.review(requests(toy)[0], "reject", note="all foxes")
    assert "rejected by Ada: all foxes" in str(stop(toy, gates=[gate]))
    assert len(toy.branch("loop/toy@rejected")) == 2
    pause(toy, gates=[gate])
    assert len(requests(toy)) == 2
    assert toy.watch.did == ["1 generate", "1 check"]


def test_every_so_many_generations_a_person_looks(toy: Toy) -> None:
    """The loop pauses with the generation committed, and goes on when approved."""
    sections = {"num_generations": 3, "review": {"every": 2}}
    error = pause(toy, **sections)
    assert "waits for a review of the generation" in str(error)
    assert len(toy.branch()) == 3
    pause(toy, **sections)
    assert requests(toy) == toy.branch()[:1]
    toy.review(toy.branch()[0], "approve")
    result = toy.run(**sections)
    assert [made.generation for made in result.made] == [3]
    assert requests(toy) == [toy.branch()[1]]


def test_the_last_generation_is_reviewed_too(toy: Toy) -> None:
    """A loop whose last generation is due ends when that is approved."""
    sections = {"num_generations": 1, "review": {"every": 1}}
    pause(toy, **sections)
    toy.review(toy.branch()[0], "approve")
    assert toy.run(**sections).made == ()


def test_a_rejected_generation_is_rolled_back(toy: Toy) -> None:
    """The branch returns to the generation before; the next run tries anew."""
    sections = {"num_generations": 1, "review": {"every": 1}}
    pause(toy, **sections)
    one, zero = toy.branch()
    toy.review(one, "reject", note="too dull")
    error = stop(toy, **sections)
    assert (
        str(error) == "generation 1 of loop/toy was stopped: rejected by Ada: too dull"
    )
    assert toy.branch() == [zero]
    assert toy.branch("loop/toy@rejected") == [one, zero]
    pause(toy, **sections)
    assert toy.registry.load(toy.branch()[0]).params["attempt"] == 1


def test_a_rejection_can_be_taken_back(toy: Toy) -> None:
    """Approving a rolled back generation puts the same commit on the branch again."""
    sections = {"num_generations": 1, "review": {"every": 1}}
    pause(toy, **sections)
    one = toy.branch()[0]
    toy.review(one, "reject")
    stop(toy, **sections)
    toy.review(one, "approve", override=True)
    assert toy.run(**sections).head == one
    assert toy.watch.did == []
    assert toy.run(**sections).made == ()


def test_a_kill_before_the_request_does_not_skip_the_review(toy: Toy) -> None:
    """Whether a review is due follows from the branch, not from the request."""
    toy.run(num_generations=1)
    registry, tip = toy.registry, toy.branch()[0]
    from lineage.loop import journal, reviewing
    from lineage.loop.spec import load

    spec = load(registry.root / "loop.yaml")
    due = spec.model_copy(update={"review": _every(1)})
    with pytest.raises(WaitingForReview):
        reviewing.settle(registry, due, journal.read(registry, "toy"))
    assert requests(toy) == [tip]


def _every(number: int) -> Any:
    from lineage.loop.spec_sections import ReviewSpec

    return ReviewSpec(every=number)
