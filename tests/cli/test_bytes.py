"""`lineage get`, `status` and `verify`: the bytes, back and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage.registry import Registry

    Run = Callable[..., Any]
    Transcript = Callable[..., str]


@pytest.fixture
def data(repo: Registry) -> Path:
    """Commit the folder ``data`` with two files as ``dataset/seed``."""
    folder = repo.root / "data"
    folder.mkdir()
    (folder / "a.txt").write_text("first", encoding="utf-8")
    (folder / "b.txt").write_text("second", encoding="utf-8")
    repo.commit("dataset", "seed", folder)
    return folder


@pytest.mark.usefixtures("data")
def test_get(repo: Registry, transcript: Transcript) -> None:
    """Files come back verified; nothing is overwritten without being asked."""
    repo.commit("model", "judge", external={"uri": "hf://org/judge"})
    repo.commit("generation", "g", params={"generation": 0})

    assert transcript(
        "get dataset/seed",
        "get dataset/seed",
        "get dataset/seed --force",
        "get dataset/seed other/place",
        "get model/judge",
        "get loop/g",
        "get nope",
        "get",
    ) == snapshot()
    assert (repo.root / "other/place/b.txt").read_text(encoding="utf-8") == "second"


def test_get_of_damaged_bytes(data: Path, repo: Registry, run: Run) -> None:
    """A byte that flipped is a failed verification, and nothing is written."""
    _flip(repo, data / "a.txt")
    done = run("get", "HEAD", "copy")

    assert done.exit_code == 3
    assert done.stderr.startswith("error: a.txt does not have its recorded SHA-256")
    assert not (data.parent / "copy").exists()


def test_status(data: Path, transcript: Transcript) -> None:
    """People see what changed since it was committed, programs everything."""
    shown = [transcript("status")]
    (data / "a.txt").write_text("changed", encoding="utf-8")
    shown.append(transcript("status"))
    for file in data.iterdir():
        file.unlink()
    data.rmdir()
    shown.append(transcript("status", "status --format jsonl"))

    assert "".join(shown) == snapshot()


@pytest.mark.usefixtures("repo")
def test_status_of_an_empty_registry(transcript: Transcript) -> None:
    """Nothing is committed yet, which is said."""
    assert transcript("status") == snapshot()


def test_verify(data: Path, repo: Registry, transcript: Transcript) -> None:
    """Whole is exit 0; a flipped byte is named, and exit 3."""
    shown = [transcript("verify", "verify --format json")]
    _flip(repo, data / "b.txt")
    shown.append(
        transcript(
            "verify", "verify HEAD --format json", "verify --format jsonl",
            "verify --format csv", "verify nope",
        )
    )  # fmt: skip

    assert "".join(shown) == snapshot()


def _flip(repo: Registry, file: Path) -> None:
    """Flip a bit of the stored object that holds what `file` holds."""
    content = file.read_bytes()
    for pin in repo.payloads.cache.glob("lineage/*-*/*/*"):
        if pin.read_bytes() == content:
            pin.chmod(0o644)
            pin.write_bytes(bytes([content[0] ^ 1]) + content[1:])


@pytest.mark.usefixtures("data")
def test_events(transcript: Transcript, run: Run) -> None:
    """The log says who did what, newest first, and JSON has all of it."""
    run("tag", "v1", "HEAD", "-m", "good enough")
    newest = run("events", "--format", "jsonl").jsonl()[0]

    assert transcript("events", "events -n 1 --format csv") == snapshot()
    assert list(newest) == [
        "schema_version", "id", "type", "time", "author", "message", "subject", "refs",
        "data",
    ]  # fmt: skip
    assert newest["refs"][0]["ref"] == "tags/v1"
