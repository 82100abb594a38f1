"""repair: from every copy that can be reached, and never with bytes that are wrong."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

import lineage
from lineage.erase import erase, plan_erasure
from lineage.errors import VerificationError
from lineage.repair import repair
from lineage.sharing import remotes
from lineage.sharing.push import push
from lineage.store import names
from lineage.store.pins import Pins
from lineage.transfer import push_payloads
from lineage.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage.registry import Registry

    Sound = Callable[[Registry], None]

TEXT = "the text of a corpus\n" * 9


@pytest.fixture
def made(repo: Registry) -> Registry:
    """Commit a folder and a config; the folder is then gone from the work tree."""
    folder = repo.root / "data"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / name).write_text(name + TEXT, encoding="utf-8")
    repo.commit("dataset", "d", folder, metrics={"x": 1}, params={"y": 2})
    repo.commit("config", "c", params={"x": 1})
    shutil.move(folder, repo.root / "moved")
    return repo


def flip(path: Path) -> None:
    """Flip a bit in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.chmod(0o644)
    path.write_bytes(data)


def pin_of(registry: Registry, name: str = "a") -> Path:
    entry = next(e for e in registry.files(_id(registry)) if e.path == name)
    return Pins(registry.payloads).pin(entry.md5)


def _id(registry: Registry) -> str:
    return registry.resolve("dataset/d")


def mend(registry: Registry, **chosen: list[Path]) -> list[str]:
    return repair(registry, verify(registry), **chosen)  # type: ignore[arg-type]


def test_from_the_place_it_was_committed_from(made: Registry, sound: Sound) -> None:
    """The user's own file, as long as it still has these bytes."""
    shutil.copytree(made.root / "moved", made.root / "data")
    flip(pin_of(made))
    (made.root / "data" / "b").write_text("b" + TEXT.upper(), encoding="utf-8")
    flip(pin_of(made, "b"))

    [told] = mend(made)
    assert told.endswith(f"from {made.root}/data/a")
    [problem] = verify(made).problems
    assert (problem.path, problem.what) == ("b", "does not have its recorded SHA-256")
    (made.root / "data" / "b").write_text("b" + TEXT, encoding="utf-8")
    assert len(mend(made)) == 1
    sound(made)


def test_from_the_dvc_remote(made: Registry, sound: Sound, tmp_path: Path) -> None:
    """Corrupt and missing objects come back; the damaged one lies in the trash."""
    config = made.root / ".dvc" / "config"
    url = f"    url = {tmp_path / 'remote'}\n"
    config.write_text(f"[core]\n    remote = r\n['remote \"r\"']\n{url}")
    push_payloads(made, None, [_id(made)])
    flip(pin_of(made))
    pins, oid = Pins(made.payloads), pin_of(made, "b")
    (pins.place(oid.parent.name + oid.name)).unlink()
    oid.unlink()

    told = mend(made)
    assert [line.rpartition(": ")[2] for line in told] == ["from the DVC remote"] * 2

    sound(made)
    [batch] = pins.trash()
    assert [name.endswith(".damaged") for name in batch.oids] == [True]


def test_the_remote_is_verified_and_repaired(made: Registry, tmp_path: Path) -> None:
    """Every byte there is read; what is whole here is sent again."""
    config = made.root / ".dvc" / "config"
    url = f"    url = {tmp_path / 'remote'}\n"
    config.write_text(f"[core]\n    remote = r\n['remote \"r\"']\n{url}")
    push_payloads(made, None, [_id(made)])
    pin = pin_of(made)
    flip(tmp_path / "remote" / "files" / "md5" / pin.parent.name / pin.name)
    assert verify(made).problems == []
    found = verify(made, remote="")
    [problem] = found.problems
    assert problem.what.startswith("does not have its recorded SHA-256 at")

    assert repair(made, found, remote="") == ["objects sent to the DVC remote again: 1"]
    assert verify(made, remote="").problems == []


def test_the_log_at_a_git_remote_is_verified(made: Registry, tmp_path: Path) -> None:
    """One that lost what it had is a problem; so are erased bytes that are there."""
    url = f"    url = {tmp_path / 'far'}\n"
    (made.root / ".dvc" / "config").write_text(f"['remote \"far\"']\n{url}")
    bare = tmp_path / "bare.git"
    subprocess.run(["git", "init", "-q", "--bare", str(bare)], check=True)
    remotes.add(made, "origin", str(bare), dvc="far")
    push(made, remotes.find(made))
    push_payloads(made, "far", [_id(made)])
    assert verify(made, remote="origin").problems == []

    plan = plan_erasure(made, _id(made))
    erase(made, plan, reason="r", authority="a")
    back = ["git", "update-ref", names.EVENTS, f"{names.EVENTS}~1"]
    subprocess.run(back, cwd=bare, check=True)
    lost, *there = [problem.what for problem in verify(made, remote="origin").problems]
    assert "no longer has the event" in lost
    assert len(there) == len(plan.objects)
    assert all("was erased and is still at" in what for what in there)


