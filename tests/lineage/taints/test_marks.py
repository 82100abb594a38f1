"""What taints reached: against networkx, in the past, in other clones, damaged."""

from __future__ import annotations

import json
import random
from contextlib import closing
from typing import TYPE_CHECKING

import networkx as nx
import pytest

import lineage
from lineage.descent.roles import REACHING
from lineage.errors import NotAllowed, NotFound, UsageError
from lineage.store.objects import ROLES, Edge
from lineage.taints import lift, of_event, standing, taint, taints
from lineage.taints.marks import marks
from lineage.verify import verify

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lineage.registry import Registry


def _commit(registry: Registry, number: int, *edges: Edge, kind: str = "model") -> str:
    params = {"x": number}
    branch = f"b{number}"
    return registry.commit(kind, "c", edges=edges, params=params, branch=branch).id


class Graph:
    """Random commits with hubs, and what reached what as networkx has it."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.chance = random.Random(3)  # noqa: S311 - the same graph each time
        self.ids: list[str] = []
        self.flow = nx.DiGraph()

    def grow(self, count: int) -> None:
        for _ in range(count):
            few = min(len(self.ids), self.chance.randint(0, 3))
            parents = {*self.chance.sample(self.ids, few), *self.ids[:1]}
            roles = [role for role in ROLES if role != "follows"]
            edges = [Edge(self.chance.choice(roles), p) for p in sorted(parents)]
            kind = self.chance.choice(("model", "dataset", "config"))
            made = _commit(self.registry, len(self.ids), *edges, kind=kind)
            self.ids.append(made)
            self.flow.add_node(made)
            self.flow.add_edges_from((e.id, made) for e in edges if e.role in REACHING)

    def below(self, id_: str) -> set[str]:
        return {id_, *nx.descendants(self.flow, id_)}


def _marked(registry: Registry) -> dict[str, set[str]]:
    """Every commit of a registry with the taints that reached it."""
    found = marks(registry)
    every = {r.id: {m.taint.event for m in found.of(r.id)} for r in registry.ids}
    assert {id_ for id_, events in every.items() if events} == set(found.ids())
    return every


@pytest.mark.parametrize("few", [256, 0])
def test_marks_are_what_came_of_what_is_tainted(
    repo: Registry, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the index and then from new manifests, or from the index each time."""
    monkeypatch.setattr("lineage.taints.marks._FEW", few)
    graph = Graph(repo)
    graph.grow(16)
    assert not marks(repo)
    subjects = {taint(repo, id_, "bad"): id_ for id_ in graph.ids[3:16:4]}
    for _ in range(3):
        marked = _marked(repo)
        for event, subject in subjects.items():
            have = {id_ for id_, events in marked.items() if event in events}
            assert have == graph.below(subject)
        graph.grow(4)
    lifted = next(iter(subjects))
    lift(repo, of_event(repo, lifted), "it was not")
    assert all(lifted not in events for events in _marked(repo).values())
    assert verify(repo).problems == []
    assert verify(repo).notes == []


def test_counts_leave_out_the_tainted_commit(repo: Registry) -> None:
    """How many commits came of a taint, and of none that stands no more."""
    first = _commit(repo, 1)
    _commit(repo, 2, Edge("fine_tuned_from", first))
    event, other = taint(repo, first, "bad"), taint(repo, first, "worse")
    lift(repo, of_event(repo, other), "no")

    assert marks(repo).counts() == {event: 1}


