# ruff: noqa: E501 - transcripts are as wide as they are
"""`lineage get`, `status` and `verify`: the bytes, back and checked."""

from __future__ import annotations

import os
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
    ) == snapshot("""\
$ lineage get dataset/seed
/test/repo/seed
2> 2 files, 11 B, verified
$ lineage get dataset/seed
2> error: /test/repo/seed exists already
2> hint: replace it with --force
exit 2
$ lineage get dataset/seed --force
/test/repo/seed
2> 2 files, 11 B, verified
$ lineage get dataset/seed other/place
/test/repo/other/place
2> 2 files, 11 B, verified
$ lineage get model/judge
2> error: the bytes of aaaaaaaaaaaa are not here: they are at hf://org/judge
2> hint: get them there; `lineage show aaaaaaaaaaaa` has what was claimed of them
exit 1
$ lineage get loop/g
2> error: bbbbbbbbbbbb is a generation and has no files
2> hint: try `lineage get 'bbbbbbbbbbbb^includes(model)'`
exit 2
$ lineage get nope
2> error: no branch, tag or commit is called 'nope'
2> hint: `lineage branch` lists the branches, `lineage log` the commits
exit 5
$ lineage get
2> error: missing argument 'REV'
2> hint: see `lineage get --help`
exit 2
""")
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

    assert "".join(shown) == snapshot("""\
$ lineage status
2> HEAD is dataset/seed
2> no committed file has changed
$ lineage status
          path  commit
modified  data  aaaaaaaaaaaa  dataset seed
2> HEAD is dataset/seed
$ lineage status
         path  commit
missing  data  aaaaaaaaaaaa  dataset seed
2> HEAD is dataset/seed
$ lineage status --format jsonl
{"schema_version": 1, "path": "data", "state": "missing", "id": "aaaaaaaaaaaa…", "kind": "dataset", "name": "seed"}
2> HEAD is dataset/seed
""")


@pytest.mark.usefixtures("repo")
def test_status_of_an_empty_registry(transcript: Transcript) -> None:
    """Nothing is committed yet, which is said."""
    assert transcript("status") == snapshot("""\
$ lineage status
2> no file was committed from here
""")


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

    assert "".join(shown) == snapshot("""\
$ lineage verify
2> 1 commit checked: all as recorded
$ lineage verify --format json
{
  "schema_version": 1,
  "checked": 1,
  "problems": [],
  "notes": [],
  "since": null,
  "repaired": []
}
2> 1 commit checked: all as recorded
$ lineage verify
id            path   problem
aaaaaaaaaaaa  b.txt  does not have its recorded SHA-256
2> 1 commit checked: 1 problem
exit 3
$ lineage verify HEAD --format json
{
  "schema_version": 1,
  "checked": 1,
  "problems": [
    {
      "id": "aaaaaaaaaaaa…",
      "path": "b.txt",
      "what": "does not have its recorded SHA-256",
      "object": "bbbbbbbbbbbb…"
    }
  ],
  "notes": [],
  "since": null,
  "repaired": []
}
2> 1 commit checked: 1 problem
exit 3
$ lineage verify --format jsonl
{"schema_version": 1, "id": "aaaaaaaaaaaa…", "path": "b.txt", "what": "does not have its recorded SHA-256", "object": "bbbbbbbbbbbb…"}
2> 1 commit checked: 1 problem
exit 3
$ lineage verify --format csv
id,path,what,object
aaaaaaaaaaaa…,b.txt,does not have its recorded SHA-256,bbbbbbbbbbbb…
2> 1 commit checked: 1 problem
exit 3
$ lineage verify nope
2> error: no branch, tag or commit is called 'nope'
2> hint: `lineage branch` lists the branches, `lineage log` the commits
exit 5
""")


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

    assert transcript("events", "events -n 1 --format csv") == snapshot("""\
$ lineage events
event     time              by           what    subject
aaaaaaaa  2026-01-02 03:04  Ada Example  tag     v1
  good enough
bbbbbbbb  2026-01-02 03:04  Ada Example  commit  dataset/seed
cccccccc  2026-01-02 03:04  Ada Example  init
$ lineage events -n 1 --format csv
id,type,time,author,message,subject,refs
aaaaaaaaaaaa…,tag,2026-01-02T03:04:05.678901Z,Ada Example <ada@example.com>,good enough,dddddddddddd…,"[{""ref"": ""tags/v1"", ""before"": null, ""after"": ""dddddddddddd…""}]"
""")
    assert list(newest) == [
        "schema_version", "id", "type", "time", "author", "message", "subject", "refs",
        "data",
    ]  # fmt: skip
    assert newest["refs"][0]["ref"] == "tags/v1"


