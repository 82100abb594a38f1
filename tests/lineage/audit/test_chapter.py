"""The feedback-loop chapter: composition, compute, and what became of things later."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from lineage.audit.changes import spans
from lineage.audit.model import Release, Signature
from lineage.audit.report import report
from lineage.descent.trace import trace
from lineage.diff import diff
from lineage.erase import erase, plan_erasure
from lineage.names_ops import set_branch
from lineage.releases import release, retire
from lineage.stated import state
from lineage.store.objects import Edge, Metric
from lineage.taints import lift, of_event, taint
from lineage.taints.known import forget
from lineage.taints.marks import marks
from lineage.taints.sightings import Sighting, Sightings

if TYPE_CHECKING:
    from lineage.audit.model import Report
    from lineage.registry import Registry

WHO = "Ada Example <ada@example.com>"


def fractions(made: Any) -> dict[str, Fraction]:
    names = ("human", "machine", "unknown")
    return {name: Fraction(getattr(made, name).exact) for name in names}


def test_models_are_made_of_what_trace_says(told: Any) -> None:
    """Of every generation's model, and of every model that wrote data."""
    made = report(told.registry, "loop/tutor")
    compositions = [turn.made_of for turn in made.turns]
    compositions += [one.made_of for one in made.generators]

    assert len(compositions) == 6
    for found in compositions:
        assert found is not None
        [own] = trace(told.registry, found.model).made
        [amount] = own.amounts
        made_of = amount.made_of
        expected = (made_of.human, made_of.machine, made_of.unknown)
        assert tuple(fractions(found).values()) == expected
        assert found.count == amount.count


def test_shares_are_exact_through_generations(told: Any) -> None:
    """Accumulated: 1/1, 1/2, then 1/3 of human origin, up to two turns away."""
    [loop] = report(told.registry, "loop/tutor").loops
    found = [turn.made_of for turn in loop.generations]

    assert [one and one.human.exact for one in found] == ["1/1", "1/2", "1/3"]
    assert [one and one.hops and one.hops.longest for one in found] == [0, 1, 2]
    assert [one and one.hops and one.hops.shortest for one in found] == [0, 0, 0]


def test_what_nobody_knows_is_unknown(repo: Registry) -> None:
    """Data of unknown origin are neither, nor is a model of unknown making."""
    a = repo.commit("dataset", "a", params={"n": 1}, origin={"type": "human"}).id
    b = repo.commit("dataset", "b", params={"n": 2}).id
    edges = [
        Edge("trained_on", a, share={"records": [1, 3]}),
        Edge("trained_on", b, share={"records": [2, 3]}),
    ]
    base = repo.commit("model", "base", external={"uri": "hf://org/base"}).id
    some = repo.commit("model", "some", params={"n": 3}, edges=edges).id
    wrote = [Edge("generated_by", base), Edge("generated_by", some)]
    repo.commit("dataset", "c", params={"n": 4}, edges=wrote)
    first, second = report(repo, "dataset/c").generators

    assert (first.model, second.model) == (base, some)
    assert first.made_of is not None
    assert fractions(first.made_of)["unknown"] == 1
    assert first.made_of.hops is None
    assert second.made_of is not None
    assert list(fractions(second.made_of).values()) == [
        Fraction(1, 3),
        Fraction(0),
        Fraction(2, 3),
    ]


def test_generators_are_named_by_content_through_all_turns(told: Any) -> None:
    """Every model that wrote anything on the way, with the hash over its files."""
    made = report(told.registry, told.ids["model-2"])
    found = {one.model: one for one in made.generators}

    assert list(found) == [told.ids["model-0"], told.ids["model-1"]]
    first = found[told.ids["model-0"]]
    assert first.root == told.registry.load(first.model).payload.root
    assert first.wrote == (told.ids["synthetic-1"],)


def test_teachers_are_generators(repo: Registry) -> None:
    """What a student was distilled from; from outside, by the digest of it."""
    digest = "ab" * 32
    outside = {"uri": "hf://org/teacher", "digest": digest}
    teacher = repo.commit("model", "teacher", external=outside).id
    edges = [Edge("distilled_from", teacher)]
    student = repo.commit("model", "student", params={"n": 1}, edges=edges).id
    [found] = report(repo, "model/student").generators

    assert (found.model, found.root, found.wrote) == (teacher, digest, (student,))


@pytest.fixture
def stepped(loop: Any) -> Report:
    """Give the report on a loop whose runner told of its steps."""
    registry = loop.registry
    loop.start()
    turn = {"loop": "tutor", "generation": 1, "attempt": 0}
    data = loop.ids["human"]
    took = {"step": "generate", "seconds": 2.5, "cpu_seconds": 4, "tokens": 100}
    registry.attest("noted", subject=data, data={**turn, **took, "peak_memory": 70})
    reused = {"step": "check", "reused": "ab" * 32, "part": "synthetic"}
    registry.attest("noted", subject=data, data={**turn, **reused})
    failed = {"step": "train", "error": "no space", "seconds": 1}
    registry.attest("failed step", subject=data, data={**turn, **failed})
    took = {"step": "train", "seconds": 0.25, "flops": 10**15, "tokens": 11}
    registry.attest("noted", subject=data, data={**turn, **took, "peak_memory": 90})
    other = {**turn, "attempt": 1, "step": "train", "seconds": 1000}
    registry.attest("noted", subject=data, data=other)
    registry.attest("noted", subject=data, data={**turn, "step": 3, "seconds": "4"})
    loop.go_on(circumstances=turn)
    return report(registry, "loop/tutor")


