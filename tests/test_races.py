"""Many processes at once: nothing lost, nothing kept twice, no rubbish, no error."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import lineage
from lineage import Edge
from lineage.erase import erase, plan_erasure
from lineage.errors import Conflict, NotAllowed
from lineage.gc import gc, restore
from lineage.history import walk
from lineage.names_ops import delete_branch, set_branch, set_tag
from lineage.store.hashes import HashCache
from lineage.store.payloads import Payloads
from lineage.undo import undo

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage import Registry

    Sound = Callable[[Registry], None]
    Work = Callable[[Path, int], list[str]]

ROUNDS = int(os.environ.get("RACE_ROUNDS", "1"))
COMMITS = 3
MIXED = 2 * ROUNDS


# what the processes do: `python test_races.py WORK ROOT NUMBER`


def one_branch(root: Path, number: int) -> list[str]:
    """Commit to the branch that all the others commit to."""
    return _commits(root, number, branch="shared")


def many_branches(root: Path, number: int) -> list[str]:
    """Commit to a branch of one's own."""
    return _commits(root, number, branch=f"own/{number}")


def _commits(root: Path, number: int, branch: str) -> list[str]:
    path = root.parent / f"{number}.txt"
    made = []
    with closing(lineage.open(root)) as registry:
        for i in range(COMMITS):
            path.write_text(f"{number} {i}", encoding="utf-8")
            done = registry.commit("dataset", f"d{number}", path, branch=branch)
            made.append(done.id)
    return made


def same_content(root: Path, _: int) -> list[str]:
    """Commit what all the others commit, each through a registry just opened."""
    made = []
    for path in sorted(root.parent.glob("same*")):
        with closing(lineage.open(root)) as registry:
            made.append(registry.commit("dataset", path.name, path).id)
    return made


def everything(root: Path, number: int) -> list[str]:
    """Use all that writes, each on names of one's own."""
    path, made = root.parent / f"{number}.txt", []
    with closing(lineage.open(root)) as registry:
        for i in range(MIXED):
            path.write_text(f"{number} {i}", encoding="utf-8")
            done = registry.commit("dataset", "d", path, branch=f"own/{number}")
            made.append(done.id)
            set_tag(registry, f"{number}.{i}", done.id)
            set_branch(registry, f"side/{number}", done.id, force=True)
            registry.attest("note", subject=done.id, message=f"{number} {i}")
            delete_branch(registry, f"side/{number}")
            gone = next(
                event_id
                for event_id, event in registry.events()
                if [change.ref for change in event.refs] == [f"heads/side/{number}"]
            )
            undo(registry, gone)
    return made


def collect(root: Path, _: int) -> list[str]:
    """Free what nothing needs, again and again, and bring it back."""
    while not (root.parent / "over").exists():
        with closing(lineage.open(root)) as registry:
            gc(registry, grace=timedelta())
            restore(registry)
    return []


