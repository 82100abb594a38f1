"""Statements about commits: noted in a derived file, in one order in every clone."""

from __future__ import annotations

import itertools
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

import pytest

import lineage
from lineage import measured
from lineage.events import about
from lineage.indexing import rebuild_index
from lineage.sharing import remotes
from lineage.sharing.clone import clone
from lineage.sharing.pull import pull
from lineage.sharing.push import push
from lineage.statements import Statements, statements, subjects
from lineage.store.attested import METRICS
from lineage.store.git import GitRepository
from lineage.store.metric import Metric
from lineage.store.order import in_order
from lineage.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lineage import Registry

WRONG = "the list of statements (.git/lineage/said) was wrong: made again"


def values(registry: Registry, id_: str) -> dict[str, float]:
    return {n: m.value for n, m in measured.metrics(registry, id_).items()}


def say(registry: Registry, id_: str, **given: float) -> str:
    metrics = {name: Metric(value) for name, value in given.items()}
    return measured.attest(registry, id_, metrics).event


@pytest.fixture
def model(repo: Registry) -> str:
    made = repo.commit("model", "m", params={"x": 1}, metrics={"loss": 2.0})
    return made.id


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Set the clock that events are dated by."""

    def set_(time: str) -> None:
        moment = f"2026-11-03T{time}.000000Z"
        monkeypatch.setattr("lineage.store.events.stamp", lambda _: moment)

    return set_


def test_the_newest_attestation_of_a_name_holds(repo: Registry, model: str) -> None:
    """Names come from the manifest and from later events; of two the newer holds."""
    assert values(repo, model) == {"loss": 2.0}
    first = say(repo, model, accuracy=0.5, f1=0.4)
    assert values(repo, model) == {"loss": 2.0, "accuracy": 0.5, "f1": 0.4}
    second = say(repo, model, accuracy=0.6)
    assert values(repo, model) == {"loss": 2.0, "accuracy": 0.6, "f1": 0.4}
    events = {n: a.event.id for n, a in measured.attested(repo, model).items()}
    assert events == {"accuracy": second, "f1": first}


def test_what_the_manifest_says_holds(repo: Registry, model: str) -> None:
    """An event by another tool about a recorded name changes nothing."""
    data = {"metrics": {"loss": {"value": 1}, "accuracy": {"value": 0.5}}}
    repo.attest(METRICS, subject=model, data=data)
    assert values(repo, model) == {"loss": 2.0, "accuracy": 0.5}


@pytest.mark.parametrize(
    "said",
    [None, [], "x", {"a": 1}, {"a": {}}, {"a": {"value": "1"}}, {"a": {"value": True}}],
)
def test_a_malformed_attestation_says_nothing(
    repo: Registry, model: str, said: Any
) -> None:
    """Of an event that another tool wrote wrongly, what can be read is read."""
    repo.attest(METRICS, subject=model, data={"metrics": said})
    assert values(repo, model) == {"loss": 2.0}
    if isinstance(said, dict):
        whole = {**said, "b": {"value": 3, "unit": "s"}}
        repo.attest(METRICS, subject=model, data={"metrics": whole})
        assert values(repo, model) == {"loss": 2.0, "b": 3}


def test_the_list_of_statements_is_derived(repo: Registry, model: str) -> None:
    """Damaged, missing, cut short or of an older event, it is made again."""
    say(repo, model, accuracy=0.5)
    assert values(repo, model)["accuracy"] == 0.5
    path = repo.home / Statements.FILE
    old = path.read_bytes()
    say(repo, model, accuracy=0.6)
    assert values(repo, model)["accuracy"] == 0.6
    now = path.read_bytes()
    for damage in (old, b"", b"\0" * 9, now[:-2], now.replace(b"metrics", b"metricz")):
        path.write_bytes(damage)
        with closing(lineage.open(repo.root)) as again:
            assert values(again, model)["accuracy"] == 0.6
    path.unlink()
    (repo.home / f".{path.name}.killed").write_bytes(now[:9])  # a writer's, half done
    with closing(lineage.open(repo.root)) as again:
        assert values(again, model)["accuracy"] == 0.6


def test_verify_puts_a_wrong_list_right(repo: Registry, model: str) -> None:
    """A list that lacks an event and looks whole is found by reading the log."""
    say(repo, model, accuracy=0.5)
    values(repo, model)
    path = repo.home / Statements.FILE
    whole = path.read_bytes()
    assert WRONG not in verify(repo).notes
    _forge(path, repo)
    with closing(lineage.open(repo.root)) as again:
        assert values(again, model) == {"loss": 2.0}  # it was believed
        assert WRONG in verify(again).notes
    with closing(lineage.open(repo.root)) as again:
        assert values(again, model)["accuracy"] == 0.5
    assert path.read_bytes() == whole


def _forge(path: Path, registry: Registry) -> None:
    from lineage.noted import _write

    forged = Statements(tip=registry.events_log.tip() or "")
    _write(registry, forged)
    assert path.exists()


def test_the_past_is_as_it_was(repo: Registry, model: str) -> None:
    """With --at, what was attested later is not known, and nothing is attested."""
    events = [say(repo, model, accuracy=n / 10) for n in range(3)]
    for number, event in enumerate(events):
        with closing(lineage.open(repo.root, at=event)) as then:
            assert values(then, model)["accuracy"] == number / 10
    first = list(repo.events())[-2][0]  # the commit
    with closing(lineage.open(repo.root, at=first)) as then:
        assert values(then, model) == {"loss": 2.0}
        assert subjects(then, METRICS) == {}
        with pytest.raises(lineage.errors.NotAllowed, match="as of event"):
            say(then, model, accuracy=1)


def test_a_clock_that_went_back_changes_no_order(
    repo: Registry, model: str, clock: Callable[[str], None]
) -> None:
    """On one machine what was said last holds, whatever its clock said."""
    for number, time in enumerate(("12:00:00", "11:00:00", "11:30:00", "10:00:00")):
        clock(time)
        say(repo, model, accuracy=number)
        assert values(repo, model)["accuracy"] == number
    with closing(lineage.open(repo.root)) as again:
        assert values(again, model)["accuracy"] == 3
        order = [e.event.time[11:13] for e in statements(again, model, METRICS)]
        assert order == ["12", "11", "11", "10"]


def test_statements_of_several_types_are_in_one_order(
    repo: Registry, model: str, clock: Callable[[str], None]
) -> None:
    """Types that are asked for together come as they were said."""
    said = ["untaint", "taint", "untaint", "taint", "evidence"]
    for number, type_ in enumerate(said):
        clock(f"{12 - number:02}:00:00")
        repo.attest(type_, subject=model)
    for types in itertools.permutations(("taint", "untaint", "evidence")):
        found = [logged.event.type for logged in statements(repo, model, *types)]
        assert found == said
    assert [e.event.type for e in statements(repo, model, "taint")] == ["taint"] * 2


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Registry, Registry]]:
    """Two clones that share a bare repository, and a commit."""
    with ExitStack() as stack:
        ours = stack.enter_context(lineage.init(tmp_path / "ours"))
        hub = tmp_path / "hub.git"
        ours.git.run("init", "--quiet", "--bare", str(hub))
        ours.commit("model", "m", params={"x": 1})
        remotes.add(ours, "origin", str(hub))
        push(ours, remotes.find(ours))
        theirs = stack.enter_context(clone(str(hub), tmp_path / "theirs"))
        yield ours, theirs


def exchange(ours: Registry, theirs: Registry) -> None:
    """Let both know everything, by a meeting of logs on one side."""
    push(ours, remotes.find(ours))
    pull(theirs, remotes.find(theirs))
    push(theirs, remotes.find(theirs))
    pull(ours, remotes.find(ours))


@pytest.mark.parametrize("first", [0, 1])
def test_clones_agree_on_what_was_said_apart(
    pair: tuple[Registry, Registry], first: int, clock: Callable[[str], None]
) -> None:
    """Of two attestations that did not know each other the later holds in both."""
    ours, theirs = pair
    [id_] = [record.id for record in ours.ids]
    for registry in pair:  # each notes its own before it hears of the other
        clock(f"12:00:0{(pair.index(registry) + first) % 2}")
        say(registry, id_, accuracy=pair.index(registry))
        values(registry, id_)
    exchange(ours, theirs)
    wanted = 1 - first  # the later one's
    for registry in pair:
        assert values(registry, id_) == {"accuracy": wanted}
        assert WRONG not in verify(registry).notes
        (registry.home / Statements.FILE).unlink()
        with closing(lineage.open(registry.root)) as again:
            assert values(again, id_) == {"accuracy": wanted}
    orders = [[e.git for e in statements(one, id_, METRICS)] for one in pair]
    assert orders[0] == orders[1]


def test_a_later_word_holds_over_both(
    pair: tuple[Registry, Registry], clock: Callable[[str], None]
) -> None:
    """Said with knowledge of both, it holds though the clock is behind both."""
    ours, theirs = pair
    [id_] = [record.id for record in ours.ids]
    clock("12:00:00")
    say(ours, id_, accuracy=1)
    clock("11:00:00")
    say(theirs, id_, accuracy=2)
    exchange(ours, theirs)
    assert values(theirs, id_) == {"accuracy": 1}
    clock("10:00:00")
    say(theirs, id_, accuracy=3)
    exchange(ours, theirs)
    for registry in pair:
        assert values(registry, id_) == {"accuracy": 3}
        order = [e.event.time[11:13] for e in statements(registry, id_, METRICS)]
        assert order == ["11", "12", "10"]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commands of git that are run from now on."""
    found: list[str] = []
    run = GitRepository.run

    def noting(git: GitRepository, *words: str, **more: Any) -> bytes:
        found.append(words[0])
        return run(git, *words, **more)

    monkeypatch.setattr(GitRepository, "run", noting)
    return found


