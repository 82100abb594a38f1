"""The real `git` on a registry, and a registry in whatever repository there is."""

from __future__ import annotations

import hashlib
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

import lineage
from lineage.errors import NotFound, StoreError, VerificationError
from lineage.history import walk
from lineage.names_ops import delete_branch, set_branch, set_tag
from lineage.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage import Registry
    from lineage.recording import Committed

    Sound = Callable[[Registry], None]

HOOKS = [
    "reference-transaction", "pre-commit", "prepare-commit-msg", "post-commit",
    "post-checkout", "post-index-change", "pre-auto-gc", "post-rewrite", "pre-push",
]  # fmt: skip
HOSTILE = {
    "commit.gpgSign": "true",
    "gpg.program": "false",
    "core.autocrlf": "true",
    "core.logAllRefUpdates": "always",
    "core.compression": "0",
    "core.fsmonitor": "false",
    "color.ui": "always",
    "column.ui": "always",
    "log.showSignature": "true",
    "log.decorate": "full",
    "core.quotePath": "true",
    "i18n.commitEncoding": "iso-8859-1",
    "i18n.logOutputEncoding": "iso-8859-1",
    "core.pager": "false",
    "core.editor": "false",
    "alias.update-ref": "!false",
}


def git(root: Path, *args: str | Path) -> str:
    done = subprocess.run(
        ["git", "-C", root, *args], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def live(registry: Registry) -> list[Committed]:
    """Use everything that writes to git."""
    root = registry.root
    (root / "ä.txt").write_text("text", encoding="utf-8")
    data = registry.commit("dataset", "ä", root / "ä.txt", message="first\n\nmore")
    made = lineage.Edge("trained_on", data.id)
    model = registry.commit("model", "m", params={"x": 1}, edges=[made])
    set_tag(registry, "v1", model.id)
    set_branch(registry, "doomed", data.id)
    delete_branch(registry, "doomed")
    registry.commit("config", "part", params={"x": 1}, ref="runs/loop/part")
    registry.drop_runs("loop/")
    registry.attest("review", subject=model.id)
    assert verify(registry).problems == []  # makes the keep commit as well
    return [data, model]


def named(made: list[Committed]) -> list[tuple[str, str]]:
    """What does not depend on who recorded it, or when."""
    return [(one.id, one.git) for one in made]


def everything_else(root: Path) -> dict[str, bytes | str]:
    """All that is not ours below `root`: work tree, index, refs, config, hooks."""
    ours = ("objects", "lineage", "refs/lineage", "refs/remotes/lineage")
    places = [root / ".git" / name for name in (*ours, "logs/refs/remotes/lineage")]
    places += [root / ".dvc" / "cache", root / "ä.txt"]
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and not any(path.is_relative_to(place) for place in places)
    }


@pytest.fixture
def used(tmp_path: Path) -> Path:
    """Make a repository in the middle of somebody's work."""
    root = tmp_path / "used"
    git(tmp_path, "init", "-q", root)
    for number in (1, 2):
        (root / "file").write_text(f"{number}", encoding="utf-8")
        git(root, "add", "file")
        git(root, "commit", "-q", "-m", f"{number}")
    git(root, "tag", "mine")
    git(root, "checkout", "-q", "HEAD~1")
    (root / "staged").write_text("staged", encoding="utf-8")
    git(root, "add", "staged")
    (root / "file").write_text("changed", encoding="utf-8")
    (root / "untracked").write_text("untracked", encoding="utf-8")
    return root


# git reads ours


def test_git_log_reads_the_events(repo: Registry) -> None:
    """`git log refs/lineage/events` shows who did what, newest first."""
    live(repo)
    asked = ("log", "--format=%an <%ae> %s", "refs/lineage/events")
    titles = git(repo.root, *asked).splitlines()

    who = "Ada Example <ada@example.com>"
    assert titles == [
        f"{who} review",
        f"{who} drop loop/part: work in progress is over",
        f"{who} commit loop/part",
        f"{who} branch doomed: deleted",
        f"{who} branch doomed",
        f"{who} tag v1",
        f"{who} commit model/m",
        f"{who} commit dataset/ä: first",
        f"{who} init",
    ]


def test_a_commit_is_a_plain_git_commit(repo: Registry) -> None:
    """`git show` finds the manifest, whose SHA-256 is the id, and the parents."""
    data, model = live(repo)
    manifest = git(repo.root, "show", f"{model.git}:lineage.json").encode()
    fields = git(repo.root, "log", "-1", "--format=%P|%an|%at|%s", model.git).strip()

    assert hashlib.sha256(manifest).hexdigest() == model.id
    assert fields == f"{data.git}|lineage|0|model m"
    assert (
        git(repo.root, "rev-parse", "refs/lineage/heads/model%2Fm") == f"{model.git}\n"
    )


