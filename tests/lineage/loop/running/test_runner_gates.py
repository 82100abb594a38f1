"""Gates and people decide whether a loop goes on; what they stop is kept."""

from __future__ import annotations

from typing import Any

import pytest

from lineage.errors import (
    GateFailed,
    LineageError,
    NotAllowed,
    UsageError,
    WaitingForReview,
)
from lineage.loop.reviews.deciding import can_be_approved, decide
from lineage.loop.reviews.packet import gates_of
from lineage.loop.running.journal import parts
from lineage.loop.running.overview import loops
from lineage.loop.running.runner import run
from lineage.names_ops import set_branch
from lineage.undo import undo

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


def test_a_run_keeps_the_checks_that_it_began_with(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An edit, or a step that goes to another folder, changes nothing meanwhile."""
    toy.write("checks.py", "def check_record(record):\n    return True\n")
    toy.write(
        "edits.py",
        "import os\nfrom pathlib import Path\nimport steps\n"
        "def generate(job):\n"
        "    checks = Path(__file__).with_name('checks.py')\n"
        f"    checks.write_text({NEVER!r})\n"
        "    os.chdir('/')\n"
        "    return steps.generate(job)\n",
    )
    steps = toy.steps | {"generate": "edits:generate"}
    path = toy.configure(gates=[{"type": "check_record"}], steps=steps)
    monkeypatch.chdir(path.parent)
    result = run(toy.registry, path.name)
    gates = [toy.registry.load(made.id).gates for made in result.made[1:]]
    assert [gate["verdict"] for [gate] in gates] == ["pass", "pass"]
    assert len({gate["code"]["sha256"] for [gate] in gates}) == 1
    configs = {parts(toy.registry, made.id).config for made in result.made}
    assert len(configs) == 1
    with pytest.raises(
        UsageError, match=r"checks\.py, gates.check_record.checks, has changed"
    ):
        run(toy.registry, path.name)


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
    assert "waits for a review of the dataset of generation 1" in str(error)
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
    assert "waits for a review of generation " in str(error)
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


def test_a_rejection_stays(toy: Toy) -> None:
    """A later approval of what was rejected does not bring it back."""
    sections = {"num_generations": 1, "review": {"every": 1}}
    pause(toy, **sections)
    one = toy.branch()[0]
    toy.review(one, "reject")
    stop(toy, **sections)
    toy.review(one, "approve", override=True)
    pause(toy, **sections)
    assert toy.branch()[0] != one


def test_a_kill_before_the_request_does_not_skip_the_review(toy: Toy) -> None:
    """Whether a review is due follows from the branch, not from the request."""
    toy.run(num_generations=1)
    registry, tip = toy.registry, toy.branch()[0]
    from lineage.loop.running import journal, reviewing
    from lineage.loop.spec import load

    spec = load(registry.root / "loop.yaml")
    due = spec.model_copy(update={"review": _every(1)})
    with pytest.raises(WaitingForReview):
        reviewing.settle(registry, due, journal.read(registry, "toy"))
    assert requests(toy) == [tip]


def test_stop_is_stronger_than_review(toy: Toy) -> None:
    """When one failure asks for a review and another for a stop, the loop stops."""
    gates = [UNLIKE_ZERO | {"action": "review"}, UNLIKE_ZERO | {"id": "too"}]
    assert "; too: " in str(stop(toy, gates=gates))


def test_a_branch_with_other_sampling_has_its_own_reference(toy: Toy) -> None:
    """What the old one wrote is compared with where sampling is the same."""
    one = toy.run(num_generations=2)
    gates = [{"type": "diversity", "min": 0.01, "max": 99}]
    firsts = {}
    for name, sampling in (("same", {}), ("other", {"temperature": 0.1})):
        set_branch(toy.registry, f"loop/{name}", one.made[1].id)
        sections = {"gates": gates, "generation": {"generation_config": sampling}}
        made = toy.run(name=name, num_generations=3, **sections).made
        sentences = [toy.registry.load(m.id).gates[0]["sentence"] for m in made]
        firsts[name] = [s.startswith("written first") for s in sentences]
    assert firsts == {"same": [False, False], "other": [True, False]}


JUDGED = """
import steps
from lineage.loop.steps.mix import mix


def judged(job):
    said = mix(job) if job.step == "mix" else getattr(steps, job.step)(job)
    said = {{"shares": dict(said.shares)}} if job.step == "mix" else said or {{}}
    bad = job.generation == {generation} and not job.attempt
    gate = {{"id": "mine", "action": "{action}", "sentence": "I say"}}
    return said | {{"gates": [gate | {{"verdict": "fail" if bad else "pass"}}]}}
"""
ORDER = ["generate", "check", "mix", "train", "evaluate"]


def judged(toy: Toy, step: str, action: str, generation: int = 1) -> dict[str, Any]:
    """Sections of a loop in which one step of the user's fails a generation."""
    toy.write("judge.py", JUDGED.format(action=action, generation=generation))
    return {
        "num_generations": 1,
        "steps": toy.steps | {step: "judge:judged"},
    }


@pytest.mark.parametrize(
    ("step", "until", "on"),
    [
        ("generate", 2, "dataset"),
        ("mix", 3, "dataset"),
        ("train", 5, "model"),
        ("evaluate", 5, "model"),
    ],
)
def test_a_step_of_the_users_can_stop_the_loop(
    toy: Toy, step: str, until: int, on: str
) -> None:
    """A verdict of any step is recorded and acted on as soon as it can be."""
    sections = judged(toy, step, "stop")
    error = stop(toy, **sections)
    assert str(error) == "generation 1 of loop/toy was stopped: mine: I say"
    assert toy.watch.did[-until:] == [f"1 {name}" for name in ORDER[:until]]
    rejected = toy.registry.load(toy.branch("loop/toy@rejected")[0])
    assert [(gate["id"], gate["on"]) for gate in rejected.gates] == [("mine", on)]
    kinds = {toy.registry.load(id_).kind for id_ in rejected.ids("includes")}
    assert ("model" in kinds) == (on == "model")
    assert toy.registry.names("runs") == {}
    head = toy.run(**sections).head
    assert toy.registry.load(head).params == {"generation": 1, "attempt": 1}
    assert toy.registry.load(head).gates[0]["verdict"] == "pass"


@pytest.mark.parametrize(
    ("step", "subject"),
    [
        ("generate", "synthetic"),
        ("mix", "mixed"),
        ("train", "generation"),
        ("evaluate", "generation"),
    ],
)
def test_a_step_of_the_users_can_ask_for_a_person(
    toy: Toy, step: str, subject: str
) -> None:
    """What is asked about is the data, or the generation with the model."""
    sections = judged(toy, step, "review")
    assert "mine: I say" in str(pause(toy, **sections))
    (asked,) = requests(toy)
    commit = toy.registry.load(asked)
    assert commit.params.get("part", commit.kind) == subject
    assert [gate["id"] for gate in gates_of(toy.registry, asked)] == ["mine"]
    with pytest.raises(NotAllowed, match="failed the gate mine"):
        decide(toy.registry, asked, "approve")
    decide(toy.registry, asked, "approve", "it is fine")
    head = toy.run(**sections).head
    assert f"1 {step}" not in toy.watch.did
    assert toy.registry.load(head).params == {"generation": 1, "attempt": 0}
    assert toy.run(**sections).made == ()


@pytest.mark.parametrize("step", ["mix", "evaluate"])
def test_what_a_person_rejects_is_tried_again(toy: Toy, step: str) -> None:
    """Also where a step of the user's asked for them, and it stays rejected."""
    sections = judged(toy, step, "review")
    pause(toy, **sections)
    decide(toy.registry, requests(toy)[0], "reject", "no")
    assert "rejected by Ada Example: no" in str(stop(toy, **sections))
    rejected = toy.branch("loop/toy@rejected")[0]
    with pytest.raises(UsageError, match="was rejected before, by Ada Example"):
        decide(toy.registry, "loop/toy@rejected", "approve", "yes")
    assert not can_be_approved(toy.registry, "toy")
    result = toy.run(**sections)
    assert toy.registry.load(result.head).params["attempt"] == 1
    assert result.head != rejected


def test_rejected_data_can_take_back_all_that_nobody_approved(toy: Toy) -> None:
    """The try is kept, the branch goes back, also where a kill came in between."""
    sections = judged(toy, "mix", "review", generation=3)
    sections |= {"num_generations": 3, "review": {"on_reject": "rollback"}}
    pause(toy, **sections)
    before = toy.branch()
    decide(toy.registry, requests(toy)[0], "reject", "dull")
    assert "generation 3 of loop/toy was stopped" in str(stop(toy, **sections))
    assert toy.branch() == before[-1:]
    kept = toy.branch("loop/toy@rejected")
    assert kept[1:] == before
    [state] = loops(toy.registry, "toy")
    assert (state.state, state.subject) == ("stopped", before[1])
    why = "the data of generation 3 of toy were rejected by Ada Example: dull"
    assert state.why == why

    undo(toy.registry)  # as if the branch had not gone back yet
    assert toy.branch() == before
    [state] = loops(toy.registry, "toy")
    assert (state.state, state.why) == ("stopped", "rejected by Ada Example: dull")
    assert "rejected by Ada Example: dull" in str(stop(toy, **sections))
    assert toy.branch() == before[-1:]
    pause(toy, **sections)
    attempts = [toy.registry.load(id_).params["attempt"] for id_ in toy.branch()]
    assert attempts == [0, 1, 0]


def test_a_model_that_was_stopped_can_be_let_pass(toy: Toy) -> None:
    """The same commit goes on the branch, and no step runs again."""
    sections = judged(toy, "evaluate", "stop")
    stop(toy, **sections)
    rejected = toy.branch("loop/toy@rejected")[0]
    decide(toy.registry, rejected, "approve", "worse, but of use")
    assert toy.run(**sections).head == rejected
    assert toy.watch.did == []
    assert toy.run(**sections).made == ()


def test_to_let_data_pass_lets_no_model_pass(toy: Toy) -> None:
    """An override is of the verdicts that were there; both tries are one attempt."""
    sections = judged(toy, "evaluate", "stop") | {"gates": [UNLIKE_ZERO]}
    stop(toy, **sections)
    decide(toy.registry, "loop/toy@rejected", "approve", "as diverse as it can be")
    assert str(stop(toy, **sections)).endswith("was stopped: mine: I say")
    assert toy.watch.recalled_ == ["1 generate", "1 check"]
    whole = toy.branch("loop/toy@rejected")[0]
    decide(toy.registry, "loop/toy@rejected", "approve", "and of use")
    assert toy.run(**sections).head == whole
    assert toy.watch.did == []


@pytest.mark.parametrize("action", ["stop", "review"])
def test_generation_0_can_fail_too(toy: Toy, action: str) -> None:
    """Then the branch has nothing yet, and the next run begins with another seed."""
    sections = judged(toy, "evaluate", action, generation=0)
    if action == "review":
        pause(toy, **sections)
        decide(toy.registry, "toy", "reject")
    assert "generation 0 of loop/toy was stopped" in str(stop(toy, **sections))
    assert list(toy.registry.branches()) == ["loop/toy@rejected"]
    result = toy.run(**sections)
    assert toy.registry.load(toy.branch()[-1]).params["attempt"] == 1
    assert [made.generation for made in result.made] == [0, 1]


def test_an_action_is_one_that_a_loop_can_take(toy: Toy) -> None:
    """What the loop would not act on is refused; a step that judges drops nothing."""
    sentence = "the action of mine is none of warn, retry, branch, fallback, review, st"
    for action in ("explode", "drop"):
        with pytest.raises(LineageError, match=sentence):
            toy.run(**judged(toy, "evaluate", action))


def test_what_left_no_record_cannot_be_let_pass(toy: Toy) -> None:
    """There is nothing to train on; the next run tries another seed."""
    toy.write("checks.py", NEVER)
    sections = {"num_generations": 1, "gates": [{"type": "check_record"}]}
    stop(toy, **sections)
    assert not can_be_approved(toy.registry, "toy")
    with pytest.raises(UsageError, match="has no record that a model could train on"):
        decide(toy.registry, "loop/toy@rejected", "approve", "please")
    toy.review(toy.branch("loop/toy@rejected")[0], "approve", override=True)
    stop(toy, **sections)
    rejected = toy.registry.load(toy.branch("loop/toy@rejected")[0])
    assert rejected.params["attempt"] == 1


def _every(number: int) -> Any:
    from lineage.loop.spec.review import ReviewSpec

    return ReviewSpec(every=number)