def test_git_is_asked_as_often_for_many_events_as_for_few(
    pair: tuple[Registry, Registry],
    clock: Callable[[str], None],
    asked: list[str],
) -> None:
    """Whatever clocks said; the order is that of asking for each event alone."""
    ours, theirs = pair
    [id_] = [record.id for record in ours.ids]
    for turn, registry in itertools.product(range(3), pair):
        for number in range(3):
            clock(f"{(7 * number + 5 * turn) % 13:02}:00:00")
            say(registry, id_, accuracy=turn + number, **{f"m{number}": 1.0})
        if turn == 1 and registry is theirs:
            exchange(ours, theirs)
    exchange(ours, theirs)
    events = [e for e in ours.events_log.iterate() if e.event.type == METRICS]
    left, wanted = {event.git: event for event in events}, []
    while left:
        words = ("--independent", *left) if len(left) > 1 else tuple(left)
        ends = ours.git.run("merge-base", *words, *words[-1:]).decode().split()
        last = max(ends, key=lambda oid: (left[oid].event.time, left[oid].event.id))
        wanted.append(left.pop(last))
    asked.clear()
    assert in_order(ours.git, events, heard=False) == wanted[::-1]
    assert asked == ["merge-base", "rev-list"]


def test_what_speaks_of_a_commit_is_the_same_with_and_without_the_index(
    repo: Registry, model: str, clock: Callable[[str], None], asked: list[str]
) -> None:
    """The index spares a walk through the log where it is current, and only there."""
    for number, time in enumerate(("12:00:00", "11:00:00", "11:30:00")):
        clock(time)
        say(repo, model, accuracy=number)
        if number == 1:
            rebuild_index(repo)
    wanted = [e.git for e in about(repo, model)]
    assert len(wanted) == 4
    asked.clear()
    assert [e.git for e in about(repo, model, indexed=True)] == wanted
    assert "rev-list" in asked
    rebuild_index(repo)
    asked.clear()
    assert [e.git for e in about(repo, model, indexed=True)] == wanted
    assert asked.count("rev-list") == 1  # for the clock that went back
