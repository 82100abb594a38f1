"""A loop that has spent a budget waits for a person, and for a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import lineage
from lineage.errors import GateFailed, NotAllowed, UsageError, WaitingForReview
from lineage.loop.reviews.deciding import decide
from lineage.loop.reviews.standing import Reviews
from lineage.loop.running.budgets import Spent
from lineage.loop.running.overview import loops
from lineage.store.events import EventLog

if TYPE_CHECKING:
    from pathlib import Path

Toy = Any


def pause(toy: Toy, **sections: Any) -> str:
    with pytest.raises(WaitingForReview) as caught:
        toy.run(**sections)
    return str(caught.value)


def test_a_spent_budget_holds_the_loop_at_its_newest_generation(toy: Toy) -> None:
    """It says the number and the limit, does nothing more, and asks once."""
    sections = {"num_generations": 4, "budgets": {"generations_without_review": 2}}
    said = pause(toy, **sections)
    tip = toy.branch()[0]
    assert said == (
        f"loop/toy waits for a review of generation 1, {tip[:12]}: "
        "2 of 2 generations without review are spent"
    )
    count = len(toy.types())
    assert pause(toy, **sections) == said
    assert (toy.watch.did, len(toy.types())) == ([], count)


def test_approving_with_a_reason_opens_the_next_window(toy: Toy) -> None:
    """The verdict is an override that says which budgets; then as much again."""
    sections = {"num_generations": 4, "budgets": {"generations_without_review": 2}}
    pause(toy, **sections)
    with pytest.raises(NotAllowed, match="generations_without_review of its loop are"):
        decide(toy.registry, "toy", "approve")
    made = decide(toy.registry, "toy", "approve", "looked at both")
    assert made.override
    event = next(e for _, e in toy.registry.events() if e.type == "review")
    assert event.data["budgets"] == {
        "generations_without_review": {"spent": 2, "limit": 2}
    }
    pause(toy, **sections)
    assert len(toy.branch()) == 4
    decide(toy.registry, "toy", "approve", "and at these")
    assert [each.generation for each in toy.run(**sections).made] == [4]


def test_a_rejection_takes_the_generation_back(toy: Toy) -> None:
    """The person saw what the budget was spent on, and did not like it."""
    sections = {"budgets": {"generations_without_review": 2}}
    pause(toy, **sections)
    tip = toy.branch()[0]
    decide(toy.registry, "toy", "reject", "not this")
    with pytest.raises(GateFailed, match="was stopped: rejected by"):
        toy.run(**sections)
    assert toy.branch("loop/toy@rejected")[0] == tip
    assert len(toy.branch()) == 1


def test_tokens_are_counted_at_every_step(toy: Toy) -> None:
    """The loop stops before the next step, inside a generation; the ids stay."""
    sections = {"budgets": {"tokens": 150}, "name": "toy"}
    pause(toy, seed=5, **sections)
    assert toy.watch.did[-1] == "2 generate"
    spent = Spent.read(toy.registry, "toy")
    assert spent.sums["tokens"] == 192
    assert Reviews.read(toy.registry).waiting[toy.branch()[0]].budgets == {
        "tokens": {"spent": 192, "limit": 150}
    }
    decide(toy.registry, "toy", "approve", "a little more")
    toy.run(seed=5, **sections)
    assert toy.watch.recalled_ == ["2 generate"]


def test_budgets_shape_no_file(toy: Toy) -> None:
    """With pauses or without, a loop ends with the same models."""
    from lineage.loop.running.journal import parts

    free = parts(toy.registry, toy.run(name="free").head).model
    files = toy.registry.load(free).payload
    sections = {"budgets": {"generations_without_review": 1}}
    for _ in range(2):
        pause(toy, **sections)
        decide(toy.registry, "toy", "approve", "fine")
    ours = parts(toy.registry, toy.run(**sections).head).model
    assert toy.registry.load(ours).payload == files


def test_an_approval_of_any_generation_opens_a_window(toy: Toy) -> None:
    """A person who looks every two generations never meets a budget of three."""
    sections = {
        "num_generations": 5,
        "review": {"every": 2},
        "budgets": {"generations_without_review": 4},
    }
    for _ in range(2):
        assert "every 2 generations" in pause(toy, **sections)
        decide(toy.registry, "toy", "approve")
    assert toy.run(**sections).made[-1].generation == 5


def test_one_approval_of_two_opens_no_window(toy: Toy) -> None:
    """The sums go on until the verdict counts, and start again with the last one."""
    sections = {
        "num_generations": 3,
        "review": {"on": ["gate"], "approvals": 2},
        "budgets": {"generations_without_review": 2, "tokens": 1000},
    }
    said = pause(toy, **sections)
    before = Spent.read(toy.registry, "toy").sums
    for person in ("ada", "bo"):
        assert Spent.read(toy.registry, "toy").sums == before
        assert pause(toy, **sections) == said
        toy.registry.git.run("config", "user.email", f"{person}@example.org")
        decide(toy.registry, "toy", "approve", "looked at both")
    assert Spent.read(toy.registry, "toy").sums == {}
    assert [each.generation for each in toy.run(**sections).made] == [2, 3]


def test_gpu_seconds_are_what_steps_say(toy: Toy) -> None:
    """A step of one's own that used GPUs elsewhere says how long, and it counts."""
    toy.write(
        "far.py",
        "import steps\n\n\ndef train(job):\n    steps.train(job)\n"
        "    return {'circumstances': {'gpu_seconds': 7.5}}\n",
    )
    said = pause(
        toy, budgets={"gpu_seconds": 7}, steps=toy.steps | {"train": "far:train"}
    )
    assert said.endswith("7.5 of 7 GPU-seconds are spent")


