"""Which commits and events a report is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lineage.audit.facts import gather
from lineage.names_ops import set_branch
from lineage.store.objects import Edge
from lineage.store.views import Move, Target

if TYPE_CHECKING:
    from lineage.registry import Registry


def test_a_generation_stands_at_the_end_of_its_chain(told: Any) -> None:
    """The generations before it come with it, oldest first, and so do all parts."""
    facts = gather(told.registry, "loop/tutor")
    [loop] = facts.loops

    assert loop.chain == tuple(told.turns)
    assert loop.branches == ("loop/tutor",)
    assert set(told.ids.values()) <= set(facts.commits)
    assert next(iter(facts.commits)) == told.ids["config"]  # recorded first


def test_later_generations_are_counted_and_left_out(told: Any) -> None:
    """A report on the first generation does not tell the others' told."""
    facts = gather(told.registry, told.turns[0])
    [loop] = facts.loops

    assert loop.chain == (told.turns[0],)
    assert loop.later == 2
    assert told.turns[1] not in facts.commits


def test_a_part_leads_to_the_first_generation_with_it(told: Any) -> None:
    """A config is part of every generation; the report follows the first."""
    [loop] = gather(told.registry, told.ids["config"]).loops

    assert loop.chain == (told.turns[0],)
    assert len(loop.also_in) == 3  # two that were followed, one that was rejected


def test_rejected_generations_belong_to_their_loop(told: Any) -> None:
    """What was rejected after a generation of the chain is told, with the event."""
    [rejected] = gather(told.registry, "loop/tutor").loops[0].rejected
    [loop] = gather(told.registry, rejected).loops

    assert loop.chain == (*told.turns[:2], rejected)
    assert set(loop.refused) == {rejected}
    assert "0.64 is below 0.8" in loop.refused[rejected].event.message


def test_a_loop_that_only_failed_is_told_where_it_began(loop: Any) -> None:
    """A branch from another loop's generation tells what was set aside beside it."""
    registry, start = loop.registry, loop.start()
    set_branch(registry, "loop/other", start)
    set_branch(registry, "good", start)
    refused = loop.go_on(branch="loop/other@rejected", message="it was too dull")
    [found] = gather(registry, "loop/other").loops

    assert (found.chain, found.rejected) == ((start,), (refused,))
    assert found.branches == ("loop/other", "loop/tutor")


def test_a_generation_that_was_rolled_back_is_rejected(loop: Any) -> None:
    """A review that rejects moves the generation; the move says why."""
    loop.start()
    loop.go_on()
    registry, (before, tip) = loop.registry, loop.turns
    targets = [Target(id_, registry.git_oid(id_)) for id_ in (before, tip)]
    moves = [
        Move("heads/loop/tutor", targets[1], targets[0], kept=True),
        Move("heads/loop/tutor@rejected", None, targets[1]),
    ]
    registry.move("rollback", moves, "rejected by Grace: too dull")
    [loop] = gather(registry, "loop/tutor").loops

    assert (loop.chain, loop.rejected) == ((before,), (tip,))
    assert loop.refused[tip].event.message == "rejected by Grace: too dull"
    assert loop.later == 0


def test_a_loop_that_branches_off_keeps_to_itself(loop: Any) -> None:
    """Two loops share generation 0; the rejects of one are not the other's."""
    loop.start()
    registry = loop.registry
    set_branch(registry, "loop/other", "loop/tutor")
    loop.go_on(attempt=1, branch="loop/other@rejected", message="not good")
    data = {"loop": "other"}
    registry.attest("failed step", subject=loop.turns[0], data=data)
    loop.go_on()
    facts = gather(registry, "loop/tutor")

    assert facts.loops[0].rejected == ()
    assert facts.statements == ()


def test_statements_about_any_commit_of_the_report_are_gathered(story: Any) -> None:
    """Oldest first; what moves names is no statement."""
    registry = story.registry
    registry.attest("audit", subject=story.ids["human"], message="seen")
    registry.attest("failed step", message="no model", data={"loop": "tutor"})
    types = [said.event.type for said in gather(registry, "loop/tutor").statements]

    assert types == [
        "review_requested",
        "review",
        "failed step",
        "review",
        "audit",
        "failed step",
    ]


def test_a_commit_outside_any_loop(repo: Registry) -> None:
    """Its facts are what it came from and what was said of it."""
    data = repo.commit("dataset", "seed", params={"rows": 3}).id
    repo.commit("dataset", "other", params={"rows": 4})
    edges = [Edge("trained_on", data)]
    model = repo.commit("model", "tutor", params={"layers": 2}, edges=edges).id
    said = repo.attest("review", subject=model, message="fine")
    facts = gather(repo, "model/tutor")

    assert list(facts.commits) == [data, model]
    assert facts.loops == ()
    assert [each.event.id for each in facts.statements] == [said]
    assert facts.newest.id == said
