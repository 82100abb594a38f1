# ruff: noqa: E501 - transcripts are as wide as they are
"""`lineage commit`: what can be recorded, and what is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

from lineage.store.objects import KINDS, ROLES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage.registry import Registry

    Run = Callable[..., Any]
    Transcript = Callable[..., str]


@pytest.fixture
def corpus(repo: Registry) -> Path:
    """Write a text file into the registry's folder."""
    path = repo.root / "corpus.txt"
    path.write_text("It was the best of times.\n", encoding="utf-8")
    return path


@pytest.mark.usefixtures("corpus")
def test_a_first_day(transcript: Transcript) -> None:
    """Data prints the id, talk says what happened; the same again is a no-op."""
    assert transcript(
        "commit dataset corpus.txt --name seed --origin human --licence CC0 -m first",
        "commit dataset corpus.txt --name seed --origin human --licence CC0",
        "commit model corpus.txt --name tutor --trained-on dataset/seed,share=3/3 "
        "--metric loss=2.5 --param lr=2e-3",
        "-q commit config --name tutor --param steps=250",
        "log --all",
    ) == snapshot("""\
$ lineage commit dataset corpus.txt --name seed --origin human --licence CC0 -m first
aaaaaaaaaaaa…
2> dataset seed recorded on dataset/seed: 1 file, 26 B
$ lineage commit dataset corpus.txt --name seed --origin human --licence CC0
aaaaaaaaaaaa…
2> dataset seed is unchanged on dataset/seed
$ lineage commit model corpus.txt --name tutor --trained-on dataset/seed,share=3/3 --metric loss=2.5 --param lr=2e-3
bbbbbbbbbbbb…
2> model tutor recorded on model/tutor: 1 file, 26 B
$ lineage -q commit config --name tutor --param steps=250
cccccccccccc…
$ lineage log --all
□  cccccccc config tutor (HEAD -> config/tutor)            Ada Example, just now
◆  bbbbbbbb model tutor (model/tutor)                      Ada Example, just now
   loss 2.5
   ← seed aaaaaaaa
""")


@pytest.mark.usefixtures("corpus")
def test_json(run: Run) -> None:
    """The JSON has exactly the documented fields."""
    args = ("commit", "dataset", "corpus.txt", "--name", "seed", "--format", "json")
    first, again = run(*args).json(), run(*args).json()

    assert list(first) == [
        "schema_version", "id", "git", "kind", "name", "branch", "created",
    ]  # fmt: skip
    assert first["branch"] == "dataset/seed"
    assert again == {**first, "created": False}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind(kind: str, repo: Registry, run: Run) -> None:
    """Each kind goes on its own branch."""
    seed = run("commit", "config", "--name", "seed", "--param", "a=1").stdout.strip()
    made = run("commit", kind, "--name", "org/x", "--edge", f"includes={seed}")
    place = "loop" if kind == "generation" else kind

    assert repo.branches()[f"{place}/org/x"] == made.stdout.strip()


@pytest.mark.parametrize("role", ROLES)
def test_every_role(role: str, repo: Registry, run: Run) -> None:
    """--edge takes every role there is."""
    run("commit", "generation", "--name", "g", "--param", "a=1")
    made = run("commit", "generation", "--name", "h", "--edge", f"{role}=loop/g")
    [edge] = repo.load(made.stdout.strip()).edges

    assert (edge.role, edge.id) == (role, repo.resolve("loop/g"))


@pytest.mark.parametrize(
    "option",
    ["trained-on", "generated-by", "derived-from", "fine-tuned-from", "configured-by",
     "includes", "follows"],
)  # fmt: skip
def test_short_forms(option: str, repo: Registry, run: Run) -> None:
    """The short forms are edges too, and take a share."""
    run("commit", "generation", "--name", "g,h", "--param", "a=1")
    made = run(
        "commit", "generation", "--name", "x", f"--{option}", "loop/g,h,share=1/4"
    )
    [edge] = repo.load(made.stdout.strip()).edges

    assert edge.role == option.replace("-", "_")
    assert edge.share == {"records": [1, 4]}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2e-3", 0.002), ("1E5", 100000.0), ("-7", -7), ("+.5", 0.5), ("3.", 3.0),
        ("007", 7), ("true", True), ("null", None), ("~", None), ("", None),
        ("no", "no"), ("1_000", "1_000"), ("1:30", "1:30"), ("'12'", "12"),
        ('"a b"', "a b"), ("a=b", "a=b"), ("2026-01-02", "2026-01-02"), ("0x1", "0x1"),
        ("٣", "٣"),
    ],
)  # fmt: skip
def test_params_are_typed(text: str, value: object, repo: Registry, run: Run) -> None:
    """A parameter is a number where YAML 1.2 says so, and otherwise text."""
    id_ = run("commit", "config", "--name", "c", "--param", f"k={text}").stdout.strip()
    found = repo.load(id_).params["k"]

    assert found == value
    assert type(found) is type(value) or value in (3.0, 100000.0)


