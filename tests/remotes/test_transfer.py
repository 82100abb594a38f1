"""Payloads on real remotes: sent, lost, fetched, harmed, broken off, taken up again."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from lineage.transfer import Moved, fetch_payloads, push_payloads

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.registry import Registry
    from tests.remotes.conftest import Remote


class Story:
    """A registry with a file and a folder, on a remote of some kind."""

    def __init__(self, registry: Registry, remote: Remote) -> None:
        self.registry = registry
        self.remote = remote
        remote.configure(registry.root)
        folder = registry.root / "folder"
        (folder / "d").mkdir(parents=True)
        for name in ("a", "b", "d/ü", "empty"):
            text = "" if name == "empty" else f"text of {name}"
            (folder / name).write_text(text, encoding="utf-8")
        (registry.root / "file").write_text("one file", encoding="utf-8")
        self.file = registry.commit("dataset", "file", "file").id
        self.folder = registry.commit("model", "folder", "folder").id
        self.ids = [self.file, self.folder]

    def oid(self, path: str) -> str:
        """The object of a file."""
        entries = [e for id_ in self.ids for e in self.registry.files(id_)]
        [oid] = [entry.md5 for entry in entries if entry.path == path]
        return oid

    def lose(self) -> None:
        """Remove all payloads from this machine."""
        shutil.rmtree(self.registry.payloads.cache)

    def push(self) -> Moved:
        return push_payloads(self.registry, None, self.ids)

    def fetch(self) -> Moved:
        return fetch_payloads(self.registry, None, self.ids)


@pytest.fixture
def story(repo: Registry, remote: Remote) -> Story:
    return Story(repo, remote)


def test_a_round_trip(story: Story, sound: Callable[[Registry], None]) -> None:
    """What was pushed comes back whole, and nothing is moved twice."""
    first, second = story.push(), story.push()
    story.lose()
    third, fourth = story.fetch(), story.fetch()

    assert first == Moved(objects=6, bytes=first.bytes)
    assert second == Moved(present=6, present_bytes=first.bytes)
    assert third == Moved(objects=5, bytes=38)
    assert fourth == Moved(present=5, present_bytes=38)
    assert len(story.remote.objects) == 6
    sound(story.registry)