def test_what_a_turn_took_is_added_up(stepped: Report) -> None:
    """Failed steps took time, reused ones did not; another try's are not counted."""
    found = stepped.loops[0].generations[1].compute

    assert found is not None
    assert (found.seconds, found.cpu_seconds, found.tokens) == (3.75, 4, 111)
    assert (found.flops, found.peak_memory, found.reused) == (10**15, 90, 1)
    told = [(one.step, one.reused, one.failed, one.part) for one in found.steps]
    assert told == [
        ("generate", False, False, None),
        ("check", True, False, "synthetic"),
        ("train", False, True, None),
        ("train", False, False, None),
    ]


def test_discarded_records_are_counted_by_filter(stepped: Report) -> None:
    """What was generated, rejected by which gate, and kept."""
    found = stepped.loops[0].generations[1].compute

    assert found is not None
    assert (found.generated, found.rejected, found.kept) == (1300, 50, 1250)
    assert found.by_filter == {"checks": 50}


def test_measures_against_the_start(loop: Any) -> None:
    """Generation 0, or the first that has it, where both mean the same by it."""
    bias = {"tpr_gap": Metric(0.2, "tpr_gap", 1, "lower")}
    loop.start()
    loop.go_on(metrics={"perplexity": Metric(70, "perplexity", 2, "lower"), **bias})
    bias = {"tpr_gap": Metric(0.3, "tpr_gap", 1, "lower")}
    more = {"distinct_2": Metric(0.1, "distinct_2", 1), "kept": Metric(3, "kept", 1)}
    loop.go_on(metrics={"own": 1, **bias, **more})
    *_, last = report(loop.registry, "loop/tutor").loops[0].generations

    told = [(a.name, a.about, a.since, a.start, a.now) for a in last.against_start]
    assert told == [
        ("distinct_2", "diversity", 0, 0.257, 0.1),
        ("tpr_gap", "bias", 1, 0.2, 0.3),
    ]


def test_releases_and_what_changed_between_them(story: Any) -> None:
    """From one release of a name to the next, as `lineage diff` compares them."""
    registry, (first, _, last) = story.registry, story.turns
    a = release(registry, first, "production").event
    b = release(registry, last, "production").event
    retire(registry, last, "production")
    made = report(registry, "loop/tutor")
    [change] = made.changes
    compared = diff(registry, first, last, only=("metrics", "params"))

    assert [(r.event, r.environment, r.by) for r in made.releases] == [
        (a, "production", WHO),
        (b, "production", WHO),
    ]
    assert all(r.until for r in made.releases)
    assert (change.before, change.after, change.released) == (first, last, (a, b))
    told = [(m.name, m.delta, m.verdict) for m in change.metrics]
    assert told == [(m.name, m.delta, m.verdict) for m in compared.metrics]
    assert ("perplexity", 33.21, "worse") in told
    assert "model/tutor-model" in change.changed
    assert change.new == ("dataset/tutor-synthetic", "dataset/tutor-mixed")
    assert [m and m.human.exact for m in change.made_of] == ["1/1", "1/3"]


def test_a_loop_without_releases_changed_from_end_to_end(told: Any) -> None:
    """Its first generation against its last one; no event released them."""
    [change] = report(told.registry, "loop/tutor").changes

    assert (change.before, change.after) == (told.turns[0], told.turns[-1])
    assert change.released == ()


def test_settings_that_changed_are_told(repo: Registry) -> None:
    """Those of configs too, without reading a file."""
    ends = []
    for seed in (1, 2):
        config = repo.commit("config", "c", params={"seed": seed, "same": 1}).id
        edges = [Edge("configured_by", config)]
        made = repo.commit("model", "m", params={"rank": 8 * seed}, edges=edges)
        ends.append(release(repo, made.id, "live").event)
    [change] = report(repo, "all()").changes

    assert [(p.name, p.before, p.after, p.change) for p in change.params] == [
        ("rank", 8, 16, "changed"),
        ("config/c/seed", 1, 2, "changed"),
    ]
    assert change.released == tuple(ends)


def test_which_releases_are_compared() -> None:
    """Neighbours of one name in one place, each pair once; the same again is none."""

    def live(subject: str, place: str, name: str = "m") -> Release:
        signature = Signature("no keys", "")
        made = (f"{subject}{place}", place, subject, "model", name)
        return Release(*made, "", None, "", signature, None)

    given = [live("1", "a"), live("1", "b"), live("2", "a"), live("2", "a")]
    given += [live("3", "a", "other"), live("2", "b")]
    loops = [(["g", "h"], {"g", "h", "1", "2"}), (["x", "y"], {"x", "y", "2"})]
    loops.append((["z"], {"z"}))

    assert [(s.before, s.after, s.released) for s in spans(given, loops)] == [
        ("1", "2", ("1a", "2a")),
        ("x", "y", ()),
    ]


