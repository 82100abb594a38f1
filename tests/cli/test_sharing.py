"""`remote`, `push`, `fetch`, `pull` and `clone`, as people see them."""

from __future__ import annotations

import shlex
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

import lineage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Any
    Transcript = Callable[..., str]


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    """Make a bare repository."""
    path = tmp_path / "hub.git"
    subprocess.run(["git", "init", "--quiet", "--bare", str(path)], check=True)
    return path


def test_two_machines_that_worked_apart(
    repo: Any, hub: Path, transcript: Transcript
) -> None:
    """Push, clone, diverge, be told to pull, meet, choose, agree."""
    del repo, hub
    commit = "commit config --name tutor --param"
    theirs = "-C ../copy"
    said = transcript(
        f"{commit} lr=1",
        "remote add origin ../hub.git",
        "push",
        "push",
        "clone ../hub.git ../copy",
        f"{theirs} {commit} lr=3",
        f"{theirs} tag v1",
        f"{theirs} push",
        f"{commit} lr=2",
        "tag v1",
        "push",
        "fetch",
        "remote list --format csv",
        "status",
        "status --at now",
        "pull",
        "pull",
        "branch",
        "branch -f config/tutor config/tutor@origin",
        "branch -d config/tutor@origin",
        "push",
        f"{theirs} pull",
        f"{theirs} branch",
        f"{theirs} verify",
    )

    assert said == snapshot("""\
$ lineage commit config --name tutor --param lr=1
aaaaaaaaaaaa…
2> config tutor recorded on config/tutor
$ lineage remote add origin ../hub.git
2> origin is /test/hub.git
$ lineage push
2> origin: 2 events, 1 commit
$ lineage push
2> origin is up to date
$ lineage clone ../hub.git ../copy
2> /test/copy: 2 events, 1 commit, verified
$ lineage -C ../copy commit config --name tutor --param lr=3
bbbbbbbbbbbb…
2> config tutor recorded on config/tutor
$ lineage -C ../copy tag v1
2> v1 is bbbbbbbbbbbb
$ lineage -C ../copy push
2> origin: 2 events, 1 commit
2>   git tag lineage/v1
$ lineage commit config --name tutor --param lr=2
cccccccccccc…
2> config tutor recorded on config/tutor
$ lineage tag v1
2> v1 is cccccccccccc
$ lineage push
2> error: origin has events that are not here
2> hint: `lineage pull origin`, then push again
exit 1
$ lineage fetch
2> origin: 2 events, 1 commit, verified
$ lineage remote list --format csv
name,url,dvc,packed,ahead,behind
origin,/test/hub.git,,false,2,2
$ lineage status
2> HEAD is config/tutor
2> origin lacks 2 events: `lineage push origin`
2> origin has 2 new events: `lineage pull origin`
2> no file was committed from here
$ lineage status --at now
2> as of event dddddddd, 2026-01-02 03:04 UTC
2> HEAD is config/tutor
2> no file was committed from here
$ lineage pull
2> origin: 2 events, 1 commit, verified
2>   branch config/tutor@origin  new, bbbbbbbb
2>   tag v1  cccccccc → bbbbbbbb
2>   tag v1@cccccccc  new, cccccccc
2> the tag v1 of origin names another commit; yours is now v1@cccccccc
2> both sides moved config/tutor; yours keeps the name, theirs is config/tutor@origin
2>   take theirs: lineage branch -f config/tutor config/tutor@origin; lineage branch -d config/tutor@origin
2>   keep yours:  lineage branch -d config/tutor@origin
$ lineage pull
2> origin: up to date
$ lineage branch
   name                 commit    kind
*  config/tutor         cccccccc  config
   config/tutor@origin  bbbbbbbb  config
$ lineage branch -f config/tutor config/tutor@origin
2> config/tutor is at bbbbbbbbbbbb
$ lineage branch -d config/tutor@origin
2> config/tutor@origin is deleted; it was at bbbbbbbbbbbb
$ lineage push
2> origin: 5 events, 1 commit
2>   git tag lineage/v1@cccccccc
$ lineage -C ../copy pull
2> origin: 5 events, 1 commit, verified
2>   tag v1@cccccccc  new, cccccccc
$ lineage -C ../copy branch
   name          commit    kind
*  config/tutor  bbbbbbbb  config
$ lineage -C ../copy verify
2> 3 commits checked: all as recorded
""")  # noqa: E501


def test_a_pull_names_the_taints_that_it_brought(
    repo: Any, hub: Path, transcript: Transcript
) -> None:
    """Once, with the reason, and where to see what they reached; so does a clone."""
    del repo, hub
    theirs = "-C ../copy"
    transcript(
        "commit config --name tutor --param lr=1",
        "remote add origin ../hub.git",
        "push",
        "clone ../hub.git ../copy",
        f"{theirs} taint config/tutor --reason 'diverges'",
        f"{theirs} push",
    )
    assert transcript("pull", "pull", "clone ../hub.git ../new") == snapshot("""\
$ lineage pull
2> origin: 1 event, 0 commits, verified
2> ! tainted: config tutor aaaaaaaa: diverges
2>   lineage status --tainted has the names they reached
$ lineage pull
2> origin: up to date
$ lineage clone ../hub.git ../new
2> /test/new: 3 events, 1 commit, verified
2> ! tainted: config tutor aaaaaaaa: diverges
2>   lineage status --tainted has the names they reached
""")


