"""`lineage verify --evidence`: what people and programs see."""

from __future__ import annotations

import json
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
def _mixes(repo: Registry, run: Run, tmp_path: Path) -> None:
    """Two datasets, a true mix of them and a false one."""
    del repo
    for name in ("human", "machine"):
        lines = (json.dumps({"text": f"{name} {n}"}) + "\n" for n in range(8))
        (tmp_path / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
        run("commit", "dataset", tmp_path / f"{name}.jsonl", "--name", name)
    human, machine = (
        (tmp_path / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        for name in ("human", "machine")
    )
    (tmp_path / "mixed.jsonl").write_text("\n".join(human[:6] + machine[:2]) + "\n")
    for name, (a, b) in {"true": (6, 2), "false": (2, 6)}.items():
        edges = [f"dataset/human,share={a}/8", f"dataset/machine,share={b}/8"]
        words = [word for edge in edges for word in ("--derived-from", edge)]
        run("commit", "dataset", tmp_path / "mixed.jsonl", "--name", name, *words)


@pytest.mark.usefixtures("_mixes")
def test_a_true_and_a_false_claim(transcript: Transcript) -> None:
    """Each edge has its verdict; a contradicted one is the exit code, and stays."""
    assert transcript(
        "verify --evidence dataset/true",
        "verify --evidence dataset/true",
        "verify --evidence dataset/false --dry-run",
        "verify --evidence dataset/false",
        "show dataset/false",
        "events -n 2",
    ) == snapshot("""\
$ lineage verify --evidence dataset/true
commit    role          from      verdict
aaaaaaaa  derived_from  bbbbbbbb  verified
  2 of its 8 records are in it; its share says 2 of 8
aaaaaaaa  derived_from  cccccccc  verified
  6 of its 8 records are in it; its share says 6 of 8
2> 1 commit, 2 edges: 2 verified, 0 contradicted, 0 undecided
2> recorded in 1 event
$ lineage verify --evidence dataset/true
commit    role          from      verdict
aaaaaaaa  derived_from  bbbbbbbb  verified
  2 of its 8 records are in it; its share says 2 of 8
aaaaaaaa  derived_from  cccccccc  verified
  6 of its 8 records are in it; its share says 6 of 8
2> 1 commit, 2 edges: 2 verified, 0 contradicted, 0 undecided
2> nothing new
$ lineage verify --evidence dataset/false --dry-run
commit    role          from      verdict
dddddddd  derived_from  bbbbbbbb  contradicted
  its share says 6 of 8; 2 can be from it
dddddddd  derived_from  cccccccc  contradicted
  its share says 2 of 8; 6 are in it, 6 only there: the shares cannot all be so
2> 1 commit, 2 edges: 0 verified, 2 contradicted, 0 undecided
2> nothing was recorded: --dry-run
exit 3
$ lineage verify --evidence dataset/false
commit    role          from      verdict
dddddddd  derived_from  bbbbbbbb  contradicted
  its share says 6 of 8; 2 can be from it
dddddddd  derived_from  cccccccc  contradicted
  its share says 2 of 8; 6 are in it, 6 only there: the shares cannot all be so
2> 1 commit, 2 edges: 0 verified, 2 contradicted, 0 undecided
2> recorded in 1 event
exit 3
$ lineage show dataset/false
dataset false (HEAD -> dataset/false)
id        dddddddddddd…
git       eeeeeeeeeeee…
recorded  2026-01-02 03:04:05 +0000 (just now)
by        Ada Example <ada@example.com>
payload   1 file, 164 B
from      /test/mixed.jsonl

edges
  role          commit    what                    share  evidence
  derived_from  bbbbbbbb  dataset machine  6 of 8, 75 %  contradicted
  derived_from  cccccccc  dataset human    2 of 8, 25 %  contradicted

events
  time              event     by           message
  2026-01-02 03:04  evidence  Ada Example  contradicted: 2 derived_from

files
  path          size  sha256
  mixed.jsonl  164 B  ffffffffffff
$ lineage events -n 2
event     time              by           what      subject
gggggggg  2026-01-02 03:04  Ada Example  evidence  dddddddd
  contradicted: 2 derived_from
hhhhhhhh  2026-01-02 03:04  Ada Example  evidence  aaaaaaaa
  verified: 2 derived_from
""")


@pytest.mark.usefixtures("_mixes")
def test_programs_get_all_of_it(run: Run) -> None:
    """Figures and how each edge stands, in JSON, JSONL and CSV."""
    done = run("verify", "--evidence", "--format", "json")
    assert done.exit_code == 3
    data = done.json()
    assert (data["checked"], data["blind"], data["dry_run"]) == (4, 0, False)
    assert len(data["edges"]) == 4
    verdicts = {edge["verdict"] for edge in data["edges"]}
    assert verdicts == {"verified", "contradicted"}
    [edge] = [e for e in data["edges"] if e["figures"]["share"] == [6, 8]][:1]
    assert edge["figures"]["records"] == 8
    assert len(edge["event"]) == 64
    again = run("verify", "--evidence", "--format", "jsonl")
    lines = again.jsonl()
    assert [line["verdict"] for line in lines] == [e["verdict"] for e in data["edges"]]
    assert {line["event"] for line in lines} == {None}
    csv = run("verify", "--evidence", "--format", "csv").stdout.splitlines()
    assert csv[0].startswith("commit,role,id,evidence,verdict,grade,method,sentence")
    assert len(csv) == 5


@pytest.mark.usefixtures("_mixes")
def test_a_claim_once_contradicted_stays_so(run: Run, repo: Registry) -> None:
    """Without the bytes nothing is decided anew, and the exit code says it still."""
    assert run("verify", "--evidence", "dataset/false").exit_code == 3
    [entry] = repo.files(repo.resolve("dataset/false"))
    place = repo.payloads.path(entry.md5)
    place.chmod(0o644)
    place.write_bytes(b"x" * entry.size)
    done = run("verify", "--evidence", "dataset/false")
    assert done.exit_code == 3
    assert "2 edges contradicted before, and undecided now" in done.stderr


def test_options_that_do_not_go_together(repo: Registry, run: Run) -> None:
    """Evidence is no repair, and nothing else has a dry run."""
    del repo
    for words in (
        ("--evidence", "--repair"), ("--evidence", "--remote"), ("--dry-run",)
    ):  # fmt: skip
        assert run("verify", *words).exit_code == 2
    done = run("verify", "--evidence")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr.startswith("0 commits, 0 edges: 0 verified")