def test_taints_with_their_reach(story: Any) -> None:
    """What of the report came of it, how much of the registry did, and if it stands."""
    registry, ids = story.registry, story.ids
    stands = taint(registry, ids["synthetic-1"], "copied from a chat")
    lifted = taint(registry, ids["human"], "licence in doubt")
    lift(registry, of_event(registry, lifted), "the licence is fine")
    elsewhere = registry.commit("dataset", "elsewhere", params={"n": 1}).id
    taint(registry, elsewhere, "nothing to do with it")
    found = {one.event: one for one in report(registry, "loop/tutor").taints}

    assert list(found) == [stands, lifted]
    one = found[stands]
    assert (one.subject, one.reason, one.by) == (
        ids["synthetic-1"],
        "copied from a chat",
        WHO,
    )
    assert (one.lifted, one.records, one.perhaps) == (None, None, ())
    reached = {ids["synthetic-1"], ids["model-1"], ids["model-2"], *story.turns[1:]}
    assert reached <= set(one.reaches)
    assert ids["model-0"] not in one.reaches
    assert one.reached >= len(one.reaches) - 1
    assert found[lifted].lifted is not None
    assert ids["model-0"] in found[lifted].reaches


def test_what_one_clone_alone_has_seen_is_in_no_report(repo: Registry) -> None:
    """A clone that read the bytes reports what any other does: what is recorded."""
    chats = repo.commit("dataset", "chats", params={"n": 1}).id
    some = repo.commit("dataset", "some", edges=[Edge("derived_from", chats)]).id
    event = taint(repo, chats, "a private address", ["0" * 64])
    before = report(repo, some)
    seen = Sightings()
    seen.add(event, some, Sighting(0, 0, 10))
    seen.write(repo.home)
    forget(repo.home)

    assert marks(repo).counts() == {event: 0}
    assert report(repo, some) == before
    assert [(one.reached, one.perhaps) for one in before.taints] == [(1, (some,))]


def test_erasures(repo: Registry) -> None:
    """Each with its files; two that took parts of one commit are both told."""
    folder = repo.root / "chats"
    folder.mkdir()
    for name in "abc":
        (folder / name).write_text(name, encoding="utf-8")
    made = repo.commit("dataset", "chats", folder)
    (folder / "a").write_text("other", encoding="utf-8")
    repo.commit("dataset", "others", folder / "a")
    hashes = {file.path: file.sha256 for file in repo.files(made.id)}
    for name in "ab":
        plan = plan_erasure(repo, made.id, paths=[name])
        erase(repo, plan, reason=f"consent of {name}", authority="DPO")
    found = report(repo, "dataset/chats").erasures

    told = [(one.subjects, one.files, one.reason, one.authority) for one in found]
    assert told == [
        ((made.id,), (hashes["a"],), "consent of a", "DPO"),
        ((made.id,), (hashes["b"],), "consent of b", "DPO"),
    ]
    assert report(repo, "dataset/others").erasures == ()


def test_what_people_stated(repo: Registry) -> None:
    """By field, with the event, its author and what the signature is worth."""
    made = repo.commit("model", "m", params={"n": 1}).id
    said = state(repo, made, {"purpose": "to teach", "limits": "none"})
    state(repo, made, {"limits": None})
    [artifact] = report(repo, "model/m").artifacts
    field = artifact.stated["purpose"]

    assert set(artifact.stated) == {"purpose"}
    assert (field.status, field.value) == ("stated", "to teach")
    assert (field.event, field.by) == (said.event, WHO)
    assert field.signature is not None
    assert field.signature.state == "no keys"
    assert report(repo, "model/m").coverage["stated"] == 1


def test_one_report_on_two_loops(loop: Any) -> None:
    """Each with its own chain; what both begin with is told once."""
    loop.start()
    registry = loop.registry
    set_branch(registry, "loop/other", "loop/tutor")
    loop.go_on()
    other = loop.turns.pop()
    loop.name = "other"
    loop.go_on(branch="loop/other")
    made = report(registry, "loop/tutor | loop/other")

    assert [one.name for one in made.loops] == ["tutor", "other"]
    chains = [[turn.id for turn in one.generations] for one in made.loops]
    assert chains == [[loop.turns[0], other], [loop.turns[0], made.subjects[0]]]
    ids = [one.id for one in made.artifacts]
    assert len(ids) == len(set(ids))


def test_subjects_of_one_loop_are_one_chain(told: Any) -> None:
    """Up to the newest of them, with the rejected one told as such."""
    made = report(told.registry, "all()")
    [loop] = made.loops

    assert set(made.subjects) == {one.id for one in made.artifacts}
    assert [turn.id for turn in loop.generations] == told.turns
    assert [turn.status for turn in loop.rejected] == ["rejected"]
    assert loop.later == 0