def test_the_past_has_its_own_taints(repo: Registry) -> None:
    """With an end in the past: what was tainted, lifted and recorded by then."""
    first = _commit(repo, 1)
    before = repo.events_log.tip()
    event = taint(repo, first, "bad")
    then = repo.events_log.tip()
    child = _commit(repo, 2, Edge("trained_on", first))
    lift(repo, of_event(repo, event), "it was not")
    assert not marks(repo)
    for at, marked in ((before, {}), (then, {first: {event}})):
        with closing(lineage.open(repo.root, at=at)) as past:
            assert {k: v for k, v in _marked(past).items() if v} == marked
            assert [t.lifted for t in taints(past)] == [None] * len(marked)
    later = _commit(repo, 3, Edge("trained_on", child))
    assert marks(repo).of(later) == []


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5])


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("damage", [_cut, _flip, lambda path: path.write_bytes(b"")])
def test_a_damaged_list_is_made_again(repo: Registry, damage: object) -> None:
    """Whatever became of the file, the next question gets the right answer."""
    first = _commit(repo, 1)
    child = _commit(repo, 2, Edge("trained_on", first))
    event = taint(repo, first, "bad")
    expected = {first: {event}, child: {event}}
    assert _marked(repo) == expected
    damage(repo.home / "tainted")  # type: ignore[operator]
    assert _marked(repo) == expected


def test_verify_corrects_a_list_that_is_wrong(repo: Registry) -> None:
    """A list that is whole and wrong is found by `verify`, told and made again."""
    from lineage.taints.known import Known

    first = _commit(repo, 1)
    child = _commit(repo, 2, Edge("trained_on", first))
    event = taint(repo, first, "bad")
    marks(repo)
    wrong = Known.read(repo.home)
    Known(wrong.tip, wrong.asked).write(repo.home)
    assert marks(repo).of(child) == []

    assert len(verify(repo).notes) == 1
    assert _marked(repo)[child] == {event}


def test_what_is_no_taint_says_nothing(repo: Registry) -> None:
    """Statements of another form than FORMAT.md has are no reason to refuse the log."""
    first = _commit(repo, 1, kind="config")
    event = taint(repo, first, "bad")
    for data in (
        *({}, {"reason": 3}, {"reason": "r", "records": []}),
        *({"reason": "r", "records": ["x"]}, {"reason": "r", "records": "all"}),
    ):
        repo.attest("taint", subject=first, data=data)
    repo.attest("taint", subject="f" * 64, data={"reason": "of nobody"})
    for lifts in (None, 7, first, [event]):
        repo.attest("untaint", subject=first, data={"lifts": lifts, "reason": "r"})

    assert [one.event for one in standing(repo)] == [event]
    assert verify(repo).problems == []


def test_what_cannot_be_said(repo: Registry) -> None:
    """A taint needs a reason; records are a dataset's; what is lifted is no more."""
    config = _commit(repo, 1, kind="config")
    nowhere = "0" * 64
    with pytest.raises(UsageError):
        taint(repo, config, " ")
    with pytest.raises(NotFound):
        taint(repo, nowhere, "bad")
    with pytest.raises(UsageError):
        taint(repo, config, "bad", [nowhere])
    assert taints(repo) == []
    event = taint(repo, config, "bad")
    one = of_event(repo, event[:8])
    assert (one.subject, one.records, one.author["name"]) == (
        config,
        None,
        "Ada Example",
    )
    lift(repo, one, "no")
    with pytest.raises(NotAllowed):
        lift(repo, of_event(repo, event), "no")
    with pytest.raises(NotFound):
        of_event(repo, repo.ids.get(config).event)


# records