def look_back(root: Path, _: int) -> list[str]:
    """Read the registry as it was, at one event after the other."""
    while not (root.parent / "over").exists():
        with closing(lineage.open(root)) as registry:
            events = [id_ for id_, _ in registry.events()]
        for id_ in events[:: max(1, len(events) // 8)]:
            with closing(lineage.open(root, at=id_)) as then:
                known = {record.id for record in then.ids}
                assert set(then.branches().values()) <= known
    return []


def secret(root: Path, number: int) -> list[str]:
    """Commit the same bytes again and again, until somebody has erased them."""
    path = root.parent / f"{number}.txt"
    path.write_text("secret", encoding="utf-8")
    made = []
    with closing(lineage.open(root)) as registry, suppress(NotAllowed):
        for i in range(50):
            branch = f"{number}.{i}"
            made.append(registry.commit("dataset", branch, path, branch=branch).id)
    return made


def erase_secret(root: Path, _: int) -> list[str]:
    """Erase them, as soon as there are any."""
    with closing(lineage.open(root)) as registry:
        while not registry.branches():
            pass
        while True:
            plan = plan_erasure(
                registry, next(iter(registry.branches())), together=True
            )
            with suppress(Conflict):
                return [erase(registry, plan, reason="wish", authority="Ada").event]


def read(root: Path, _: int) -> list[str]:
    """Read everything there is, until somebody says that it is over."""
    rounds = 0
    while rounds == 0 or not (root.parent / "over").exists():
        with closing(lineage.open(root)) as registry:
            tips = registry.branches()
            seen = [entry.id for entry in walk(registry, tips.values())]
            assert set(tips.values()) <= set(seen)
            assert len(seen) == len(set(seen))
            for event in dict(registry.events()).values():
                if event.subject:
                    registry.load(event.subject)
        rounds += 1
    return [str(rounds)]


def tidy(root: Path, _: int) -> list[str]:
    """Pack refs and objects, as `git gc --auto` may do at any time.

    It fails where a ref moves under it, and says so: that is git's to decide.
    """
    while not (root.parent / "over").exists():
        for command in (["pack-refs", "--all"], ["gc", "--quiet"]):
            subprocess.run(["git", "-C", root, *command], check=False)
    return []


WORK = {
    f.__name__: f
    for f in (
        *(one_branch, many_branches, same_content, read, tidy),
        *(everything, collect, look_back, secret, erase_secret),
    )
}


# the test's side


def race(root: Path, *works: Work, beside: tuple[Work, ...] = ()) -> list[list[str]]:
    """Do all of `works` at once, and `beside` for as long; what each of them made."""
    run = [sys.executable, "-P", __file__]
    with ExitStack() as stack:
        crowd = [
            stack.enter_context(
                subprocess.Popen(
                    [*run, work.__name__, str(root), str(number)],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                )
            )
            for number, work in enumerate([*works, *beside])
        ]  # fmt: skip
        for process in crowd:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        for process in crowd:
            assert process.stdin
            process.stdin.close()
        said = []
        for done, process in enumerate(crowd, 1):
            assert process.stdout
            said.append(process.stdout.read())
            if done == len(works):
                (root.parent / "over").touch()
    assert [process.returncode for process in crowd] == [0] * len(crowd)
    return [json.loads(words) for words in said]


def recorded_in_order(registry: Registry) -> None:
    """Ids are numbered as the events came, and parents come before children."""
    events = [event for _, event in registry.events()]
    in_order = [id_ for event in reversed(events) for id_, _ in event.commits]
    numbers = {record.id: record.number for record in registry.ids}
    assert [numbers[id_] for id_ in in_order] == list(range(len(in_order)))
    for id_ in in_order:
        assert all(numbers[p] < numbers[id_] for p in registry.load(id_).ids())


@pytest.mark.parametrize("work", [one_branch, many_branches])
def test_eight_processes_commit_while_others_read_and_tidy(
    work: Work, repo: Registry, sound: Sound
) -> None:
    """Every acknowledged commit is on its branch, once, in the order of the events."""
    for _ in range(ROUNDS):
        known = len(repo.ids)
        made = race(repo.root, *[work] * 8, beside=(read, tidy))
        acknowledged = [id_ for ids in made[:8] for id_ in ids]

        assert len(set(acknowledged)) == 8 * COMMITS
        on_branches = {entry.id for entry in walk(repo, repo.branches().values())}
        assert set(acknowledged) <= on_branches
        assert len(repo.ids) - known == 8 * COMMITS
        (repo.root.parent / "over").unlink()
    assert len(repo.branches()) == (1 if work is one_branch else 8)
    recorded_in_order(repo)
    sound(repo)


def test_eight_processes_commit_the_same_content_at_once(
    repo: Registry, tmp_path: Path, sound: Sound
) -> None:
    """One commit and one copy of the bytes come of it, and one set of pins."""
    for i in range(COMMITS * ROUNDS):
        (tmp_path / f"same{i}").write_text(f"text {i}", encoding="utf-8")
    made = race(repo.root, *[same_content] * 8)

    assert made == [made[0]] * 8
    assert {record.id for record in repo.ids} == set(made[0])
    events = Counter(event.subject for _, event in repo.events())
    assert all(events[id_] == 8 for id_ in made[0])
    assert len(list(repo.payloads.cache.glob("lineage/*-*"))) == 1
    sound(repo)


def test_sixteen_processes_do_everything_at_once(repo: Registry, sound: Sound) -> None:
    """Nothing is lost or kept twice, while gc runs and the past is read."""
    beside = (collect, collect, look_back)
    made = race(repo.root, *[everything] * 16, beside=beside)
    by_branch = {f"own/{number}": ids for number, ids in enumerate(made[:16])}

    for branch, ids in by_branch.items():
        assert [entry.id for entry in walk(repo, [repo.resolve(branch)])] == ids[::-1]
    tags = {
        f"{n}.{i}": id_ for n, ids in enumerate(made[:16]) for i, id_ in enumerate(ids)
    }
    assert repo.tags() == tags
    sides = {f"side/{number}": ids[-1] for number, ids in enumerate(made[:16])}
    assert repo.branches() == {b: ids[-1] for b, ids in by_branch.items()} | sides
    types = Counter(event.type for _, event in repo.events())
    assert types["note"] == types["undo"] == 16 * MIXED
    for id_ in tags.values():
        [entry] = repo.files(id_)
        assert repo.payloads.check(entry) == ""
    recorded_in_order(repo)
    sound(repo)


def test_bytes_are_erased_while_others_commit_them(
    repo: Registry, sound: Sound
) -> None:
    """Once they are erased nobody has them, and the tombstone names each commit."""
    made = race(repo.root, *[secret] * 3, erase_secret)
    acknowledged = {id_ for ids in made[:3] for id_ in ids}

    [event] = [e for _, e in repo.events() if e.type == "erase"]
    assert acknowledged == set(event.data["commits"]) == {r.id for r in repo.ids}
    assert list(repo.payloads.cache.rglob("*/5e/be2294ecd0e0f08eab7690d2a6ee69")) == []
    sound(repo)


def test_two_clones_that_go_on_apart_agree(
    repo: Registry, tmp_path: Path, sound: Sound
) -> None:
    """The same content on the same tip is the same id and git commit in both."""
    first = repo.commit("config", "c", params={"x": 1})
    repo.commit("model", "m", params={"x": 1}, edges=[Edge("configured_by", first.id)])
    refs = "refs/lineage/*:refs/lineage/*"
    made = []
    for name in ("Ada", "Zoë"):
        clone = ["git", "clone", "-q", str(repo.root), str(tmp_path / name)]
        subprocess.run(clone, check=True)
        subprocess.run(
            ["git", "fetch", "-q", "origin", refs], cwd=clone[-1], check=True
        )
        with closing(lineage.open(clone[-1])) as registry:
            registry.git.run("config", "user.name", name)
            source = tmp_path / f"of {name}"
            source.write_text("text", encoding="utf-8")
            data = registry.commit("dataset", "d", source.rename(tmp_path / "d"))
            revised = registry.commit("config", "c", params={"x": 2}, message=name)
            edges = [Edge("trained_on", data.id), Edge("configured_by", revised.id)]
            trained = registry.commit("model", "m", params={"x": 1}, edges=edges)
            made.append([(one.id, one.git) for one in (data, revised, trained)])
            assert registry.load(trained.id).ids("revises") == (
                repo.resolve("model/m"),
            )
            sound(registry)

    assert made[0] == made[1]
    tips = {repo.git.run("ls-remote", str(tmp_path / n)) for n in ("Ada", "Zoë")}
    assert len(tips) == 2  # who and when are in their logs


def test_eight_threads_heal_what_dvc_gc_took(repo: Registry, sound: Sound) -> None:
    """Readers that meet at a missing cache link make it once, and leave no rubbish."""
    (repo.root / "text").write_text("text", encoding="utf-8")
    made = repo.commit("dataset", "text", "text")
    [entry] = repo.files(made.id)
    hashes = HashCache(repo.home / "hashes.sqlite")
    stores = [Payloads(repo.payloads.cache, repo.uuid(), hashes) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(100 * ROUNDS):
            [link] = repo.payloads.cache.glob("files/md5/*/*")
            link.unlink()
            list(pool.map(lambda store: store.path(entry.md5), stores))
    for store in stores:
        store.close()
    sound(repo)


if __name__ == "__main__":
    print("ready", flush=True)  # noqa: T201
    sys.stdin.read()
    name, where, nth = sys.argv[1:]
    print(json.dumps(WORK[name](Path(where), int(nth))))  # noqa: T201
