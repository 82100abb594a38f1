"""A loop's generations are commits, made in order, once, and the same everywhere."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

import lineage
from lineage.descent.impact import impact
from lineage.descent.parcels import Share
from lineage.errors import LineageError, UsageError
from lineage.loop.running.workshop import opened

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage.registry import Registry

    Toy = Any
    With = Callable[[str, Any], dict[str, Any]]


def edges(registry: Registry, id_: str) -> dict[str, list[str]]:
    """What each role of a commit leads to, as `kind name` or a part's name."""
    found: dict[str, list[str]] = {}
    for edge in registry.load(id_).edges:
        commit = registry.load(edge.id)
        name = commit.params.get("part", commit.kind)
        found.setdefault(edge.role, []).append(str(name))
    return {role: sorted(names) for role, names in found.items()}


def part(registry: Registry, generation: str, name: str) -> str:
    """The id of a generation's part."""
    for id_ in registry.load(generation).ids("includes"):
        commit = registry.load(id_)
        if name in (commit.kind, commit.params.get("part")):
            return id_
    raise AssertionError(name)


def test_a_loop_is_a_branch_of_generations(toy: Toy) -> None:
    """Each generation is one commit that follows the one before."""
    result = toy.run()
    assert result.branch == "loop/toy"
    assert [made.generation for made in result.made] == [0, 1, 2]
    assert toy.branch() == [made.id for made in reversed(result.made)]
    assert toy.registry.branches() == {"loop/toy": result.head}
    assert toy.registry.names("runs") == {}


def test_generation_zero_holds_what_the_loop_begins_with(toy: Toy) -> None:
    """Human data with the origin that the spec says, held-out data, seed model."""
    registry, zero = toy.registry, toy.run().made[0].id
    assert edges(registry, zero) == {
        "includes": ["config", "human", "model"],
        "evaluated_on": ["held-out"],
    }
    human = registry.load(part(registry, zero, "human"))
    assert human.origin == {"type": "human"}
    assert human.params["removed"] == 0
    assert registry.load(part(registry, zero, "model")).edges == ()


def test_every_part_says_what_it_came_from(toy: Toy) -> None:
    """The edges of a generation's parts, as the format fixes them."""
    registry, head = toy.registry, toy.run().head
    assert edges(registry, head) == {
        "includes": ["config", "mixed", "model", "synthetic"],
        "evaluated_on": ["held-out"],
        "follows": ["generation"],
    }
    assert edges(registry, part(registry, head, "synthetic")) == {
        "generated_by": ["model"],
        "configured_by": ["config"],
        "derived_from": ["generated"],
    }
    assert edges(registry, part(registry, head, "mixed")) == {
        "derived_from": ["human", "synthetic", "synthetic"],
        "configured_by": ["config"],
    }
    assert edges(registry, part(registry, head, "model")) == {
        "trained_on": ["mixed"],
        "fine_tuned_from": ["model"],
        "configured_by": ["config"],
    }


def test_the_runner_vouches_for_its_own_steps_only(toy: Toy) -> None:
    """What a step of the user's was given is declared to be what it used."""
    registry, head = toy.registry, toy.run().head
    grades = {
        (name, edge.role): edge.evidence
        for name in ("synthetic", "mixed", "model")
        for edge in registry.load(part(registry, head, name)).edges
    }
    assert grades == {
        ("synthetic", "generated_by"): "declared",
        ("synthetic", "configured_by"): "observed",
        ("synthetic", "derived_from"): "observed",
        ("mixed", "derived_from"): "observed",
        ("mixed", "configured_by"): "observed",
        ("model", "trained_on"): "declared",
        ("model", "fine_tuned_from"): "declared",
        ("model", "configured_by"): "observed",
    }


BOUGHT = """
def generate(job):
    (job.output / "b.jsonl").write_text('{"text": "fox moon glad fox moon"}\\n' * 30)
    return {"uses": [], "origin": {"type": "unknown", "source": "a shop"}}
"""