def test_git_gc_takes_nothing(repo: Registry, sound: Sound) -> None:
    """After `git gc --prune=now` and expired reflogs everything is there."""
    made = live(repo)
    git(repo.root, "reflog", "expire", "--expire=now", "--all")
    git(repo.root, "gc", "--quiet", "--prune=now")

    assert {entry.id for entry in walk(repo, [c.id for c in made])} == {
        c.id for c in made
    }
    assert repo.load(repo.resolve("v1")).name == "m"
    sound(repo)
    with closing(lineage.open(repo.root)) as again:
        again.commit("model", "m", params={"x": 2})
        sound(again)


def test_what_a_moved_branch_left_survives_git_gc(repo: Registry, sound: Sound) -> None:
    """A tip that nothing leads to any more stays until somebody says otherwise."""
    first = repo.commit("config", "c", params={"x": 1})
    second = repo.commit("config", "d", params={"x": 2})
    set_branch(repo, "config/c", second.id, force=True)
    git(repo.root, "gc", "--quiet", "--prune=now")

    assert repo.load(first.id).params == {"x": 1}
    sound(repo)


def test_another_repository_can_fetch_a_registry(
    repo: Registry, tmp_path: Path
) -> None:
    """Git carries commits, names and events; a fetched registry reads the same."""
    made = live(repo)
    other = tmp_path / "other"
    git(tmp_path, "init", "-q", other)
    git(other, "fetch", "-q", repo.root, "refs/lineage/*:refs/lineage/*")
    with closing(lineage.open(other)) as registry:
        assert registry.branches() == repo.branches()
        assert registry.tags() == repo.tags()
        assert dict(registry.events()) == dict(repo.events())
        assert [registry.load(c.id).manifest for c in made] == [
            repo.load(c.id).manifest for c in made
        ]
    git(other, "fsck", "--strict")


def test_a_part_of_a_log_is_no_registry(repo: Registry, tmp_path: Path) -> None:
    """It would leave out taints, and call that clean; git can bring the rest."""
    seed = repo.commit("dataset", "seed", params={"x": 1})
    repo.attest("taint", subject=seed.id, data={"reason": "bad"})
    repo.attest("note", subject=seed.id)
    other, names = tmp_path / "other", "refs/lineage/*:refs/lineage/*"
    git(tmp_path, "init", "-q", other)
    git(other, "fetch", "-q", "--depth=1", f"file://{repo.root}", names)

    with pytest.raises(VerificationError, match="has only the end of its log"):
        lineage.open(other)

    git(other, "fetch", "-q", "--unshallow", f"file://{repo.root}", names)
    with closing(lineage.open(other)) as registry:
        assert registry.select("tainted()") == [seed.id]


def test_two_registries_give_the_same_content_the_same_names(tmp_path: Path) -> None:
    """Id and git oid of a commit depend on its content alone."""
    with (
        closing(lineage.init(tmp_path / "one")) as one,
        closing(lineage.init(tmp_path / "two")) as two,
    ):
        one.commit("config", "other", params={"x": 1})
        assert named(live(one)) == named(live(two))


# we leave git's things alone


def test_what_is_the_users_stays_untouched(used: Path) -> None:
    """Index, work tree, branches, HEAD, config and reflogs are as they were."""
    before = everything_else(used)
    status = git(used, "status", "--porcelain=v2", "--branch", "-z")
    with closing(lineage.init(used)) as registry:
        live(registry)
    added = {".dvc/config", ".dvc/.gitignore", ".dvcignore"}

    assert {k: v for k, v in everything_else(used).items() if k not in added} == before
    assert set(everything_else(used)) - set(before) == added
    now = git(used, "status", "--porcelain=v2", "--branch", "-z").split("\0")
    assert set(now) - set(status.split("\0")) == {"? .dvc/", "? .dvcignore", "? ä.txt"}


@pytest.mark.parametrize("configured", [False, True])
def test_hooks_are_not_run(configured: bool, used: Path) -> None:  # noqa: FBT001
    """A hook that would refuse every ref, or write a file, is never asked."""
    hooks = used / ("elsewhere" if configured else ".git/hooks")
    hooks.mkdir(exist_ok=True)
    for name in HOOKS:
        (hooks / name).write_text(f"#!/bin/sh\ntouch '{used}/ran'\nexit 1\n")
        (hooks / name).chmod(0o755)
    if configured:
        git(used, "config", "core.hooksPath", hooks)
    with closing(lineage.init(used)) as registry:
        live(registry)

    assert not (used / "ran").exists()