def test_files_of_params_and_metrics(repo: Registry, run: Run) -> None:
    """Files are read as YAML or JSON; the command line has the last word."""
    params, metrics = repo.root / "params.yaml", repo.root / "metrics.json"
    params.write_text("lr: 2e-3\nmix: {human: 0.5}\nseed: 1\n", encoding="utf-8")
    loss = {"value": 2.5, "direction": "lower", "n": 10, "interval": [2, 3]}
    metrics.write_text(json.dumps({"loss": loss, "rows": 3}), encoding="utf-8")

    made = run("commit", "model", "--name", "m", "--params", params, "--param",
               "seed=2", "--metrics", metrics, "--metric", "rows=4")  # fmt: skip
    commit = repo.load(made.stdout.strip())

    assert commit.params == {"lr": 0.002, "mix": {"human": 0.5}, "seed": 2}
    assert commit.metrics["loss"].direction == "lower"
    assert commit.metrics["loss"].interval == [2, 3]
    assert commit.metrics["rows"].value == 4


def test_origin_external_and_branch(repo: Registry, run: Run) -> None:
    """Options end up where the format has them."""
    digest = f"sha256:{'a' * 64}"
    made = run(
        "commit", "model", "--name", "judge", "--external", "hf://org/judge",
        "--digest", digest, "--branch", "judges", "--origin", "unknown",
        "--source", "the hub", "--licence", "MIT",
    )  # fmt: skip
    commit = repo.load(made.stdout.strip())

    assert commit.external == {"uri": "hf://org/judge", "digest": digest}
    assert commit.origin == {"type": "unknown", "source": "the hub", "licence": "MIT"}
    assert repo.branches() == {"judges": commit.id}


def test_reference(repo: Registry, corpus: Path, run: Run) -> None:
    """--reference hashes in place and stores nothing."""
    made = run("commit", "dataset", corpus, "--name", "big", "--reference")
    payload = repo.load(made.stdout.strip()).payload

    assert payload is not None
    assert not payload.stored
    assert not list(repo.payloads.cache.glob("files/md5/*/*"))


