"""`lineage report`: to stdout or to a file, the same bytes every time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

from lineage.audit import formats
from lineage.cli.report import FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage.registry import Registry

    Run = Callable[..., Any]
    Transcript = Callable[..., str]


@pytest.mark.usefixtures("loop")
def test_a_page(run: Run, tmp_path: Path) -> None:
    """HTML is the default; a file gets the bytes that stdout gets."""
    done = run("report", "HEAD")
    told = run("report", "HEAD", "-o", tmp_path / "report.html")

    assert (done.exit_code, done.stderr, told.stdout) == (0, "", "")
    assert done.stdout.startswith("<!doctype html>")
    assert "Generation 2 of tutor" in done.stdout
    assert (tmp_path / "report.html").read_bytes() == done.stdout.encode()
    assert told.stderr.startswith(f"{tmp_path / 'report.html'}: ")


def test_json(loop: Any, run: Run) -> None:
    """The same facts for programs."""
    data = run("report", "loop/tutor", "--format", "json").json()

    assert data["schema_version"] == 2
    assert data["subjects"] == [loop.made[-1][0]]
    assert [turn["number"] for turn in data["loops"][0]["generations"]] == [0, 1, 2]


def test_bytes_depend_on_the_registry_alone(
    loop: Any, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the process, its hash seed, its time zone nor its place matter."""
    pages = []
    for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo")):
        monkeypatch.setenv("PYTHONHASHSEED", seed)
        monkeypatch.setenv("TZ", zone)
        for format_ in ("html", "json"):
            done = run("report", "loop/tutor", "--format", format_, apart=True)
            pages.append(done.stdout)
        (loop.registry.root / "deep").mkdir(exist_ok=True)
        monkeypatch.chdir(loop.registry.root / "deep")

    assert pages[:2] == pages[2:]
    assert json.loads(pages[1])["subjects"] == [loop.made[-1][0]]


def test_mistakes(repo: Registry, transcript: Transcript) -> None:
    """Each is one sentence, and nothing is written or recorded."""
    repo.commit("config", "settings", params={"seed": 1})
    before = list(repo.events())

    assert transcript(
        "report",
        "report nothing",
        "report HEAD -o no/such/folder.html",
        "report HEAD -o .",
    ) == snapshot("""\
$ lineage report
2> error: missing argument 'REVSET'
2> hint: see `lineage report --help`
exit 2
$ lineage report nothing
2> error: no branch, tag or commit is called 'nothing'
2> hint: `lineage branch` lists the branches, `lineage log` the commits
exit 5
$ lineage report HEAD -o no/such/folder.html
2> error: there is no folder no/such to write the report to
exit 1
$ lineage report HEAD -o .
2> error: writing the report failed: Is a directory (.)
exit 1
""")
    assert list(repo.events()) == before


def test_every_format_has_its_name() -> None:
    """The command offers the formats that there are."""
    assert tuple(formats.FORMATS) == FORMATS
