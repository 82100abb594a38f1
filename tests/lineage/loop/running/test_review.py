"""Reviews below the command line: who decides first, and what is compared."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

import lineage
from lineage.errors import (
    Conflict,
    LineageError,
    NotAllowed,
    UsageError,
)
from lineage.keys.judge import Judge
from lineage.keys.making import add_file
from lineage.loop.reviews.deciding import decide
from lineage.loop.reviews.shown import shown
from lineage.loop.reviews.standing import Decision, Reviews
from lineage.loop.running import journal, reviewing
from lineage.loop.spec import load
from lineage.store.key_files import generate, public_half
from lineage.verify.signatures import signature_findings

if TYPE_CHECKING:
    from pathlib import Path

    from lineage.registry import Registry

    Toy = Any


def test_of_many_who_decide_at_once_one_does(toy: Toy) -> None:
    """The others are told that it was decided; one event is recorded."""
    toy.pause(review={"every": 1})

    def try_to(verdict: Any) -> Decision | LineageError:
        with lineage.open(toy.registry.root) as registry:
            try:
                return decide(registry, "toy", verdict)
            except LineageError as error:
                return error

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(try_to, ["approve", "reject"] * 2))
    [made] = [outcome for outcome in outcomes if isinstance(outcome, Decision)]

    assert len(outcomes) == 4
    assert toy.types().count("review") == 1
    assert Reviews.read(toy.registry).decided == {made.subject: made}


def test_a_rejection_takes_nothing_back_but_what_it_is_about(toy: Toy) -> None:
    """When somebody has gone on from the rejected generation, theirs stays the tip."""
    subject = toy.pause(review={"every": 1})
    decide(toy.registry, subject, "reject")
    known = journal.read(toy.registry, "toy")
    mine = toy.registry.commit("generation", "toy", params={"by": "hand"}).id
    with pytest.raises(Conflict, match="moved the branch loop/toy meanwhile"):
        reviewing.settle(toy.registry, load(toy.registry.root / "loop.yaml"), known)

    assert toy.branch()[:2] == [mine, subject]
    assert "loop/toy@rejected" not in toy.registry.branches()


def test_what_is_asked_for_again_waits_again(toy: Toy) -> None:
    """Of a request and a verdict about the same commit the newer one counts."""
    subject = toy.pause(review={"every": 1})
    decide(toy.registry, subject, "approve")
    with pytest.raises(UsageError, match="was approved before, by Ada Example"):
        decide(toy.registry, subject, "reject")
    toy.registry.attest("review_requested", subject=subject, data={"loop": "toy"})

    assert decide(toy.registry, "loop/toy", "reject", "looked again").subject == subject


def test_a_generation_is_compared_with_the_one_before_and_the_first(toy: Toy) -> None:
    """Data are first measured in generation 1, which generation 0's model wrote."""
    subject = toy.pause(num_generations=3, review={"every": 3})
    registry: Registry = toy.registry
    three, two, one, zero = [registry.load(id_) for id_ in toy.branch()]
    found = shown(registry, Reviews.read(registry), subject, samples=2)
    rows = {row.name: row for row in found.measures}

    assert (found.loop, found.generation, found.counts) == (
        *("toy", 3),
        {"kept": 12, "dropped": 0},
    )
    assert rows["known"].now == three.metrics["known"]
    assert rows["known"].before == two.metrics["known"]
    assert rows["known"].first == zero.metrics["known"]
    assert rows["distinct_2"].first == one.metrics["distinct_2"]


def test_a_measure_that_changed_its_meaning_is_not_compared(toy: Toy) -> None:
    """Another version of a measure stands alone."""
    toy.run()
    registry: Registry = toy.registry
    tip = registry.load(toy.branch()[0])
    newer = tip.metrics["distinct_2"].to_json() | {"version": 99}
    made = registry.commit(
        "generation",
        "toy",
        edges=[edge for edge in tip.edges if edge.role != "follows"],
        params={"generation": 3},
        metrics={"distinct_2": newer},
        circumstances={"loop": "toy", "generation": 3},
    )
    [row] = shown(registry, Reviews(), made.id, samples=0).measures

    assert (row.now.version, row.before, row.first) == (99, None, None)


def test_a_request_that_no_loop_wrote_is_listed(toy: Toy) -> None:
    """Events of another registry may say anything; the list still stands."""
    head = toy.run(num_generations=0).head
    data = {"loop": 7, "generation": "x", "on": [], "why": None}
    toy.registry.attest("review_requested", subject=head, data=data)
    (waiting,) = Reviews.read(toy.registry).waiting.values()
    assert (waiting.subject, waiting.generation) == (head, 0)


def test_generation_0_has_no_records_to_show(toy: Toy) -> None:
    """What people wrote is not drawn as if a model had written it."""
    toy.run(num_generations=0)
    found = shown(toy.registry, Reviews(), toy.branch()[0], samples=5)

    assert (set(found.datasets.values()), found.samples) == ({None}, [])


def test_a_loop_signs_as_a_machine_and_a_person_decides(
    toy: Toy, tmp_path: Path
) -> None:
    """Machine events carry the runner's signature, the verdict a reviewer's only."""
    registry: Registry = toy.registry
    ada, runner = tmp_path / "ada", tmp_path / "runner"
    for path in (ada, runner):
        generate(path, path.name, passphrase=False)
    add_file(registry, public_half(ada), "Ada", "ada@example.com")
    with pytest.raises(NotAllowed, match="a loop signs with a key of its own"):
        toy.run(review={"every": 1})
    add_file(registry, public_half(runner), "Runner", "r@example.com", roles=["runner"])
    registry.settings.set("signing.runner-key", str(runner))
    subject = toy.pause(review={"every": 1})

    with registry.signer.using(runner), pytest.raises(NotAllowed, match="signs no"):
        decide(registry, subject, "approve")
    made = decide(registry, subject, "approve")

    judge = Judge(registry)
    signers = {
        logged.event.type: standing.key.name
        for logged in registry.events_log.iterate()
        if (standing := judge.standing(logged)) and standing.key
    }
    assert made.by == "Ada"
    assert signers == dict.fromkeys(("key", "review"), "Ada") | dict.fromkeys(
        ("commit", "drop", "evaluation", "review_requested"), "Runner"
    )
    assert list(signature_findings(registry)) == []
