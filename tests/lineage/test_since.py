"""Was history only added to, since an event that an auditor noted?"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import networkx as nx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import lineage
from lineage import keys, releases
from lineage.errors import Ambiguous, UsageError
from lineage.store.event_commit import event_commit
from lineage.store.git_objects import GitObject, TreeEntry, tree
from lineage.store.key_files import generate, read_public
from lineage.store.objects import Event
from lineage.store.views import BLOB
from lineage.verify import verify
from lineage.verify.appended import Since, since
from lineage.verify.problem import Problem

if TYPE_CHECKING:
    from pathlib import Path

    from lineage import Registry

EVENTS = "refs/lineage/events"
TIME = "2026-01-01T00:00:00.000000Z"


def write(
    registry: Registry, parents: list[int], made: list[Any], message: str = ""
) -> None:
    """Append to `made` an event (id, git oid) after some of them, past every check."""
    prev = tuple(made[number][0] for number in parents)
    event = Event("note", TIME, registry.actor(), message or str(len(made)), prev=prev)
    blob = GitObject("blob", event.encoded)
    top = tree({"event.json": TreeEntry(BLOB, blob.oid)})
    commit = event_commit(event, top.oid, [made[number][1] for number in parents])
    registry.git.write([blob, top, commit])
    made.append((event.id, commit.oid))


@st.composite
def logs(draw: st.DrawFn) -> list[list[int]]:
    """For each event those before it: any graph with one beginning and one end."""
    count = draw(st.integers(1, 14))
    graph: list[list[int]] = [[]]
    for n in range(1, count):
        parents = st.sets(st.integers(0, n - 1), min_size=1, max_size=2)
        graph.append(sorted(draw(parents)))
    named = {number for parents in graph for number in parents}
    ends = sorted({*range(count)} - named)
    return [*graph, ends] if len(ends) > 1 else graph


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(logs())
def test_events_are_counted_as_graph_theory_counts_them(
    repo: Registry, graph: list[list[int]]
) -> None:
    """Before, after and beside each event of any log, however often it forked."""
    made: list[Any] = []
    for parents in graph:
        write(repo, parents, made)
    repo.git.run("update-ref", EVENTS, made[-1][1])
    known = nx.DiGraph([(b, a) for a, parents in enumerate(graph) for b in parents])
    known.add_nodes_from(range(len(graph)))
    for number, (id_, _) in enumerate(made):
        before, after = nx.ancestors(known, number), nx.descendants(known, number)
        beside = len(graph) - 1 - len(before) - len(after)
        found = since(repo, id_)
        assert isinstance(found, Since)
        assert found[2:] == (len(before), len(after), beside)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    generate(tmp_path / "key", "ada", passphrase=False)
    return tmp_path / "key"


def history(root: Path, key: Path, accuracy: float) -> Registry:
    """A registry in which everything is signed with the real key."""
    registry = lineage.init(root)
    public = read_public(key.with_name("key.pub"))
    roles = ("reviewer", "releaser")
    keys.add(registry, public, "Ada", "ada@example.com", roles=roles, sign_with=key)
    registry.settings.set("signing.key", str(key))
    made = registry.commit("model", "m", params={"x": 1}, metrics={"acc": accuracy})
    registry.attest("review", subject=made.id, data={"verdict": "approve"})
    releases.release(registry, made.id, "production")
    return registry


def newest(registry: Registry) -> str:
    return next(id_ for id_, _ in registry.events())


def test_an_insider_who_signs_everything_anew_is_caught(
    tmp_path: Path, key: Path
) -> None:
    """With the real key another history passes every check but that of one old id."""
    with (
        closing(history(tmp_path / "true", key, 0.51)) as true,
        closing(history(tmp_path / "nicer", key, 0.93)) as nicer,
    ):
        seen = newest(true)  # on the auditor's paper
        assert verify(true, noted=seen).problems == []
        true.git.run("fetch", "--quiet", str(nicer.root), f"{EVENTS}:refs/other")
        for ref in true.git.run("for-each-ref", "--format=%(refname)").decode().split():
            if ref.startswith("refs/lineage/"):
                true.git.run("update-ref", "-d", ref)
        words = ("fetch", "--quiet", str(nicer.root), "refs/lineage/*:refs/lineage/*")
        true.git.run(*words)
        for derived in ("rolled", "ids", "ids.tail", "keys", "said", "HEAD"):
            (true.home / derived).unlink(missing_ok=True)
    with closing(lineage.open(tmp_path / "true")) as forged:
        assert forged.load(forged.resolve("model/m")).metrics["acc"].value == 0.93
        assert verify(forged).problems == []  # every signature is good
        found = verify(forged, noted=seen)
        assert [p.id for p in found.problems] == [seen]
        assert "the log has lost this event" in found.problems[0].what
        assert found.since is None


def test_what_came_after_is_told(tmp_path: Path, key: Path) -> None:
    """An id or its beginning; of a beginning it is said that it proves less."""
    with closing(history(tmp_path / "r", key, 0.5)) as registry:
        seen = newest(registry)
        registry.commit("model", "m", params={"x": 2})
        found = verify(registry, noted=seen)
        assert found.since
        assert found.since[2:] == (4, 1, 0)
        assert not any("digits were compared" in note for note in found.notes)
        short = verify(registry, noted=seen[:8])
        assert short.problems == []
        assert any("only 8 digits were compared" in note for note in short.notes)


def test_a_log_that_was_cut_is_told_from_another_registry(
    tmp_path: Path, key: Path
) -> None:
    """Git may still have what the log has lost, and then that is said."""
    with closing(history(tmp_path / "r", key, 0.5)) as registry:
        seen = newest(registry)
        registry.git.run("update-ref", "refs/heads/kept", EVENTS)
        registry.git.run("update-ref", EVENTS, f"{EVENTS}~1")
        found = since(registry, seen)
        assert isinstance(found, Problem)
        assert "git still has the event elsewhere" in found.what
        other = since(registry, "f" * 64)
        assert isinstance(other, Problem)
        assert "another registry" in other.what


def test_parents_that_git_was_told_prove_nothing(repo: Registry) -> None:
    """A graft that hangs the log below an event of another history is not followed."""
    made: list[Any] = []
    write(repo, [], made)
    write(repo, [0], made)
    write(repo, [], made)  # another beginning, noted by the auditor
    repo.git.run("update-ref", EVENTS, made[1][1])
    grafts = repo.git.common / "info" / "grafts"
    grafts.parent.mkdir(exist_ok=True)
    grafts.write_text(f"{made[0][1]} {made[2][1]}\n", encoding="utf-8")
    assert isinstance(since(repo, made[2][0]), Problem)
    assert isinstance(since(repo, made[0][0]), Since)


def test_an_event_that_names_another_than_git_has_is_found(repo: Registry) -> None:
    """Where git's parents and the SHA-256 in the event part, the chain is broken."""
    made: list[Any] = []
    write(repo, [], made)
    write(repo, [0], made)
    other = Event("note", TIME, repo.actor(), "other")
    blob = GitObject("blob", other.encoded)
    top = tree({"event.json": TreeEntry(BLOB, blob.oid)})
    stray = event_commit(other, top.oid, [])
    last = Event("note", TIME, repo.actor(), prev=(made[1][0],))
    end = GitObject("blob", last.encoded)
    above = tree({"event.json": TreeEntry(BLOB, end.oid)})
    tip = event_commit(last, above.oid, [stray.oid])
    repo.git.write([blob, top, stray, end, above, tip])
    repo.git.run("update-ref", EVENTS, tip.oid)
    found = since(repo, made[1][0])
    assert isinstance(found, Problem)
    assert "names others than git has before it" in found.what


def test_what_is_no_id_is_refused(repo: Registry) -> None:
    """Too short, not hexadecimal, or the beginning of several: nothing is guessed."""
    for wrong in ("", "abc", "HEAD", "A" * 8, "0" * 65):
        with pytest.raises(UsageError, match="is not the id of an event"):
            since(repo, wrong)


def test_a_beginning_of_several_ids_is_ambiguous(repo: Registry) -> None:
    """Which of two events was noted is not guessed; the error lists them."""
    made: list[Any] = []
    write(repo, [], made)
    known: dict[str, str] = {}
    for message in map(str, range(5000)):  # 4 digits: a few hundred are enough
        event = Event("note", TIME, repo.actor(), message, prev=(made[0][0],))
        if (other := known.setdefault(event.id[:4], message)) != message:
            break
    write(repo, [0], made, other)
    write(repo, [0], made, message)
    write(repo, [1, 2], made)
    repo.git.run("update-ref", EVENTS, made[-1][1])
    with pytest.raises(Ambiguous) as caught:
        since(repo, made[1][0][:4])
    assert sorted(caught.value.candidates) == sorted([made[1][0], made[2][0]])
    assert isinstance(since(repo, made[2][0]), Since)