def test_what_is_refused(repo: Registry, corpus: Path, transcript: Transcript) -> None:
    """Bad input is one sentence, the right exit code, and an unchanged registry."""
    folder = corpus.parent
    (folder / "empty").mkdir()
    (folder / "link.txt").symlink_to("nowhere")
    (folder / "nan.json").write_text('{"loss": NaN}', encoding="utf-8")
    (folder / "list.yaml").write_text("- a\n- b\n", encoding="utf-8")
    (folder / "bad.yaml").write_text("a: [1\nb: 2\n", encoding="utf-8")
    (folder / "twice.yaml").write_text("a: 1\na: 2\n", encoding="utf-8")
    (folder / "latin.yaml").write_bytes(b"name: caf\xe9\n")
    (folder / "metric.json").write_text(
        '{"loss": {"value": 1, "mean": 1}}', encoding="utf-8"
    )
    before = repo.events_log.tip()

    shown = transcript(
        "commit modle corpus.txt --name a",
        "commit dataset corpus.txt",
        "commit dataset missing.txt --name a",
        "commit dataset empty --name a",
        "commit dataset link.txt --name a",
        "commit dataset corpus.txt --name=-x",
        "commit dataset corpus.txt --name a..b",
        "commit dataset corpus.txt --name 'tab\tbed'",
        "commit dataset corpus.txt --name ''",
        "commit dataset corpus.txt --name a --branch 'b~1'",
        "commit dataset corpus.txt --name a --trained-on nope",
        "commit dataset corpus.txt --name a --edge trained_on",
        "commit dataset corpus.txt --name a --edge taught_by=HEAD",
        "commit dataset corpus.txt --name a --metric loss=nan",
        "commit dataset corpus.txt --name a --metric loss=.nan",
        "commit dataset corpus.txt --name a --metric loss=1e999",
        "commit dataset corpus.txt --name a --metric loss",
        "commit dataset corpus.txt --name a --metric loss=1 --metric loss=2",
        "commit dataset corpus.txt --name a --metrics nan.json",
        "commit dataset corpus.txt --name a --metrics metric.json",
        "commit dataset corpus.txt --name a --metrics missing.json",
        "commit dataset corpus.txt --name a --params list.yaml",
        "commit dataset corpus.txt --name a --params bad.yaml",
        "commit dataset corpus.txt --name a --params twice.yaml",
        "commit dataset corpus.txt --name a --params latin.yaml",
        "commit dataset corpus.txt --name a --params .",
        "commit dataset corpus.txt --name a --origin alien",
        "commit dataset corpus.txt --name a --source web",
        "commit dataset corpus.txt --name a --digest sha256:1",
        "commit model --name a --external hf://a --digest sha256:1",
        "commit model corpus.txt --name a --external hf://a",
        "commit model --name a --reference",
        "commit model --name a",
        "commit generation corpus.txt --name a",
    )  # fmt: skip

    assert shown == snapshot("""\
$ lineage commit modle corpus.txt --name a
2> error: 'modle' is not a kind of commit
2> hint: one of: config, dataset, model, generation
exit 2
$ lineage commit dataset corpus.txt
2> error: missing option '--name'
2> hint: see `lineage commit --help`
exit 2
$ lineage commit dataset missing.txt --name a
2> error: /test/repo/missing.txt does not exist
2> hint: check the path
exit 1
$ lineage commit dataset empty --name a
2> error: /test/repo/empty holds no files
2> hint: give a file, or a folder that holds one
exit 2
$ lineage commit dataset link.txt --name a
2> error: /test/repo/link.txt is a broken symbolic link to nowhere
2> hint: commit what it points to, or copy the folder with `cp -rL` first
exit 2
$ lineage commit dataset corpus.txt --name=-x
2> error: the name '-x' starts with -
2> hint: any printable text without .. @{ ~ ^ : and not starting with -
exit 2
$ lineage commit dataset corpus.txt --name a..b
2> error: the name 'a..b' contains .., which revisions are written with
2> hint: any printable text without .. @{ ~ ^ : and not starting with -
exit 2
$ lineage commit dataset corpus.txt --name 'tab	bed'
2> error: the name 'tab\\tbed' has characters that do not print, or spaces at an end
2> hint: any printable text without .. @{ ~ ^ : and not starting with -
exit 2
$ lineage commit dataset corpus.txt --name ''
2> error: --name is empty
2> hint: give it a value
exit 2
$ lineage commit dataset corpus.txt --name a --branch 'b~1'
2> error: the branch 'b~1' contains ~, which revisions are written with
2> hint: any printable text without .. @{ ~ ^ : and not starting with -
exit 2
$ lineage commit dataset corpus.txt --name a --trained-on nope
2> error: no branch, tag or commit is called 'nope'
2> hint: `lineage branch` lists the branches, `lineage log` the commits
exit 5
$ lineage commit dataset corpus.txt --name a --edge trained_on
2> error: the edge 'trained_on' is not ROLE=REV
2> hint: write it as --edge trained_on=dataset/seed
exit 2
$ lineage commit dataset corpus.txt --name a --edge taught_by=HEAD
2> error: 'taught_by' is not a role
2> hint: one of: trained_on, fine_tuned_from, generated_by, derived_from, selected_by, rewarded_by, distilled_from, merged_from, quantized_from, configured_by, evaluated_on, includes, follows, revises
exit 2
$ lineage commit dataset corpus.txt --name a --metric loss=nan
2> error: the metric loss: a metric is a number, not 'nan'
exit 2
$ lineage commit dataset corpus.txt --name a --metric loss=.nan
2> error: metrics.loss.value is nan, which has no place in a manifest
2> hint: give a finite number or leave it out
exit 2
$ lineage commit dataset corpus.txt --name a --metric loss=1e999
2> error: metrics.loss.value is inf, which has no place in a manifest
2> hint: give a finite number or leave it out
exit 2
$ lineage commit dataset corpus.txt --name a --metric loss
2> error: the metric 'loss' is not a name and a value
2> hint: write it as --metric name=value
exit 2
$ lineage commit dataset corpus.txt --name a --metric loss=1 --metric loss=2
2> error: the metric loss is given twice
exit 2
$ lineage commit dataset corpus.txt --name a --metrics nan.json
2> error: nan.json is not JSON: NaN is not a JSON number
exit 2
$ lineage commit dataset corpus.txt --name a --metrics metric.json
2> error: the metric loss: a metric has the unknown field 'mean'
2> hint: fields: value, definition, version, direction, n, interval
exit 2
$ lineage commit dataset corpus.txt --name a --metrics missing.json
2> error: reading missing.json failed: No such file or directory (missing.json)
exit 1
$ lineage commit dataset corpus.txt --name a --params list.yaml
2> error: list.yaml does not map names to values
2> hint: params are written as `name: value`, one per line
exit 2
$ lineage commit dataset corpus.txt --name a --params bad.yaml
2> error: bad.yaml: line 2: expected ',' or ']', but got ':'
exit 2
$ lineage commit dataset corpus.txt --name a --params twice.yaml
2> error: twice.yaml: line 2: 'a' is given twice
exit 2
$ lineage commit dataset corpus.txt --name a --params latin.yaml
2> error: latin.yaml: line 1 is not UTF-8 text
2> hint: save the file as UTF-8
exit 2
$ lineage commit dataset corpus.txt --name a --params .
2> error: . cannot be read: Is a directory
exit 1
$ lineage commit dataset corpus.txt --name a --origin alien
2> error: 'alien' is not an origin
2> hint: one of: human, machine, mixed, unknown
exit 2
$ lineage commit dataset corpus.txt --name a --source web
2> error: --source and --licence say more about an origin
2> hint: add --origin human, machine, mixed or unknown
exit 2
$ lineage commit dataset corpus.txt --name a --digest sha256:1
2> error: --digest is for --external
2> hint: add --external URI
exit 2
$ lineage commit model --name a --external hf://a --digest sha256:1
2> error: the digest 'sha256:1' is not a SHA-256
2> hint: it is written as sha256: and 64 lower-case hexadecimal digits
exit 2
$ lineage commit model corpus.txt --name a --external hf://a
2> error: an external artifact has no files here
2> hint: leave out PATH or --external
exit 2
$ lineage commit model --name a --reference
2> error: --reference hashes files in place
2> hint: give a PATH
exit 2
$ lineage commit model --name a
2> error: the model a would be empty
2> hint: give a PATH, --external URI, parameters or edges
exit 2
$ lineage commit generation corpus.txt --name a
2> error: a generation has no files of its own
2> hint: commit them as a dataset or model and add --includes
exit 2
""")
    assert repo.events_log.tip() == before
    assert not list(repo.payloads.cache.glob("files/md5/*/*"))


