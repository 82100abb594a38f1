"""Transfers beyond the remotes' kinds: refusals, checks, fetching on demand, kills."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from lineage.errors import LineageError, NotFound, StoreError, UsageError
from lineage.needed import Needed, absent
from lineage.store.files import dvc_list
from lineage.transfer import fetch_payloads, push_payloads, remove, send
from lineage.verify import verify
from lineage.verify.remote import remote_problems
from tests.transfers import WORK

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage.registry import Registry
    from tests.conftest import Run

    Sound = Callable[[Registry], None]


def configure(registry: Registry, settings: str) -> None:
    text = f"[core]\n    remote = r\n['remote \"r\"']\n    {settings}\n"
    (registry.root / ".dvc" / "config").write_text(text, encoding="utf-8")


@pytest.fixture
def id_(repo: Registry, tmp_path: Path) -> str:
    """Commit a folder of three files; the remote is a folder."""
    configure(repo, f"url = {tmp_path / 'there'}")
    (repo.root / "data").mkdir()
    for name in "abc":
        (repo.root / "data" / name).write_text(f"text of {name}", encoding="utf-8")
    return repo.commit("dataset", "d", "data").id


def there(repo: Registry, name: str) -> Path:
    """Where the remote keeps an object."""
    [entry] = [e for e in repo.files(repo.resolve("dataset/d")) if e.path == name]
    place = repo.root.parent / "there" / "files" / "md5"
    return place / entry.md5[:2] / entry.md5[2:]


# choosing a remote


@pytest.mark.parametrize(
    ("settings", "kind", "says"),
    [
        (
            "url = s3://b/p\n    version_aware = true",
            UsageError,
            "version_aware = true",
        ),
        ("url = s3://b/p\n    worktree = true", UsageError, "worktree = true"),
        ("url = gs://b/p", StoreError, "needs the package dvc-gs"),
        ("url = http://127.0.0.1:9/p", StoreError, "cannot be read"),
    ],
)
def test_a_remote_that_cannot_be_used_is_refused(
    settings: str, kind: type[LineageError], says: str, repo: Registry, id_: str
) -> None:
    """Before anything moves, in one sentence, with what to do about it."""
    configure(repo, settings)
    with pytest.raises(kind, match=says) as refused:
        push_payloads(repo, None, [id_])
    assert refused.value.hint
    assert "\n" not in str(refused.value)


def test_a_remote_is_taken_by_name_or_by_default(repo: Registry, id_: str) -> None:
    """One that is not there is named, and none at all is told how to be made."""
    assert push_payloads(repo, "R", [id_]).objects == 4
    with pytest.raises(NotFound, match="no DVC remote other"):
        push_payloads(repo, "other", [id_])
    config = repo.root / ".dvc" / "config"
    config.write_text(config.read_text().replace("remote = r", ""), encoding="utf-8")
    with pytest.raises(UsageError, match="none of the DVC remotes is the default"):
        push_payloads(repo, None, [id_])
    config.write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match="no DVC remote is configured") as refused:
        push_payloads(repo, None, [id_])
    assert "dvc remote add -d" in refused.value.hint


# checking and mending what is there


def test_the_remote_is_checked_and_mended(repo: Registry, id_: str) -> None:
    """A listing finds what is missing or short, a deep check also a flipped bit."""
    push_payloads(repo, None, [id_])
    wanted = list(Needed.by(repo, [id_]).files.values())
    assert list(remote_problems(repo, None, wanted, deep=True)) == []
    there(repo, "a").unlink()
    for name, text in (("b", "short"), ("c", "text of C")):
        there(repo, name).chmod(0o644)
        there(repo, name).write_text(text, encoding="utf-8")

    def problems(*, deep: bool) -> dict[str, str]:
        found = remote_problems(repo, None, wanted, deep=deep)
        return {problem.path: problem.what for problem in found}

    shallow = {
        "a": "is missing at the DVC remote r",
        "b": "is 5 bytes long instead of 9 at the DVC remote r",
    }
    flipped = {"c": "does not have its recorded SHA-256 at the DVC remote r"}
    assert problems(deep=False) == shallow
    assert problems(deep=True) == shallow | flipped
    assert send(repo, None, wanted).objects == 3
    assert problems(deep=True) == {}


def test_what_is_removed_from_the_remote_is_gone(repo: Registry, id_: str) -> None:
    """Objects that are not there are no error, and the others stay."""
    push_payloads(repo, None, [id_])
    entries = repo.files(id_)
    remove(repo, None, [entries[0].md5, dvc_list(entries).md5, "0" * 32])

    left = {
        path.parent.name + path.name for path in there(repo, "a").parents[1].glob("*/*")
    }
    assert left == {entry.md5 for entry in entries[1:]}


# what is not here


def test_get_fetches_what_is_not_here(repo: Registry, id_: str, run: Run) -> None:
    """`lineage get` says so, and needs the remote only where something is lacking.

    It is the one that a remote of the registry names, if DVC has no default.
    """
    push_payloads(repo, None, [id_])
    config = repo.root / ".dvc" / "config"
    config.write_text(config.read_text("utf-8").replace("remote = r\n", ""))
    repo.settings.set("remote.hub.dvc", "r")
    repo.payloads.path(repo.files(id_)[0].md5)
    shutil.rmtree(repo.payloads.cache)
    assert len(absent(repo, [id_])) == 3
    first = run("get", "dataset/d", "out")
    shutil.rmtree(repo.root.parent / "there")
    second = run("get", "dataset/d", "again")

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "fetched 27 B from the DVC remote" in first.stderr
    assert "fetched" not in second.stderr
    assert (repo.root / "out" / "b").read_text() == "text of b"


def test_what_was_left_at_the_remote_is_not_lost(
    repo: Registry, id_: str, run: Run, tmp_path: Path
) -> None:
    """`verify` counts it and knows it from what came or was made here, and is lost."""
    (repo.root / "data" / "a").write_text("another", encoding="utf-8")
    repo.commit("dataset", "d", "data")
    subprocess.run(["git", "init", "-q", "--bare", tmp_path / "git"], check=True)
    assert run("remote", "add", "origin", tmp_path / "git").exit_code == 0
    assert run("push", "--all-payloads").exit_code == 0
    clone, place = tmp_path / "clone", there(repo, "b").parents[3]
    assert run("clone", tmp_path / "git", clone, "--no-payloads").exit_code == 0
    shutil.copy(repo.root / ".dvc" / "config", clone / ".dvc" / "config")
    os.chdir(clone)
    partial = run("verify")
    assert (partial.exit_code, place.name) == (0, "there")
    assert "objects that were left at the remote: 6" in partial.stderr
    assert "3 files, 27 B, not here" in run("show", id_).stdout
    (clone / "own").write_text("made here", encoding="utf-8")
    shutil.copytree(repo.root / "data", clone / "data")
    assert run("commit", "dataset", "own", "--name", "own").exit_code == 0
    assert run("commit", "dataset", "data", "--name", "d").exit_code == 0  # no news
    assert "left at the remote: 2" in run("verify").stderr
    assert "3 files, 27 B, 1 not here" in run("show", id_).stdout
    shutil.rmtree(clone / ".dvc" / "cache")
    lost = run("verify")
    assert (lost.exit_code, lost.stdout.count("is missing")) == (3, 5)
    assert "left at the remote: 2" in lost.stderr
    assert run("get", id_, "old").exit_code == 0
    assert "left" not in run("verify").stderr
    assert "own of" in run("pull").stderr  # it was never pushed
    assert not (clone / ".git" / "lineage" / "unfetched").exists()  # verify saw it all
    rest = run("verify").stdout.splitlines()
    assert [line.split()[1] for line in rest[1:]] == ["own"]


def test_a_folder_whose_list_was_left_is_not_lost(
    repo: Registry, id_: str, run: Run, tmp_path: Path
) -> None:
    """A version whose files all came with others still has its list at the remote."""
    shutil.copy(repo.root / "data" / "a", repo.root / "kept")
    repo.commit("dataset", "kept", "kept")
    (repo.root / "data" / "a").write_text("another", encoding="utf-8")
    repo.commit("dataset", "d", "data")
    subprocess.run(["git", "init", "-q", "--bare", tmp_path / "git"], check=True)
    assert run("remote", "add", "origin", tmp_path / "git").exit_code == 0
    assert run("push").exit_code == 0
    assert run("clone", tmp_path / "git", tmp_path / "clone").exit_code == 0
    os.chdir(tmp_path / "clone")
    assert "not here" not in run("show", id_).stdout
    for _ in range(2):
        looked = run("verify")
        assert (looked.exit_code, looked.stdout) == (0, "")
        assert "left at the remote: 1" in looked.stderr


def test_what_dvc_brought_is_compared_before_it_counts(
    repo: Registry, id_: str
) -> None:
    """A cache object without a pin is taken if it is whole, else fetched."""
    push_payloads(repo, None, [id_])
    objects = repo.payloads.cache / "files" / "md5"
    shutil.rmtree(repo.payloads.cache / "lineage")
    for path in objects.glob("*/*"):
        if path.read_bytes() == b"text of b":
            path.chmod(0o644)
            path.write_bytes(b"text of x")
    moved = fetch_payloads(repo, None, [id_])

    assert (moved.objects, moved.present) == (1, 2)
    assert verify(repo).problems == []


# kills


@pytest.mark.parametrize("direction", ["push", "fetch"])
def test_a_killed_transfer_is_done_again_and_leaves_nothing(
    direction: str, repo: Registry, id_: str, tmp_path: Path, sound: Sound
) -> None:
    """Kill -9 in the middle: nothing is lost, and the next one sweeps the copies."""
    large = tmp_path / "large"
    large.write_bytes(os.urandom(9 << 20))
    ids = [id_, repo.commit("model", "large", large).id]
    if direction == "fetch":
        push_payloads(repo, None, ids)
        shutil.rmtree(repo.payloads.cache)
    for limit in (0, 20, 5 << 20):
        command = [sys.executable, "-c", WORK, direction, str(limit)]
        done = subprocess.run(command, capture_output=True, check=False)
        assert done.returncode == -signal.SIGKILL
    move = push_payloads if direction == "push" else fetch_payloads
    move(repo, None, ids)

    assert move(repo, None, ids).objects == 0
    assert list((tmp_path / "there" / "lineage" / "tmp").glob("*")) == []
    assert list((tmp_path / "there" / "files" / "md5").glob("*/.*")) == []
    sound(repo)
