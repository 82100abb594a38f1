"""`lineage branch` and `lineage tag`: names that move, names that never do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.registry import Registry

    Run = Callable[..., Any]
    Transcript = Callable[..., str]


@pytest.fixture
def two(repo: Registry) -> Registry:
    """Commit two configs, one after the other, on ``config/c``."""
    for number in (1, 2):
        repo.commit("config", "c", params={"n": number})
    return repo


@pytest.mark.usefixtures("two")
def test_branches(transcript: Transcript) -> None:
    """Make, list, move, rename and delete; a new branch is HEAD."""
    assert transcript(
        "branch",
        "branch old config/c~1",
        "branch old config/c",
        "branch -f old config/c",
        "branch -m old older",
        "branch",
        "branch -d older",
        "branch -d older",
        "branch -m config/c a..b",
        "branch -d",
        "branch -m config/c",
        "branch -d config/c HEAD",
        "branch new nope",
    ) == snapshot("""\
$ lineage branch
   name      commit    kind
*  config/c  aaaaaaaa  config
$ lineage branch old config/c~1
2> old is at bbbbbbbbbbbb
$ lineage branch old config/c
2> error: the branch old exists already
2> hint: move it with `lineage branch --force old config/c`
exit 2
$ lineage branch -f old config/c
2> old is at aaaaaaaaaaaa
$ lineage branch -m old older
2> old is now older
$ lineage branch
   name      commit    kind
   config/c  aaaaaaaa  config
*  older     aaaaaaaa  config
$ lineage branch -d older
2> older is deleted; it was at aaaaaaaaaaaa
$ lineage branch -d older
2> error: there is no branch older
2> hint: `lineage branch` lists them
exit 5
$ lineage branch -m config/c a..b
2> error: the branch 'a..b' contains .., which revisions are written with
2> hint: any printable text without .. @{ ~ ^ : and not starting with -
exit 2
$ lineage branch -d
2> error: no branch is named
2> hint: see `lineage branch --help`
exit 2
$ lineage branch -m config/c
2> error: a branch is renamed from one name to another
2> hint: lineage branch -m OLD NEW
exit 2
$ lineage branch -d config/c HEAD
2> error: -d deletes one branch: NAME and nothing else
exit 2
$ lineage branch new nope
2> error: no branch, tag or commit is called 'nope'
2> hint: `lineage branch` lists the branches, `lineage log` the commits
exit 5
""")


@pytest.mark.usefixtures("two")
def test_tags(transcript: Transcript) -> None:
    """A tag never moves, and the name of a deleted one is spent."""
    assert transcript(
        "tag",
        "tag v1 HEAD~1 -m 'the first'",
        "tag v1 HEAD~1",
        "tag v1",
        "tag",
        "show v1",
        "tag -d v1",
        "tag v1",
        "tag -d v1",
        "tag -d",
        "tag -d v2 HEAD",
    ) == snapshot("""\
$ lineage tag
2> there are no tags yet
$ lineage tag v1 HEAD~1 -m 'the first'
2> v1 is aaaaaaaaaaaa
$ lineage tag v1 HEAD~1
2> v1 is aaaaaaaaaaaa
$ lineage tag v1
2> error: the tag v1 names aaaaaaaaaaaa
2> hint: a tag never moves: choose another name
exit 4
$ lineage tag
  name  commit    kind
  v1    aaaaaaaa  config
$ lineage show v1
config c (tag: v1)
id        aaaaaaaaaaaa…
git       bbbbbbbbbbbb…
recorded  2026-01-02 03:04:05 +0000 (just now)
by        Ada Example <ada@example.com>

params
  name  value
  n     1

events
  time              event  by           message
  2026-01-02 03:04  tag    Ada Example  the first
$ lineage tag -d v1
2> v1 is deleted, its name is spent; it was aaaaaaaaaaaa
$ lineage tag v1
2> error: v1 was a tag once
2> hint: names of deleted tags are not used again: choose another
exit 4
$ lineage tag -d v1
2> error: there is no tag v1
2> hint: `lineage tag` lists them
exit 5
$ lineage tag -d
2> error: no tag is named
2> hint: see `lineage tag --help`
exit 2
$ lineage tag -d v2 HEAD
2> error: -d deletes one tag: NAME and nothing else
exit 2
""")


def test_json(two: Registry, run: Run) -> None:
    """Lists have documented shapes."""
    run("tag", "v1", "HEAD")
    tip, git = two.resolve("HEAD"), two.git_oid(two.resolve("HEAD"))
    named = {"id": tip, "git": git, "kind": "config"}

    assert run("branch", "--format", "json").json() == {
        "schema_version": 1,
        "branches": [{"name": "config/c", **named, "head": True, "protected": False}],
    }
    assert run("tag", "--format", "jsonl").jsonl() == [
        {"schema_version": 1, "name": "v1", **named}
    ]