@pytest.mark.parametrize("place", [".git/HEAD", ".git/lineage/x", ".dvc/config"])
def test_get_writes_nothing_among_the_registrys_files(
    repo: Registry, run: Run, place: str
) -> None:
    """Not even with --force, which is for files of the user's."""
    (repo.root / "a.txt").write_text("text", encoding="utf-8")
    run("commit", "dataset", "a.txt", "--name", "a")
    held = {path: path.read_bytes() for path in [repo.root / ".git/HEAD"]}
    for words in (("get", "-f", "dataset/a", place), ("report", "HEAD", "-o", place)):
        done = run(*words)

        assert (done.exit_code, "the registry's own files" in done.stderr) == (2, True)
    assert all(path.read_bytes() == data for path, data in held.items())


@pytest.mark.parametrize("words", [[], ["--force"]])
def test_get_replaces_no_pipe(
    data: Path, tmp_path: Path, run: Run, words: list[str]
) -> None:
    """Not even with --force: programs wait at it, or it is a device."""
    del data
    os.mkfifo(tmp_path / "pipe")

    done = run("get", "dataset/seed", str(tmp_path / "pipe"), *words)

    assert (done.exit_code, "is a pipe or a device" in done.stderr) == (2, True)
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.usefixtures("data")
def test_verify_since_an_event_that_was_noted(
    repo: Registry, run: Run, transcript: Transcript
) -> None:
    """Nothing before it has changed; an event that is not there is a finding."""
    noted = run("events", "-n", "1", "--format", "jsonl").jsonl()[0]["id"]
    run("tag", "v1", "dataset/seed")
    assert transcript(
        f"verify --since {noted}",
        f"verify --since {noted[:8]}",
        f"verify --since {'f' * 64}",
        "verify --since HEAD",
        f"verify --since {noted} --evidence",
    ) == snapshot("""\
$ lineage verify --since aaaaaaaaaaaa…
2> the log was only added to since aaaaaaaaaaaa: 1 event came after it
2> aaaaaaaaaaaa and the 1 event before it are as they were when it was noted; what was changed earlier cannot be seen
2> 1 commit checked: all as recorded
$ lineage verify --since aaaaaaaa
2> the log was only added to since aaaaaaaaaaaa: 1 event came after it
2> aaaaaaaaaaaa and the 1 event before it are as they were when it was noted; what was changed earlier cannot be seen
2> only 8 digits were compared, and another event can be made that has them
2> 1 commit checked: all as recorded
$ lineage verify --since bbbbbbbbbbbb…
id            path  problem
bbbbbbbbbbbb        the log has lost this event, which was noted: it was cut or rewritten, or it is the log of another registry
2> 1 commit checked: 1 problem
exit 3
$ lineage verify --since HEAD
2> error: 'HEAD' is not the id of an event
2> hint: give the id that was noted, or at least 4 digits of it
exit 2
$ lineage verify --since aaaaaaaaaaaa… --evidence
2> error: --evidence goes alone, but for --dry-run
exit 2
""")
    found = run("verify", "--since", noted, "--format", "json").json()
    assert found["since"] == {
        "event": noted,
        "time": repo.events_log.find(noted)[0].event.time,
        "before": 1,
        "after": 1,
        "beside": 0,
    }
    assert run("verify", "--format", "json").json()["since"] is None