class Data:
    """Datasets of numbered records, each derived from others."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry

    def add(self, name: str, numbers: list[int], *edges: Edge) -> str:
        path = self.registry.root / f"{name}.jsonl"
        lines = (json.dumps({"id": f"r{n}", "n": n}) + "\n" for n in numbers)
        path.write_text("".join(lines), encoding="utf-8")
        return self.registry.commit("dataset", name, path, edges=edges).id

    def derived(self, name: str, numbers: list[int], *parents: str) -> str:
        edges = [Edge("derived_from", parent) for parent in parents]
        return self.add(name, numbers, *edges)

    def taint(self, id_: str, *wanted: str) -> str:
        from lineage.taints.chosen import identities
        from lineage.taints.records import look

        found = identities(self.registry, id_, wanted, lambda _: None)
        event = taint(self.registry, id_, "bad", found)
        look(self.registry, lambda _: None)
        return event

    def seen(self) -> dict[str, tuple[int, int | None, int | None]]:
        from lineage.taints.records import look

        [found] = look(self.registry, lambda _: None).values()
        return {self.registry.load(s.id).name: tuple(s.sighting) for s in found}  # type: ignore[misc]

    def marked(self) -> dict[str, bool]:
        """Marked commits by name, and whether only perhaps."""
        found = marks(self.registry)
        return {
            self.registry.load(id_).name: found.of(id_)[0].perhaps
            for id_ in found.ids()
        }


@pytest.fixture
def data(repo: Registry) -> Iterator[Data]:
    """Datasets in an empty registry."""
    return Data(repo)  # type: ignore[return-value]


def test_a_record_that_was_filtered_out_did_not_reach(data: Data) -> None:
    """By the bytes: what kept it is marked, what left it out is clean, below too."""
    registry = data.registry
    raw = data.add("raw", [1, 2, 3, 4])
    kept = data.derived("kept", [2, 3, 3], raw)
    clean = data.derived("clean", [1, 4], raw)
    data.derived("below", [4], clean)
    other = data.add("other", [7])
    mixed = data.derived("mixed", [3, 7, 2], kept, other)
    for name, on in (("good", clean), ("bad", mixed)):
        registry.commit("model", name, edges=[Edge("trained_on", on)])
    data.taint(raw, "3")

    assert data.seen() == {
        "raw": (1, 1, 4),
        "kept": (2, 2, 3),
        "clean": (0, 0, 2),
        "mixed": (1, 1, 3),
    }
    assert data.marked() == dict.fromkeys(("raw", "kept", "mixed", "bad"), False)
    data.derived("late", [4, 1], raw)
    assert data.marked()["late"] is True  # until somebody looks
    data.seen()
    assert "late" not in data.marked()


def test_a_record_that_was_changed_may_have_reached(data: Data) -> None:
    """Records that no parent has may be tainted ones in another form."""
    raw = data.add("raw", [1, 2, 3])
    data.derived("edited", [1, 20, 30], raw)
    data.taint(raw, "r2")

    assert data.seen()["edited"] == (0, 2, 3)
    assert data.marked() == {"raw": False, "edited": True}


def test_without_bytes_shares_say_how_many_there_can_be(data: Data) -> None:
    """Shares of what is not here bound it: none of nothing, unknown without a count."""
    registry = data.registry
    raw, other = data.add("raw", [1, 2]), data.add("other", [5])
    for name, part in (("some", 3), ("none", 0), ("uncounted", None)):
        share = None if part is None else {"records": [part, 10]}
        edges = [Edge("derived_from", raw, share=share), Edge("derived_from", other)]
        registry.commit("dataset", name, edges=edges, params={"rows": 10})
    data.taint(raw, "r1")

    assert data.seen() == {
        "raw": (1, 1, 2),
        "some": (0, 3, 10),
        "none": (0, 0, 10),
        "uncounted": (0, None, None),
    }
    assert set(data.marked()) == {"raw", "some", "uncounted"}


def test_records_are_named_by_number_identity_or_text(data: Data) -> None:
    """All of them mean the same; a name that none has is an error."""
    from lineage.records import rows
    from lineage.taints.chosen import identities

    raw = data.add("raw", [10, 20, 20, 30])
    every = [row.identity for row in rows(data.registry, raw)]

    def found(*wanted: str) -> set[str]:
        return identities(data.registry, raw, wanted, lambda _: None)

    assert found("2") == found("3") == found("r20") == found(every[1]) == {every[1]}
    assert found("1", "r30") == {every[0], every[3]}
    for wrong in ("5", "r11", "0" * 64):
        with pytest.raises(NotFound):
            found("1", wrong)