def test_from_another_clone(made: Registry, sound: Sound, tmp_path: Path) -> None:
    """Files from its cache, git objects from its repository."""
    subprocess.run(["cp", "-a", str(made.root), str(tmp_path / "clone")], check=True)
    flip(pin_of(made))
    tip = str(made.events_log.tip())
    lost = [f"{tip}:event.json", tip, f"{tip}:view"]
    for oid in [made.git.run("rev-parse", name).decode().strip() for name in lost]:
        (made.git.common / "objects" / oid[:2] / oid[2:]).unlink()
    with closing(lineage.open(made.root)) as again:
        assert mend(again) == []  # only another clone has them
        assert len(verify(again).problems) > 0
        done = mend(again, sources=[tmp_path / "clone"])
        assert "git objects put back: 3" in done or "git objects put back: 1" in done
        sound(again)


@pytest.mark.parametrize("packed", [False, True])
def test_git_objects_are_made_again(
    made: Registry, sound: Sound, *, packed: bool
) -> None:
    """Whatever follows from a manifest and a file list needs no copy."""
    git = made.git_oid(_id(made))
    names = [git, f"{git}^{{tree}}", f"{git}:metrics.json", f"{git}:dataset.dvc"]
    oids = [made.git.run("rev-parse", name).decode().strip() for name in names]
    objects = made.git.common / "objects"
    if packed:
        subprocess.run(["cp", "-a", made.root, made.root.parent / "copy"], check=True)
        for words in (["gc", "-q"], ["commit-graph", "write", "--reachable"]):
            subprocess.run(["git", "-C", str(made.root), *words], check=True)
        [pack] = objects.glob("pack/*.pack")
        flip(pack)
        flip(objects / "info" / "commit-graph")
    else:
        for oid in oids:
            flip(objects / oid[:2] / oid[2:])
    with closing(lineage.open(made.root)) as again:
        assert verify(again).problems
        told = mend(again, sources=[made.root.parent / "copy"] if packed else [])
        assert told[0].startswith("files of git moved to .git/lineage/trash: ")
        sound(again)
        assert list((again.home / "trash").glob("*/*"))


def test_a_commit_graph_that_git_dies_of(made: Registry, sound: Sound) -> None:
    """Git believes its table of where commits begin; it is made anew without it."""
    write = ["git", "-C", str(made.root), "commit-graph", "write", "--reachable"]
    subprocess.run(write, check=True)
    path = made.git.common / "objects" / "info" / "commit-graph"
    data = bytearray(path.read_bytes())
    entry = data.index(b"OIDF", 8)
    table = int.from_bytes(data[entry + 4 : entry + 12], "big")
    for place in range(table, table + 255 * 4, 4):  # the last says how many there are
        data[place] ^= 4
    path.chmod(0o644)
    path.write_bytes(data)
    problems = verify(made).problems

    assert any("commit-graph" in problem.what for problem in problems)
    assert len(mend(made)) == 1
    sound(made)


def test_a_damaged_list_for_dvc_is_made_again(made: Registry, sound: Sound) -> None:
    """It follows from the file list."""
    [path] = [
        path
        for path in made.payloads.cache.glob("lineage/*-*/*/*.dir")
        if b'"a"' in path.read_bytes()
    ]
    flip(path)

    [told] = mend(made)
    assert told.endswith(".dir: made again from the file list")
    sound(made)


def test_a_log_that_was_cut_is_noticed_and_put_back(
    made: Registry, sound: Sound
) -> None:
    """Nothing is written on top of it meanwhile."""
    tip, before = str(made.events_log.tip()), f"{made.events_log.tip()}~1"
    cut = ["git", "-C", str(made.root), "update-ref", "refs/lineage/events", before]
    subprocess.run(cut, check=True)
    with closing(lineage.open(made.root)) as again:
        assert again.branches().keys() == {"dataset/d"}
        [problem] = verify(again).problems
        assert problem.what == f"the log has lost the event {tip}, which it had"
        with pytest.raises(VerificationError, match="the log has lost the event"):
            again.commit("config", "c", params={"x": 2})

        assert mend(again) == [f"the log goes on to the event {tip} again"]
        assert again.branches().keys() == {"dataset/d", "config/c"}
        sound(again)


def test_a_damaged_pin_that_nobody_needs_goes_to_the_trash(
    made: Registry, sound: Sound
) -> None:
    """A later commit of the same bytes would have trusted it."""
    (made.root / "file").write_text("never recorded", encoding="utf-8")
    _, [entry] = made.payloads.add(made.root / "file")
    flip(Pins(made.payloads).pin(entry.md5))

    [told] = mend(made)
    assert told == f"{entry.md5}: moved to the trash, as no commit needs it"
    sound(made)


def test_what_cannot_be_repaired_is_still_named(made: Registry) -> None:
    """Without a copy the damage stays, and so does the damaged object."""
    flip(pin_of(made))
    damaged = pin_of(made).read_bytes()

    assert mend(made) == []
    [problem] = verify(made).problems
    assert problem.path == "a"
    assert pin_of(made).read_bytes() == damaged