def test_no_configuration_changes_what_is_written(used: Path, tmp_path: Path) -> None:
    """Signing, conversions, colours, encodings and aliases of the user mean nothing."""
    for key, value in HOSTILE.items():
        git(used, "config", key, value)
    with (
        closing(lineage.init(used)) as registry,
        closing(lineage.init(tmp_path / "plain")) as plain,
    ):
        assert named(live(registry)) == named(live(plain))
        titles = [event.message for _, event in registry.events()]
        assert "first\n\nmore" in titles


def test_git_variables_of_a_hook_lead_nowhere(
    used: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Called from a hook of another repository, ours is still the one we mean."""
    before = everything_else(used)
    monkeypatch.setenv("GIT_DIR", str(used / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(used))
    monkeypatch.setenv("GIT_INDEX_FILE", str(used / ".git" / "index"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(used / ".git" / "objects"))
    with closing(lineage.init(tmp_path / "ours")) as registry:
        live(registry)
        assert registry.root == tmp_path / "ours"

    assert everything_else(used) == before


def test_replaced_objects_are_not_looked_at(repo: Registry) -> None:
    """`git replace` cannot put another commit in the place of a recorded one."""
    data, model = live(repo)
    git(repo.root, "replace", data.git, model.git)
    with closing(lineage.open(repo.root)) as registry:
        assert registry.load(data.id).id == data.id
        assert verify(registry).problems == []


# where a registry can be


def test_a_registry_opens_from_below_and_from_a_linked_work_tree(
    used: Path, tmp_path: Path
) -> None:
    """Folders inside it and `git worktree`s of it are the same registry."""
    with closing(lineage.init(used)) as registry:
        made = live(registry)[1]
    (used / "deep" / "er").mkdir(parents=True)
    git(used, "worktree", "add", "-q", "--detach", tmp_path / "linked")
    for place in (used / "deep" / "er", tmp_path / "linked", used / ".dvc"):
        with closing(lineage.open(place)) as registry:
            assert registry.resolve("model/m") == made.id
            assert registry.home == used / ".git" / "lineage"


def test_a_new_repository_starts_with_dvcs_files(tmp_path: Path) -> None:
    """`init` where nothing is leaves a clean work tree and a first commit."""
    lineage.init(tmp_path / "new").close()

    names = git(tmp_path / "new", "ls-tree", "-r", "--name-only", "HEAD").split()
    assert names == [".dvc/.gitignore", ".dvc/config", ".dvcignore"]
    assert git(tmp_path / "new", "status", "--porcelain") == ""


def test_init_inside_another_repository_makes_its_own(used: Path) -> None:
    """A folder of a repository becomes a registry of its own when asked."""
    with closing(lineage.init(used / "inner")) as registry:
        assert registry.root == used / "inner"
        assert live(registry)


def test_init_again_changes_nothing(repo: Registry) -> None:
    """A registry that is initialised again has the events that it had."""
    live(repo)
    tip = repo.events_log.tip()
    lineage.init(repo.root).close()

    assert repo.events_log.tip() == tip


def test_places_that_are_no_registry_are_named(tmp_path: Path) -> None:
    """No repository, a bare one, one without registry, no folder: one sentence each."""
    git(tmp_path, "init", "-q", "--bare", tmp_path / "bare")
    git(tmp_path, "init", "-q", tmp_path / "plain")
    (tmp_path / "none").mkdir()
    (tmp_path / "file").touch()
    words = {
        "none": "is not inside a lineage registry",
        "missing": "is not inside a lineage registry",
        "file": "is not inside a lineage registry",
        "bare": "is in a git repository without a work tree",
        "plain": "is not a lineage registry",
    }
    for name, said in words.items():
        with pytest.raises(NotFound) as caught:
            lineage.open(tmp_path / name)
        assert str(caught.value) == f"{tmp_path / name} {said}"


def test_sha256_repositories_are_refused(tmp_path: Path) -> None:
    """DVC cannot work in a repository of SHA-256 objects, so we say so."""
    git(tmp_path, "init", "-q", "--object-format=sha256", tmp_path / "sha256")
    with pytest.raises(StoreError, match="sha256 objects"):
        lineage.init(tmp_path / "sha256")
