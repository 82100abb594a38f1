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
    ) == snapshot()


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
    ) == snapshot()


def test_json(two: Registry, run: Run) -> None:
    """Lists have documented shapes."""
    run("tag", "v1", "HEAD")
    tip, git = two.resolve("HEAD"), two.git_oid(two.resolve("HEAD"))
    named = {"id": tip, "git": git, "kind": "config"}

    assert run("branch", "--format", "json").json() == {
        "schema_version": 1,
        "branches": [{"name": "config/c", **named, "head": True}],
    }
    assert run("tag", "--format", "jsonl").jsonl() == [
        {"schema_version": 1, "name": "v1", **named}
    ]
