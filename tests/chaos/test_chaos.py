"""The parts of a chaos run, each alone: what it holds against what it was told."""

from __future__ import annotations

import sys
import time
from random import Random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.chaos import tables
from tests.chaos.crowd import Crowd, in_group
from tests.chaos.journal import Done, Journal
from tests.chaos.judge import Judge
from tests.chaos.world import Known, Made
from tests.chaos.writers import after

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lineage import Registry

PARENT = "import subprocess, sys; subprocess.run(['sleep', '60'])"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """Give a journal of its own."""
    journal = Journal(tmp_path / "journal.jsonl")
    yield journal
    journal.close()


def done(code: int, err: str = "", harm: str = "", *words: str) -> Done:
    """Make a command that ended so."""
    return Done("ada", "ada", words or ("tag", "v1"), code, "", err, harm, 0.1)


@pytest.mark.parametrize(
    ("command", "faults"),
    [
        (done(0), []),
        (done(-9), []),
        (done(1, "error: no space left\n"), []),
        (done(1), ["no word of why"]),
        (done(7, "error: x\n"), ["the exit code 7"]),
        (done(1, "error: x\nTraceback (most recent call last):\n"), ["a traceback"]),
    ],
)
def test_what_no_command_may_do_is_a_finding(
    journal: Journal, command: Done, faults: list[str]
) -> None:
    """A traceback, a code of no page, and silence; nothing else."""
    journal.add(command)

    assert command.faults() == faults
    assert [said.rpartition(": ")[2] for said in journal.findings] == faults


def test_reasons_are_counted_in_general_terms() -> None:
    """Ids, paths and names do not keep two refusals apart."""
    one = done(1, "error: /tmp/a of 0123456789ab lacks 3 files\nhint: wait\n")
    two = done(1, "error: /tmp/b of ba9876543210 lacks 4 files\nhint: wait\n")

    assert one.reason == two.reason == "error: … of ID lacks N files"


def test_a_name_may_be_two_things_only_after_a_kill() -> None:
    """Done moves it, refused leaves it, and of a kill nobody knows."""
    assert after(done(0), {"old"}, "new") == {"new"}
    assert after(done(1, "error: x", "full"), {"old"}, "new") == {"old"}
    assert after(done(-9, "", "killed"), {"old"}, "new") == {"old", "new"}
    assert after(done(1, "error: x", "hurt"), {"old"}, "new") == {"old", "new"}


def test_kills_reach_whole_groups_and_single_processes(
    journal: Journal, tmp_path: Path
) -> None:
    """Whatever is killed ends, is counted, and nobody else is touched."""
    crowd = Crowd(journal, {})
    running = crowd.start([sys.executable, "-c", PARENT], tmp_path, "sleep")
    group = running.process.pid
    end = time.monotonic() + 30
    while len(in_group(group)) < 2 and time.monotonic() < end:
        time.sleep(0.02)
    rng = Random(0)
    while in_group(group):
        crowd.kill(rng)
        running.process.poll()
        time.sleep(0.02)

    running.process.communicate()

    # whose child was killed may end by itself before the next kill finds it
    assert running.process.returncode == -9 or "hurt" in running.harm
    assert sum(journal.happened.values()) >= 1


def test_a_disk_is_filled_and_emptied(journal: Journal, tmp_path: Path) -> None:
    """The filler leaves what was asked for, and goes."""
    crowd = Crowd(journal, {})
    monkey = tmp_path / "disk"
    monkey.mkdir()
    crowd.empty(crowd.fill(monkey, 0, most=1 << 16))

    assert not crowd.full
    assert list(monkey.iterdir()) == []


def test_lost_and_changed_bytes_are_found(
    repo: Registry, journal: Journal, tmp_path: Path
) -> None:
    """A commit that was told and is not as it was is a finding, others are not."""
    (tmp_path / "a.txt").write_text("a", encoding="utf-8")
    made = repo.commit("dataset", "a", tmp_path / "a.txt")
    [entry] = repo.files(made.id)
    known = Known(made=[Made("ada", entry.sha256, made.id)])
    (tmp_path / "work").mkdir()
    world: Any = SimpleNamespace(folder=tmp_path, known=known, journal=journal)
    judge = Judge(world)
    judge.commits("ada", repo)

    assert judge.seen["of them there, byte for byte"] == 1
    assert journal.findings == []
    known.made.append(Made("ada", "0" * 64, made.id))
    known.made.append(Made("ada", "0" * 64, "f" * 64))
    judge.commits("ada", repo)
    assert [said[:14] for said in journal.findings] == [
        f"{made.id[:14]}",
        "f" * 14,
    ]


def test_counts_take_the_place_of_older_ones(tmp_path: Path) -> None:
    """The rest of the page stays."""
    page = tmp_path / "page.md"
    page.write_text(
        f"before\n{tables.BEGIN}old\n{tables.END}\nafter\n", encoding="utf-8"
    )
    tables.write(page, "new")

    assert page.read_text(encoding="utf-8") == (
        f"before\n{tables.BEGIN}\nnew\n{tables.END}\nafter\n"
    )