def test_a_window_opens_at_the_same_commit_again(toy: Toy) -> None:
    """Asked twice about one commit, as a generation takes more than a budget."""
    toy.write(
        "wordy.py",
        "import steps\n\n\ndef train(job):\n    steps.train(job)\n"
        "    return {'circumstances': {'tokens': 100}}\n",
    )
    sections = {
        "budgets": {"tokens": 90},
        "steps": toy.steps | {"train": "wordy:train"},
    }
    for spent in (96, 100):
        pause(toy, **sections)
        assert len(toy.branch()) == 1
        assert Spent.read(toy.registry, "toy").sums["tokens"] == spent
        decide(toy.registry, "toy", "approve", "a little more")
        assert "tokens" not in Spent.read(toy.registry, "toy").sums


def test_a_raised_limit_is_another_loop(toy: Toy) -> None:
    """Budgets are part of the config: no edit passes one silently."""
    pause(toy, budgets={"generations_without_review": 2})
    with pytest.raises(UsageError, match=r"budgets\.generations_without_review has ch"):
        toy.run(budgets={"generations_without_review": 9})


def test_seconds_of_failed_steps_count(toy: Toy) -> None:
    """What a step took before it failed is spent too."""
    toy.write(
        "slow.py", "import time\ndef train(job):\n    time.sleep(.2)\n    1 / 0\n"
    )
    sections = {"steps": toy.steps | {"train": "slow:train"}}
    for _ in range(2):
        with pytest.raises(Exception, match="ZeroDivisionError"):
            toy.run(**sections)
    assert Spent.read(toy.registry, "toy").sums["wall_seconds"] >= 0.4


@pytest.mark.parametrize(
    ("budgets", "said"),
    [
        ({}, "budgets: needs one of generations_without_review, tokens"),
        ({"tokens": 0}, "budgets.tokens"),
        ({"token": 5}, "did you mean tokens?"),
    ],
)
def test_what_is_no_budget_is_refused(
    toy: Toy, budgets: dict[str, int], said: str
) -> None:
    """A misspelt limit would be none."""
    with pytest.raises(UsageError) as caught:
        toy.run(budgets=budgets)
    assert said in str(caught.value)


def test_a_report_tells_what_was_let_pass(toy: Toy) -> None:
    """By whom, why, past which numbers; and how much of the loop people saw."""
    from lineage.audit import as_html
    from lineage.audit.report import report

    sections = {"budgets": {"generations_without_review": 2}}
    pause(toy, **sections)
    decide(toy.registry, "toy", "approve", "looked at both")
    toy.run(**sections)
    made = report(toy.registry, "loop/toy")
    told = made.loops[0].oversight
    assert (told.generations, told.reviewed, told.generated) == (2, 1, 24)
    assert told.budgets == {"generations_without_review": {"spent": 1, "limit": 2}}
    [over] = told.overrides
    assert (over.reason, over.failed) == ("looked at both", ())
    assert over.budgets == {"generations_without_review": {"spent": 2, "limit": 2}}
    page = as_html.render(made)
    assert "past 2 of 2 generations without review" in page


def test_killed_around_a_pause(toy: Toy, tmp_path: Path) -> None:
    """A kill at any step spends what it spent, asks once, and changes no id."""
    import signal
    import subprocess
    import sys

    sections = {"budgets": {"generations_without_review": 2}}
    pause(toy, **sections)
    decide(toy.registry, "toy", "approve", "looked at both")
    head = toy.run(**sections).head
    script = tmp_path / "deadly.py"
    script.write_text(DEADLY)
    with lineage.init(tmp_path / "killed") as registry:
        other = type(toy)(registry)
        path = other.configure(**sections)
        ends = list[int]()
        for at in (1, 3, 5, 99, 99, "approve", 1, 3, 99):
            if at == "approve":
                decide(registry, "toy", "approve", "looked at both")
                continue
            command = [sys.executable, str(script), str(path), str(at)]
            ends.append(subprocess.run(command, check=False).returncode)
        kill, waits = -signal.SIGKILL, WaitingForReview.exit_code
        assert ends == [kill, kill, kill, waits, waits, kill, kill, 0]
        assert registry.branches()["loop/toy"] == head
        assert other.types().count("review_requested") == 1
        assert Spent.read(registry, "toy").sums["generations_without_review"] == 1


DEADLY = '''
import os
import signal
import sys
from pathlib import Path

import lineage
from lineage.errors import WaitingForReview
from lineage.loop.running.progress import Progress
from lineage.loop.running.runner import run


class Deadly(Progress):
    """Dies at the n-th thing it is told."""

    left = int(sys.argv[2])

    def tick(self, *_):
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    started = advanced = finished = generation = tick


path = Path(sys.argv[1])
try:
    run(lineage.open(path.parent), path, progress=Deadly())
except WaitingForReview as waits:
    sys.exit(waits.exit_code)
'''


def test_the_log_is_read_once_for_all_loops(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many loops there are and whatever is asked of each."""
    pause(toy, budgets={"generations_without_review": 2})
    pause(toy, name="other", budgets={"generations_without_review": 2})
    walks, iterate = 0, EventLog.iterate

    def counted(log: EventLog, **limits: Any) -> Any:
        nonlocal walks
        walks += not limits
        return iterate(log, **limits)

    monkeypatch.setattr(EventLog, "iterate", counted)
    found = loops(toy.registry)
    limit = {"generations_without_review": {"spent": 2, "limit": 2}}
    assert [one.budgets for one in found] == [limit, limit]
    assert walks == 2  # once for reviews: a longer log has them in the index
