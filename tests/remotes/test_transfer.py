"""Payloads on real remotes: sent, lost, fetched, harmed, broken off, taken up again."""

from __future__ import annotations

import os
import shutil
import signal
import time
from typing import TYPE_CHECKING

import pytest

from lineage.errors import StoreError, VerificationError
from lineage.keeping import refresh_keep
from lineage.store.dvc import remote as remote_of
from lineage.transfer import Moved, fetch_payloads, push_payloads
from tests.dvc import dvc as plain

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

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

    def here(self) -> set[str]:
        """The objects that are pinned on this machine."""
        pins = self.registry.payloads.cache.glob("lineage/*-*/*/*")
        return {pin.parent.name + pin.name for pin in pins}

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


def test_many_are_found_as_each_alone_is(story: Story) -> None:
    """Listing what is there tells the same sizes as asking for one after the other."""
    story.push()
    here = [entry.md5 for id_ in story.ids for entry in story.registry.files(id_)]
    with remote_of(story.registry.git, None) as remote:
        together = remote.sizes([*here, "0" * 32])
        alone = [remote.sizes([oid]) for oid in here]

    assert together == {oid: size for one in alone for oid, size in one.items()}
    assert together.keys() == set(here)


def test_corrupt_and_missing_objects_there_are_named(story: Story) -> None:
    """File, commit and object are named, the rest arrives, and nothing bad does."""
    story.push()
    bad, gone = story.oid("a"), story.oid("d/ü")
    story.remote.harm(bad)
    story.remote.lose(gone)
    story.lose()
    with pytest.raises(VerificationError) as failed:
        story.fetch()

    short = story.folder[:12]
    assert str(failed.value) == "2 objects did not arrive from the DVC remote r"
    assert sorted(failed.value.details) == [
        f"a of {short} (object {bad}) does not have its recorded SHA-256 there",
        f"d/ü of {short} (object {gone}) is missing there",
    ]
    assert story.here() == {story.oid(name) for name in ("b", "empty", "file")}
    story.remote.object(bad).unlink()
    with pytest.raises(StoreError, match="2 objects did not arrive"):
        story.fetch()


@pytest.mark.parametrize("remote", ["local", "s3", "ssh"], indirect=True)
def test_lost_files_of_a_folder_are_sent_again(story: Story) -> None:
    """The list of a folder that is there is no proof that its files are."""
    story.push()
    story.remote.lose(story.oid("a"))
    story.remote.object(story.oid("b")).chmod(0o644)
    story.remote.object(story.oid("b")).write_bytes(b"half")
    story.remote._settle()

    assert story.push().objects == 2
    story.lose()
    assert story.fetch().objects == 5


@pytest.mark.parametrize("remote", ["local", "http"], indirect=True)
def test_corrupt_and_missing_objects_here_are_not_sent(story: Story) -> None:
    """Nor is the list of their folder; the rest is."""
    [pin] = story.registry.payloads.cache.glob(f"lineage/*-*/*/{story.oid('a')[2:]}")
    pin.chmod(0o644)
    pin.write_bytes(b"text of x")
    for path in story.registry.payloads.cache.rglob(story.oid("b")[2:]):
        path.unlink()
    with pytest.raises(VerificationError, match="2 objects did not reach") as failed:
        story.push()

    named = " ".join(failed.value.details)
    assert "does not have its recorded SHA-256 here, and was not sent" in named
    assert f"(object {story.oid('b')}) is neither here nor there" in named
    kept = {story.oid(name) for name in ("d/ü", "empty", "file")}
    assert story.remote.objects == kept


@pytest.mark.parametrize(
    ("remote", "direction"),
    [("local", "push"), ("http", "push"), ("local", "fetch"), ("s3", "fetch")],
    indirect=["remote"],
)
def test_an_interrupted_transfer_goes_on(story: Story, direction: str) -> None:
    """After Ctrl-C what has arrived stays and is not moved again."""
    story.remote.configure(story.registry.root, jobs="1")
    if direction == "fetch":
        story.push()
        story.lose()
    move = push_payloads if direction == "push" else fetch_payloads

    told = 0

    def interrupt(count: int) -> None:
        nonlocal told
        before, told = told, told + count
        if before <= 24 < told:
            signal.raise_signal(signal.SIGINT)
            time.sleep(0.3)  # for the main thread to hear it

    with pytest.raises(KeyboardInterrupt):
        move(story.registry, None, story.ids, interrupt)
    again = move(story.registry, None, story.ids)

    assert again.present > 0
    assert again.objects > 0
    assert move(story.registry, None, story.ids).objects == 0
    assert list(story.registry.payloads.cache.glob("lineage/tmp/*")) == []


def dvc(root: Path, *args: str | Path) -> None:
    home = {**os.environ, "HOME": str(root.parent)}  # dulwich wants a real folder
    done = plain("--cd", root, *args, env=home)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("remote", ["local", "s3"], indirect=True)
def test_plain_dvc_reads_what_we_pushed(story: Story) -> None:
    """`dvc fetch -A` with the keep commit finds all of it at the remote."""
    refresh_keep(story.registry)
    kept = story.registry.payloads.cache / "files" / "md5"
    before = {str(path.relative_to(kept)) for path in kept.glob("*/*")}
    story.push()
    story.lose()
    refresh_keep(story.registry)
    dvc(story.registry.root, "fetch", "-A")

    assert {str(path.relative_to(kept)) for path in kept.glob("*/*")} == before


@pytest.mark.parametrize("remote", ["local", "http"], indirect=True)
def test_we_read_what_plain_dvc_pushed(story: Story) -> None:
    """After `dvc push -A` with the keep commit a fetch finds all of it."""
    refresh_keep(story.registry)
    dvc(story.registry.root, "push", "-A")
    story.lose()

    assert story.fetch().objects == 5


@pytest.mark.parametrize("remote", ["s3"], indirect=True)
def test_a_large_object_travels(story: Story) -> None:
    """60 MiB go through an S3 server that gives wrong checksums with parts of it."""
    with (story.registry.root / "large").open("wb") as file:
        file.truncate(60 << 20)
    story.ids = [story.registry.commit("model", "large", "large").id]
    assert story.push().bytes == 60 << 20
    story.lose()

    assert story.fetch().bytes == 60 << 20
