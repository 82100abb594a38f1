"""A step that any loop of the registry has done is taken over, not run again."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

import lineage
from lineage.erase import erase, plan_erasure
from lineage.errors import LineageError
from lineage.loop.running.journal import parts
from lineage.names_ops import delete_branch, set_branch
from lineage.sharing.clone import clone
from lineage.undo import undo

if TYPE_CHECKING:
    from pathlib import Path

Toy = Any

LOOSE = {"type": "diversity", "min": 0.01, "max": 99}
OTHER: dict[str, Any] = {"name": "twin", "gates": [LOOSE]}


def fresh(toy: Toy, tmp_path: Path) -> Toy:
    """The same files in a registry that has run nothing."""
    root = tmp_path / "fresh"
    shutil.copytree(
        toy.registry.root, root, ignore=shutil.ignore_patterns(".git", ".dvc*")
    )
    return type(toy)(lineage.init(root))


def test_a_loop_under_another_name_takes_everything_over(
    toy: Toy, tmp_path: Path
) -> None:
    """No step runs, and the ids are those of a registry where each one ran."""
    alone = fresh(toy, tmp_path)
    head = alone.run(name="twin").head
    alone.registry.close()
    toy.run()
    assert toy.watch.reused_ == []
    result = toy.run(name="twin")
    assert toy.watch.did == ["0 prepare"]
    assert toy.watch.reused_[:2] == [
        "0 evaluate loop/toy generation 0",
        "1 generate loop/toy generation 1",
    ]
    assert result.head == head


def test_what_differs_is_run(toy: Toy, tmp_path: Path) -> None:
    """Steps of users read all of the config, so a gate more is another step.

    A built-in mix reads no gates, so it is taken over.
    """
    alone = fresh(toy, tmp_path)
    head = alone.run(**OTHER).head
    alone.registry.close()
    toy.run()
    assert toy.run(**OTHER).head == head
    assert "1 check" in toy.watch.did
    assert "1 mix loop/toy generation 1" in toy.watch.reused_


def test_the_event_says_where_a_step_was_done(toy: Toy) -> None:
    """Which event, about which commit, of which turn; and it claims no seconds."""
    toy.run(num_generations=1)
    toy.run(num_generations=1, name="twin")
    events = {id_: e for id_, e in toy.registry.events() if "key" in e.data}
    taken = [e for e in events.values() if e.data["loop"] == "twin"]
    assert len(taken) == 6
    for event in taken:
        source = event.data["reused"]
        did = events[source["event"]]
        assert (source["loop"], source["generation"]) == (
            "toy",
            event.data["generation"],
        )
        assert did.subject == source["subject"]
        assert did.data["key"] == event.data["key"]
        assert not {"seconds", "tokens", "environment"} & event.data.keys()


def test_what_was_taken_over_twice_is_from_where_it_was_done(toy: Toy) -> None:
    """Not from another loop that had taken it over itself."""
    for name in ("toy", "twin", "third"):
        toy.run(num_generations=1, name=name)
    assert set(toy.watch.reused_) >= {"1 train loop/toy generation 1"}


def test_a_deleted_branch_is_made_again_from_the_log(toy: Toy) -> None:
    """The same commits come back, and nothing is run."""
    head = toy.run().head
    set_branch(toy.registry, "kept", head)
    delete_branch(toy.registry, "loop/toy")
    assert toy.run().head == head
    assert toy.watch.did == ["0 prepare"]


def test_the_index_is_made_again_where_it_is_damaged_or_gone(toy: Toy) -> None:
    """It is derived from the log."""
    toy.run(num_generations=1)
    index = toy.registry.home / "steps.sqlite"
    assert index.exists()
    for name, harm in (
        ("a", lambda: index.write_bytes(b"no database " * 99)),
        ("b", index.unlink),
        ("c", lambda: index.write_bytes(index.read_bytes()[:5000])),
    ):
        harm()
        toy.run(num_generations=1, name=name)
        assert toy.watch.did == ["0 prepare"]


def test_bytes_that_are_not_here_are_made_again(toy: Toy, tmp_path: Path) -> None:
    """Where a clone has a step's commit and not its files, the step is run."""
    one = toy.run(num_generations=1)
    registry = toy.registry
    alone = fresh(toy, tmp_path)
    head = alone.run(num_generations=1, name="twin").head
    alone.registry.close()
    model = parts(registry, one.head).model
    [entry] = registry.files(model)
    place = registry.payloads.path(entry.md5).stat()
    for path in list(registry.payloads.cache.rglob("*")):  # a pin and DVC's own
        if path.is_file() and path.stat().st_ino == place.st_ino:
            path.unlink()
    assert toy.run(num_generations=1, name="twin").head == head
    assert "1 train" in toy.watch.did


def test_what_was_erased_is_not_taken_over(toy: Toy) -> None:
    """Its bytes are gone for a reason; a step that makes them again is refused."""
    one = toy.run(num_generations=1)
    written = parts(toy.registry, one.head).generated
    plan = plan_erasure(toy.registry, written, together=True)
    erase(toy.registry, plan, reason="private", authority="Ada")
    with pytest.raises(LineageError, match="erased"):
        toy.run(num_generations=1, name="twin")
    assert toy.watch.reused_ == ["0 evaluate loop/toy generation 0"]
    assert toy.watch.did == ["0 prepare", "1 generate"]


def test_what_was_undone_is_still_known(toy: Toy) -> None:
    """Undoing takes a name back; that the step was done stays in the log."""
    toy.run(num_generations=0)
    undo(toy.registry)
    toy.run(num_generations=0, name="twin")
    assert toy.watch.reused_ == ["0 evaluate loop/toy generation 0"]


def test_steps_of_another_machine_are_taken_over(toy: Toy, tmp_path: Path) -> None:
    """A clone brings their events, and their files as they are wanted."""
    toy.run(num_generations=1)
    with clone(str(toy.registry.root), tmp_path / "clone") as registry:
        theirs = type(toy)(registry)
        head = theirs.run(num_generations=1, name="twin").head
        assert "1 mix loop/toy generation 1" in theirs.watch.reused_
    assert toy.run(num_generations=1, name="twin").head == head