@pytest.mark.usefixtures("corpus")
def test_edges_that_are_refused(repo: Registry, transcript: Transcript) -> None:
    """Shares are pairs of counts, edges are given once, only generations follow."""
    repo.commit("dataset", "seed", params={"rows": 2})
    before = repo.events_log.tip()

    shown = transcript(
        "commit model corpus.txt --name a --trained-on HEAD,share=20%",
        "commit model corpus.txt --name a --trained-on HEAD,share=3/2",
        "commit model corpus.txt --name a --trained-on HEAD --trained-on dataset/seed",
        "commit model corpus.txt --name a --follows HEAD",
    )

    assert shown == snapshot("""\
$ lineage commit model corpus.txt --name a --trained-on HEAD,share=20%
2> error: the share '20%' is not a/b
2> hint: write the records that came along it of all: share=1250/2500
exit 2
$ lineage commit model corpus.txt --name a --trained-on HEAD,share=3/2
2> error: the share records=[3, 2] is not a pair of counts a of b, a <= b
2> hint: write it as share=1250/2500
exit 2
$ lineage commit model corpus.txt --name a --trained-on HEAD --trained-on dataset/seed
2> error: two edges trained_on lead to aaaaaaaaaaaa
2> hint: give each edge once
exit 2
$ lineage commit model corpus.txt --name a --follows HEAD
2> error: only a generation follows another commit
exit 2
""")
    assert repo.events_log.tip() == before
