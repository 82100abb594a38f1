"""`lineage report`: to stdout or to a file, the same bytes every time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

from lineage.audit import formats
from lineage.audit.audiences import AUDIENCES
from lineage.bundle import LEVELS
from lineage.cli import report

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage import Registry

    Run = Callable[..., Any]
    Transcript = Callable[..., str]


@pytest.mark.usefixtures("loop")
def test_a_page(run: Run, tmp_path: Path) -> None:
    """HTML is the default; a file gets the bytes that stdout gets."""
    done = run("report", "HEAD")
    told = run("report", "HEAD", "-o", tmp_path / "report.html")
    dash = run("report", "HEAD", "-o", "-")

    assert (done.exit_code, done.stderr, told.stdout) == (0, "", "")
    assert done.stdout.startswith("<!doctype html>")
    assert dash.stdout == done.stdout
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


def test_mistakes(repo: Registry, run: Run, transcript: Transcript) -> None:
    """Each is one sentence, and nothing is written or recorded."""
    repo.commit("config", "settings", params={"seed": 1})
    before = list(repo.events())

    assert transcript(
        "report",
        "report nothing",
        "report HEAD -o no/such/folder.html",
        "report HEAD -o .",
        "report HEAD --format bundle -o .",
        "report HEAD --format bundle -o no/such/folder.zip",
        "report HEAD --format oms --template full",
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
2> error: . is a folder, and the report is a file
2> hint: name the file in it
exit 2
$ lineage report HEAD --format bundle -o .
2> error: . is a folder, and the bundle is a file
2> hint: name the file in it
exit 2
$ lineage report HEAD --format bundle -o no/such/folder.zip
2> error: there is no folder no/such to write the bundle to
exit 1
$ lineage report HEAD --format oms --template full
2> error: --template says nothing of oms
2> hint: give them a report with it: `-o report.html`
exit 2
""")
    assert list(repo.events()) == before
    empty = run("report", "HEAD", "--template", "")
    assert (empty.exit_code, empty.stdout) == (2, "")
    assert empty.stderr.startswith("error: --template is empty\n")


def test_a_key_that_signs(repo: Registry, transcript: Transcript) -> None:
    """The option goes with formats that are signed, and the key has to be there."""
    (repo.root / "weights").write_text("weights")
    repo.commit("model", "tutor", path=repo.root / "weights")

    assert transcript(
        "report HEAD --sign-key key.pem",
        "report HEAD --format oms --sign-key key.pem",
        "report HEAD --format oms",
    ) == snapshot("""\
$ lineage report HEAD --sign-key key.pem
2> error: --sign-key says nothing of html
2> hint: it is for --format oms, in-toto, bundle
exit 2
$ lineage report HEAD --format oms --sign-key key.pem
2> error: there is no key key.pem
2> hint: make one: `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem`
exit 1
$ lineage report HEAD --format oms
{"_type":"https://in-toto.io/Statement/v1","predicate":{"resources":[{"algorithm":"sha256","digest":"aaaaaaaaaaaa…","name":"weights"}],"serialization":{"allow_symlinks":false,"hash_type":"sha256","method":"files"}},"predicateType":"https://model_signing/signature/v1.0","subject":[{"digest":{"sha256":"bbbbbbbbbbbb…"},"name":"tutor"}]}
""")  # noqa: E501


def test_every_format_has_its_name() -> None:
    """The command offers the formats, audiences and payloads that there are."""
    assert tuple(formats.FORMATS) == report.FORMATS
    assert formats.CARDS == report.CARDS
    assert AUDIENCES == report.AUDIENCES
    assert LEVELS == report.PAYLOADS


MINE = """\
id: mine
version: 3
title: What we ask
source: {law: none, part: all, text: ours, date: '2026-11-03'}
items:
- {key: what, article: '1', question: 'What is it?', audience: [public, authority], answers: [subject]}
- {key: why, article: '2', question: 'What for?', audience: [authority], stated: intended_purpose}
"""  # noqa: E501


def test_templates(repo: Registry, transcript: Transcript) -> None:
    """They are listed, found by name or as a file, and mistakes are one sentence."""
    repo.commit("config", "settings", params={"seed": 1})
    (repo.root / "mine.yaml").write_text(MINE)
    (repo.root / "slip.yaml").write_text(MINE.replace("[subject]", "[subjekt]"))

    assert transcript(
        "report --templates",
        "report HEAD --template gdpr",
        "report HEAD --template slip.yaml",
        "report HEAD --template eu-annex-iv --audience public",
        "report HEAD --format bundle --audience public -o all.zip",
        "report HEAD --format oms --audience downstream",
        "report HEAD --template mine.yaml --format md -o report.md",
    ) == snapshot("""\
$ lineage report --templates
template      version  items  for                            asks for
ab-2013             1     12  public, downstream, authority  Training data of a generative AI system (California)
eu-annex-iv         1     31  authority                      Technical documentation of a high-risk AI system
eu-art-10-15        1     24  downstream, authority          Data, records, oversight and robustness of a high-risk AI system
eu-gpai             1     32  public, downstream, authority  Documentation of a general-purpose AI model
nist-600-1          1     24  public, downstream, authority  Actions of the generative AI profile that records of lineage bear on
full                1     43  public, downstream, authority  Everything that a registry knows
$ lineage report HEAD --template gdpr
2> error: no template is called 'gdpr'
2> hint: there are ab-2013, eu-annex-iv, eu-art-10-15, eu-gpai, nist-600-1, full, and files of your own: mine.yaml
exit 2
$ lineage report HEAD --template slip.yaml
2> error: slip.yaml: line 6: answers has no 'subjekt'; did you mean subject?
2> hint: `lineage report --templates` lists good ones
exit 2
$ lineage report HEAD --template eu-annex-iv --audience public
2> error: eu-annex-iv asks for nothing that is for public
2> hint: it is for authority
exit 2
$ lineage report HEAD --format bundle --audience public -o all.zip
2> error: a bundle holds the whole log, for an authority
2> hint: give them the report: `--audience public -o report.html`
exit 2
$ lineage report HEAD --format oms --audience downstream
2> error: oms names every file, for whoever has them
2> hint: give them the report: `--audience downstream -o report.html`
exit 2
$ lineage report HEAD --template mine.yaml --format md -o report.md
2> report.md: 1 commit, 0 gaps, 1.52 kB
""")  # noqa: E501


def test_a_template_of_ones_own(repo: Registry, run: Run) -> None:
    """A file's items are answered, those that are for somebody else left out."""
    made = repo.commit("config", "settings", params={"seed": 1})
    (repo.root / "mine.yaml").write_text(MINE)
    run("attest", "HEAD", "--state", "intended_purpose=sums")
    asked = ("report", "HEAD", "--template", "mine.yaml", "--format", "json")
    everything = run(*asked).json()["obligations"]
    public = run(*asked, "--audience", "public").json()

    assert (everything["id"], everything["version"]) == ("mine", 3)
    assert [item["status"] for item in everything["items"]] == ["recorded", "stated"]
    assert everything["items"][1]["fields"][0]["field"]["value"] == "sums"
    assert [item["key"] for item in public["obligations"]["items"]] == ["what"]
    assert public["audience"] == "public"
    assert made.id in str(public)
    assert "sums" not in str(public)
    assert "Ada" not in str(public)