def test_remotes(repo: Any, transcript: Transcript) -> None:
    """Added, shown, removed; git's own can be named; nothing of git's is written."""
    git = repo.root / ".git" / "config"
    before = git.read_bytes()
    said = transcript(
        "remote",
        "remote add origin ssh://example.com/srv/tutor.git --dvc-remote store",
        "remote add backup /mnt/tutor.git",
        "remote add backup /mnt/other.git",
        "remote add -- -x /mnt/other.git",
        "remote list --format csv",
        "remote show origin --format json",
        "remote remove backup",
        "remote remove backup",
        "push backup",
    )

    assert said == snapshot("""\
$ lineage remote
2> there are no remotes yet: `lineage remote add NAME URL`
$ lineage remote add origin ssh://example.com/srv/tutor.git --dvc-remote store
2> origin is ssh://example.com/srv/tutor.git
$ lineage remote add backup /mnt/tutor.git
2> backup is /mnt/tutor.git
$ lineage remote add backup /mnt/other.git
2> error: the remote backup exists already
2> hint: remove it first with `lineage remote remove backup`
exit 2
$ lineage remote add -- -x /mnt/other.git
2> error: '-x' cannot be the name of a remote
2> hint: letters, digits, - _ and . in between, at most 40
exit 2
$ lineage remote list --format csv
name,url,dvc,packed,ahead,behind
backup,/mnt/tutor.git,,false,,
origin,ssh://example.com/srv/tutor.git,store,false,,
$ lineage remote show origin --format json
{
  "schema_version": 1,
  "remotes": [
    {
      "name": "origin",
      "url": "ssh://example.com/srv/tutor.git",
      "dvc": "store",
      "packed": false,
      "ahead": null,
      "behind": null
    }
  ]
}
$ lineage remote remove backup
2> backup is forgotten
$ lineage remote remove backup
2> error: there is no remote backup
2> hint: add one with `lineage remote add NAME URL`
exit 5
$ lineage push backup
2> error: there is no remote backup
2> hint: add one with `lineage remote add NAME URL`
exit 5
""")
    assert git.read_bytes() == before
    repo.git.run("remote", "add", "gits", "/mnt/third.git")
    assert transcript("remote show gits", "remote remove gits") == snapshot("""\
$ lineage remote show gits
remote  url             dvc remote  ahead  behind
gits    /mnt/third.git  (default)       -       -
$ lineage remote remove gits
2> error: gits is a remote of git's, not added here
2> hint: `git remote remove gits` takes it away
exit 2
""")


def test_what_programs_read(repo: Any, hub: Path, run: Run, tmp_path: Path) -> None:
    """The JSON of push, fetch and pull."""
    del hub
    run("commit", "config", "--name", "c", "--param", "x=1")
    run("remote", "add", "origin", "../hub.git")
    pushed = run("push", "--format", "json").json()
    assert (pushed["remote"], pushed["events"], pushed["commits"]) == ("origin", 2, 1)
    assert pushed["event"] == next(repo.events())[0]

    run("clone", "../hub.git", "../copy")
    with lineage.open(tmp_path / "copy") as copy:
        before = copy.resolve("config/c")
        made = copy.commit("config", "c", params={"x": 2})
    run("-C", "../copy", "push")
    fetched = run("fetch", "--format", "json").json()
    assert (fetched["events"], fetched["commits"]) == (1, 1)
    pulled = run("pull", "--format", "json").json()
    assert pulled["refs"] == [
        {
            "ref": "heads/config/c",
            "before": before,
            "after": made.id,
        }
    ]
    assert (pulled["doubled"], pulled["renamed"]) == ({}, {})
    assert pulled["pull"] == next(repo.events())[0]
    assert run("pull", "--format", "json").json()["pull"] is None


def test_a_clone_that_cannot_be(
    hub: Path, transcript: Transcript, tmp_path: Path
) -> None:
    """An address without registry, a folder in use, a name that is none."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    said = transcript(
        "clone hub.git copy", "clone nowhere.git", "clone hub.git full", "clone /"
    )

    assert said == snapshot("""\
$ lineage clone hub.git copy
2> error: there is no registry at /test/hub.git
2> hint: `lineage push` from a registry makes it one
exit 5
$ lineage clone nowhere.git
2> error: git ls-remote: 'nowhere.git' does not appear to be a git repository
2> hint: see whether the address is right, and whether you may go there
exit 1
$ lineage clone hub.git full
2> error: /test/full exists and is not empty
2> hint: choose another place
exit 2
$ lineage clone /
2> error: / names no folder
2> hint: say where: lineage clone URL DIR
exit 2
""")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["full", hub.name]


def test_names_that_a_shell_takes_apart(
    repo: Any, hub: Path, run: Run, tmp_path: Path
) -> None:
    """What to type next can be typed; a git tag is told as git has it."""
    run("commit", "config", "--name", "my set", "--param", "x=1")
    run("tag", "rel/1 final")
    run("remote", "add", "origin", hub)
    assert "git tag lineage/rel%2F1%20final\n" in run("push").stderr
    assert run("clone", hub, "../copy", "--only", "no such").exit_code == 5
    assert not (tmp_path / "copy").exists()
    run("clone", hub, "../copy")
    fresh = run("-C", "../copy", "verify")
    assert (fresh.exit_code, fresh.stderr) == (0, "1 commit checked: all as recorded\n")
    for place in ("../copy", "."):
        value = f"x={place}"
        run("-C", place, "commit", "config", "--name", "my set", "--param", value)
    run("-C", "../copy", "push")

    take = run("pull").stderr.partition("take theirs: ")[2].partition("\n")[0]
    for command in take.split("; "):
        assert run(*shlex.split(command)[1:]).exit_code == 0
    assert list(repo.branches()) == ["config/my set"]
    run("tag", "-d", "rel/1 final")
    assert "git tag lineage/rel%2F1%20final  gone\n" in run("push").stderr