def test_a_step_can_say_that_records_are_from_elsewhere(
    toy: Toy, steps_with: With
) -> None:
    """Then no model is said to have written them, whatever the gates keep."""
    toy.write("bought.py", BOUGHT)
    toy.run(steps=steps_with("generate", "bought:generate"), num_generations=1)
    registry, head = toy.registry, toy.branch()[0]
    kept = registry.load(part(registry, head, "synthetic"))
    assert kept.origin == {"type": "unknown", "source": "a shop"}
    [written] = kept.ids("derived_from")
    assert not kept.ids("generated_by")
    assert edges(registry, written) == {"configured_by": ["config"]}
    assert registry.load(written).origin == kept.origin
    [dose] = [r.dose for r in impact(registry, written).reached if r.id == kept.id]
    assert dose is not None
    assert (dose.records, dose.whole) == (Share(Fraction(1), Fraction(1)), 30)


PARTLY = """
def generate(job):
    (job.output / "b.jsonl").write_text('{"text": "fox moon glad fox moon"}\\n' * 30)
    shares = {"model": {"records": [12, 30]}}
    return {"shares": shares, "origin": {"type": "human", "source": "a shop"}}
"""


def test_a_step_can_say_how_much_a_model_wrote(toy: Toy, steps_with: With) -> None:
    """The rest is of the origin that it states, and no dose is a range."""
    toy.write("partly.py", PARTLY)
    toy.run(steps=steps_with("generate", "partly:generate"), num_generations=1)
    registry, (head, zero) = toy.registry, toy.branch()
    kept = part(registry, head, "synthetic")
    found = impact(registry, part(registry, zero, "model"))
    [dose] = [r.dose for r in found.reached if r.id == kept]
    assert dose is not None
    assert (dose.records, found.ranges) == (Share(Fraction(2, 5), Fraction(2, 5)), ())


def test_shares_are_exact_counts_of_records(toy: Toy) -> None:
    """What a mixed dataset's sources gave adds up to the whole."""
    registry, head = toy.registry, toy.run().head
    mixed = registry.load(part(registry, head, "mixed"))
    shares = [e.share for e in mixed.edges if e.role == "derived_from" and e.share]
    for unit in ("records", "tokens"):
        assert sum(share[unit][0] for share in shares) == shares[0][unit][1]
    model = registry.load(part(registry, head, "model"))
    whole = next(e.share for e in model.edges if e.role == "trained_on")
    assert whole == {unit: [n, n] for unit, (_, n) in shares[0].items()}


def test_a_mix_shares_the_bytes_of_its_sources(toy: Toy) -> None:
    """Shards that go in whole are the same files, so nothing is stored twice."""
    registry, head = toy.registry, toy.run().head
    digests = {
        name: {file.sha256 for file in registry.files(part(registry, head, name))}
        for name in ("mixed", "synthetic")
    }
    assert digests["synthetic"] < digests["mixed"]


TWICE = """
def generate(job):
    for shard, words in ("a", "fox moon glad"), ("b", "owl sees bread"):
        path = job.output / shard / "w.jsonl"
        path.parent.mkdir()
        path.write_text(f'{{"text": "{words}"}}\\n' * 5)
"""


def test_files_of_one_name_in_two_folders_both_train(
    toy: Toy, steps_with: With
) -> None:
    """What is counted is what is there, in the kept records and in the mix."""
    toy.write("twice.py", TWICE)
    toy.run(
        steps=steps_with("generate", "twice:generate"),
        num_generations=1,
        mixing={"strategy": "replace"},
    )
    registry, head = toy.registry, toy.branch()[0]
    for name in ("synthetic", "mixed"):
        folder = registry.get(part(registry, head, name), registry.root / name)
        lines = [p.read_text().splitlines() for p in sorted(folder.rglob("w.jsonl"))]
        assert list(map(len, lines)) == [5, 5]
    assert registry.load(head).metrics["kept"].value == 10


def test_a_generation_keeps_its_measures(toy: Toy) -> None:
    """Reproducible numbers stand in the manifest, circumstances in the events."""
    registry, head = toy.registry, toy.run().head
    metrics = registry.load(head).metrics
    assert {"known", "distinct_2", "generated", "rejected", "kept"} <= set(metrics)
    assert metrics["generated"].value == 12
    events = {e.data.get("step"): e.data for _, e in registry.events()}
    assert events["generate"]["tokens"] == 96
    for step in ("generate", "check", "mix", "train", "evaluate"):
        data = events[step]
        assert data["seconds"] >= 0
        assert data["peak_memory"] > 0
        assert data["environment"]["python"]
        assert data["loop"] == "toy"
    assert "seconds" not in registry.load(head).manifest.decode()


def test_the_same_loop_has_the_same_ids_anywhere(toy: Toy, tmp_path: Path) -> None:
    """Nothing of a machine, a folder or a moment gets into an id."""
    other = type(toy)(lineage.init(tmp_path / "elsewhere" / "deep"))
    try:
        assert toy.run().head == other.run().head
    finally:
        other.registry.close()


def test_a_finished_loop_runs_no_step_again(toy: Toy) -> None:
    """Running it again makes nothing and says where it ended."""
    head, count = toy.run().head, len(toy.types())
    result = toy.run()
    assert (result.head, result.made) == (head, ())
    assert toy.watch.did == []
    assert len(toy.types()) == count


def test_more_generations_extend_a_loop(toy: Toy) -> None:
    """num_generations is not part of the config, so raising it goes on."""
    first = toy.run(num_generations=1)
    second = toy.run(num_generations=2)
    assert [made.generation for made in second.made] == [2]
    assert toy.branch()[1] == first.head


def test_a_changed_spec_is_refused_with_two_ways_on(toy: Toy) -> None:
    """The sentence names the field, what it was and what it is; nothing changes."""
    toy.run(num_generations=1)
    before = toy.types()
    with pytest.raises(UsageError) as caught:
        toy.run(mixing={"strategy": "replace"})
    assert str(caught.value) == (
        "loop/toy is at generation 1 and mixing.strategy has changed "
        "from accumulate to replace"
    )
    assert caught.value.hint == "put it back as it was, or give the loop another name"
    assert toy.types() == before


LOOSE = {"type": "diversity", "min": 0.1, "max": 9.5}
ADDED = (
    "{id: diversity, action: stop, type: diversity, "
    "measure: distinct_2, min: 0.1, max: 9.5}"
)


NINTH = "{every: 9, on: [], approvals: 1, on_reject: stop}"
RECORDED = "{approvals: 1, every: 9, on: [], on_reject: stop}"  # as canonical JSON


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        (
            {"gates": [LOOSE]},
            {"gates": [LOOSE | {"min": 0.2, "action": "review"}]},
            "gates.diversity.action has changed from stop to review",
        ),
        ({}, {"review": {"every": 9}}, f"review has been added: {NINTH}"),
        ({"review": {"every": 9}}, {}, f"review has been removed: {RECORDED}"),
        (
            {"gates": [LOOSE, LOOSE | {"id": "b"}]},
            {"gates": [LOOSE | {"id": "b"}, LOOSE]},
            "gates are in another order",
        ),
        (
            {"evaluation": {"max_samples": 9}},
            {"evaluation": {"sample_size": 9}},
            "evaluation.max_samples has been removed: 9",
        ),
        (
            {},
            {"dataset": {"train_file": ["human.txt", "human.txt"]}},
            "dataset.block_size has changed from 12 to 128",
        ),
        (
            {},
            {"gates": [LOOSE]},
            "gates.diversity has been added: " + ADDED,
        ),
    ],
)
def test_what_changed_is_said_as_loop_yaml_has_it(
    toy: Toy, before: dict[str, Any], after: dict[str, Any], sentence: str
) -> None:
    """Gates go by their ids, and values are no Python."""
    toy.run(num_generations=0, **before)
    with pytest.raises(UsageError) as caught:
        toy.run(num_generations=0, **after)
    assert str(caught.value) == f"loop/toy is at generation 0 and {sentence}"


def test_changed_human_text_is_refused(toy: Toy) -> None:
    """The loop goes on with what it recorded, or not at all."""
    toy.run(num_generations=1)
    toy.write("human.txt", "Something else.\n\nAnd more of it.")
    with pytest.raises(UsageError, match=r"human\.txt has changed"):
        toy.run()


def test_human_text_that_is_gone_is_no_obstacle(toy: Toy) -> None:
    """The registry has what was read of it."""
    toy.run(num_generations=1)
    (toy.registry.root / "human.txt").unlink()
    assert [made.generation for made in toy.run().made] == [2]


def test_a_branch_from_another_loop_goes_its_own_way(toy: Toy) -> None:
    """From one generation 0, one loop accumulates and one replaces."""
    from lineage.names_ops import set_branch

    one = toy.run()
    set_branch(toy.registry, "loop/other", one.made[0].id)
    two = toy.run(name="other", mixing={"strategy": "replace"})
    assert [made.generation for made in two.made] == [1, 2]
    assert toy.branch("loop/other")[-1] == one.made[0].id
    assert two.head != one.head


def test_a_branch_from_another_loop_keeps_its_data(toy: Toy) -> None:
    """Other data or another seed model need a generation 0 of their own."""
    from lineage.names_ops import set_branch

    one = toy.run()
    set_branch(toy.registry, "loop/other", one.made[0].id)
    with pytest.raises(UsageError, match=r"dataset\.block_size has changed"):
        toy.run(name="other", dataset={"train_file": "human.txt", "block_size": 9})


def test_a_model_of_the_registry_can_be_the_seed(toy: Toy) -> None:
    """A revision stands for generation 0's model, which is that very commit."""
    registry = toy.registry
    made = registry.commit("model", "mine", registry.root / "seed")
    zero = toy.run(model={"model_name_or_path": "model/mine"}).made[0].id
    assert part(registry, zero, "model") == made.id


def test_a_seed_that_is_no_model_is_refused(toy: Toy) -> None:
    """A dataset cannot be trained from."""
    toy.registry.commit("dataset", "text", toy.registry.root / "human.txt")
    with pytest.raises(UsageError, match="is a dataset, not a model"):
        toy.run(model={"model_name_or_path": "dataset/text"})


def test_a_second_runner_is_refused(toy: Toy) -> None:
    """One loop has one runner; the other one says so and changes nothing."""
    before = toy.types()
    with opened(toy.registry, "toy"), pytest.raises(LineageError) as caught:
        toy.run()
    assert str(caught.value) == "loop/toy is being run already"
    assert toy.types() == before


def test_two_loops_run_in_one_registry(toy: Toy) -> None:
    """The same settings under another name share their human data."""
    one, two = toy.run().made[0].id, toy.run(name="twin").made[0].id
    registry = toy.registry
    assert part(registry, one, "human") == part(registry, two, "human")
    assert one != two


def test_work_files_are_gone_when_the_loop_is_done(toy: Toy) -> None:
    """Nothing but the lock is left of a finished loop."""
    toy.run()
    left = (toy.registry.home / "loops" / "toy").rglob("*")
    assert [path.name for path in left if path.is_file()] == ["lock"]


def test_progress_tells_each_step_once(toy: Toy) -> None:
    """Steps in their order, then the generation."""
    toy.run(num_generations=1)
    steps = ["generate", "check", "mix", "train", "evaluate"]
    assert toy.watch.did == ["0 prepare", "0 evaluate", *(f"1 {s}" for s in steps)]
    assert [finished.generation for finished in toy.watch.generations] == [0, 1]


def test_every_committed_file_verifies(toy: Toy) -> None:
    """A loop leaves a registry that `lineage verify` finds whole."""
    from lineage.verify import verify

    toy.run()
    assert not list(verify(toy.registry).problems)
