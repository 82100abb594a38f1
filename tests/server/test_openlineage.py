"""OpenLineage, in and out: the real client against our server, and our own sender."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import (
    InputDataset,
    Job,
    OutputDataset,
    Run,
    RunEvent,
    RunState,
)
from openlineage.client.facet_v2 import dataset_type_dataset
from openlineage.client.transport.http import HttpConfig, HttpTransport

from lineage.integrations.openlineage.outgoing import run_event
from lineage.store.objects import Edge

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi.testclient import TestClient

    from lineage import Registry

    Run_ = Callable[..., Any]

EVENT: dict[str, Any] = {
    "eventTime": "2026-11-26T12:00:00Z",
    "producer": "https://example.org/airflow",
    "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
    "eventType": "COMPLETE",
    "run": {"runId": "01933b2e-0000-7000-8000-000000000000"},
    "job": {"namespace": "airflow", "name": "clean"},
}
# Of each sample of openlineage.io's spec/tests; SPEC_TESTS names a folder of them.
SPEC = os.environ.get("SPEC_TESTS")


def data(name: str, namespace: str = "s3://bucket", **facets: Any) -> dict[str, Any]:
    return {"namespace": namespace, "name": name, "facets": facets}


def test_the_python_client_is_understood(repo: Registry, url: str) -> None:
    """START and COMPLETE of a training make one model, with the edges it declares."""
    client = OpenLineageClient(transport=HttpTransport(HttpConfig(url=url)))
    run, job = Run("01933b2e-1111-7000-8000-000000000000"), Job("jobs", "train")
    kind = dataset_type_dataset.DatasetTypeDatasetFacet(datasetType="MODEL")
    for state in (RunState.START, RunState.COMPLETE):
        client.emit(
            RunEvent(
                eventType=state,
                eventTime="2026-11-26T12:00:00.000Z",
                run=run,
                job=job,
                producer="https://example.org/trainer",
                inputs=[
                    InputDataset("s3://bucket", "texts"),
                    InputDataset("s3://bucket", "base", facets={"datasetType": kind}),
                ],
                outputs=[OutputDataset("hdfs://n:1", "m", facets={"datasetType": kind})]
                if state is RunState.COMPLETE
                else [],
            )
        )
    client.close()
    model = repo.load(repo.resolve("model/hdfs/n_1/m"))
    assert model.external == {"uri": "hdfs://n:1/m"}
    assert {(e.role, e.evidence, repo.load(e.id).name) for e in model.edges} == {
        ("trained_on", "declared", "s3/bucket/texts"),
        ("fine_tuned_from", "declared", "s3/bucket/base"),
    }
    started = next(e for _, e in repo.events() if e.type == "openlineage")
    assert started.data["openlineage"]["type"] == "START"
    assert started.message == "start jobs/train"
    made = next(e for _, e in repo.events() if e.type == "commit")
    assert made.data["openlineage"]["run"] == run.runId
    assert made.data["via"] == "http"


def test_an_event_that_comes_again_changes_nothing(
    client: TestClient, repo: Registry
) -> None:
    """Versions decide what is new; a producer's version is a claim, never an id."""

    def post(version: str) -> list[str]:
        output = data("clean", version={"datasetVersion": version})
        event = {**EVENT, "inputs": [data("raw")], "outputs": [output]}
        answer = client.post("/api/v1/lineage", json=event)
        assert answer.status_code == 200, answer.text
        found: list[str] = answer.json()["commits"]
        return found

    first = post("1")
    assert post("1") == first
    [second] = post("2")
    commit = repo.load(second)
    assert commit.ids("revises") == tuple(first)
    assert commit.params["openlineage"] == {"job": "airflow/clean", "version": "2"}
    assert repo.load(commit.ids("derived_from")[0]).name == "s3/bucket/raw"


def test_a_commit_of_ours_is_known_by_its_version(
    client: TestClient, repo: Registry, tmp_path: Path
) -> None:
    """A run that names a commit's id as a version has an edge to that commit."""
    (tmp_path / "a.txt").write_text("a")
    own = repo.commit("dataset", "a", tmp_path / "a.txt").id
    named = data("whatever", version={"datasetVersion": own})
    by_branch = data("dataset/a", "lineage")
    for given in (named, by_branch):
        event = {**EVENT, "inputs": [given], "outputs": [data("clean")]}
        [made] = client.post("/api/v1/lineage", json=event).json()["commits"]
        assert repo.load(made).ids("derived_from") == (own,)
    again = {**EVENT, "inputs": [data("x")], "outputs": [named]}
    assert client.post("/api/v1/lineage", json=again).json()["commits"] == [own]


BAD: list[Any] = [
    {},
    {**EVENT, "eventTime": 3},
    {**EVENT, "job": {"namespace": "x"}},
    {**EVENT, "job": []},
    {**EVENT, "outputs": [1]},
    {**EVENT, "outputs": {"a": 1}},
    {**EVENT, "outputs": [data("x" * 2000)]},
]


def test_what_is_no_event_is_a_problem(client: TestClient, repo: Registry) -> None:
    """Each is refused with a sentence; in a batch it stops no other."""
    before = repo.events_log.tip()
    for body in BAD:
        answer = client.post("/api/v1/lineage", json=body)
        assert answer.status_code == answer.json()["status"] == 422, body
    assert repo.events_log.tip() == before
    good = {**EVENT, "outputs": [data("clean")]}
    answer = client.post("/api/v1/lineage/batch", json=[*BAD, good]).json()
    assert answer["status"] == "partial_success"
    assert answer["summary"] == {"received": 8, "successful": 1, "failed": 7}
    assert [each["index"] for each in answer["failed_events"]] == list(range(7))
    assert repo.resolve("dataset/s3/bucket/clean")


ODD = ["../../etc", "a..b@{1}~^:c", "\x00\xad", "-x", " ", "é/ü", "é" * 1000]


@pytest.mark.parametrize("name", ODD, ids=range(len(ODD)))
def test_odd_names_have_a_branch(client: TestClient, repo: Registry, name: str) -> None:
    """Whatever a dataset is called there, it is a name here, and its uri is exact."""
    event = {**EVENT, "outputs": [data(name)]}
    answer = client.post("/api/v1/lineage", json=event)
    assert answer.status_code == 200, answer.text
    [id_] = answer.json()["commits"]
    assert repo.load(id_).external == {"uri": f"s3://bucket/{name.lstrip('/')}"}
    assert id_ in repo.branches().values()


def samples() -> list[Any]:
    """A facet of each place in which the specification has some, or its own samples."""
    if SPEC:
        return [json.loads(p.read_text()) for p in sorted(Path(SPEC).rglob("*.json"))]
    facet = {"_producer": "https://a.org", "_schemaURL": "https://a.org/x"}
    return [{"schema": {**facet, "fields": [{"name": "a", "type": "int"}]}}, EVENT]


def test_samples_of_the_specification_are_taken(client: TestClient) -> None:
    """Each facet, wherever one may stand, and each whole event."""
    for sample in samples():
        places = [
            {
                **EVENT,
                "outputs": [data("o", **sample)],
                "inputs": [data("i", **sample)],
            },
            {
                **EVENT,
                "run": {**EVENT["run"], "facets": sample},
                "outputs": [data("o")],
            },
            {
                **EVENT,
                "job": {**EVENT["job"], "facets": sample},
                "outputs": [data("o")],
            },
        ]
        for event in [sample] if "eventTime" in sample else places:
            answer = client.post("/api/v1/lineage", json=event)
            assert answer.status_code == 200, (sample, answer.text)


@pytest.fixture
def model(repo: Registry, tmp_path: Path) -> str:
    """A model that was trained on a dataset."""
    (tmp_path / "a.txt").write_text("a")
    dataset = repo.commit("dataset", "chats", tmp_path / "a.txt").id
    return repo.commit(
        "model",
        "tutor",
        tmp_path / "a.txt",
        edges=[Edge("trained_on", dataset)],
        params={"lr": 0.1, "optim": "adamw"},
    ).id


def test_a_commit_is_a_run_event(repo: Registry, model: str, run: Run_) -> None:
    """Outputs and inputs have types, versions and roles; the id is always the same."""
    printed = run("emit", "--print", "model/tutor")
    event = json.loads(printed.stdout)
    [made], [read] = event["outputs"], event["inputs"]
    assert made["facets"]["datasetType"]["datasetType"] == "MODEL"
    assert made["facets"]["version"]["datasetVersion"] == model
    tags = {tag["key"]: tag["value"] for tag in read["facets"]["tags"]["tags"]}
    assert tags == {"role": "trained_on", "evidence": "declared"}
    said = event["run"]["facets"]["executionParameters"]["parameters"]
    assert {one["key"]: one["value"] for one in said} == {"lr": "0.1", "optim": "adamw"}
    commit = repo.load(model)
    logged = repo.events_log.event(repo.ids.get(model).event)
    assert run_event(repo, commit, logged) == event
    assert run("emit").exit_code == 2


def test_any_text_is_printed_in_any_locale(
    repo: Registry, run: Run_, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As UTF-8, one event a line, where Python would take words for ASCII, too."""
    made = repo.commit("dataset", "größe/名", params={"schlüssel": "wért\u2028🦊"})
    for name, value in {"LC_ALL": "C", "PYTHONUTF8": "0"}.items():
        monkeypatch.setenv(name, value)
    [line] = run("emit", "--print", made.id, apart=True).stdout.split("\n")[:-1]
    event = json.loads(line)
    [value] = event["run"]["facets"]["executionParameters"]["parameters"]

    assert event["outputs"][0]["name"] == "dataset/größe/名"
    assert (value["key"], value["value"]) == ("schlüssel", "wért\u2028🦊")


@pytest.mark.usefixtures("model")
def test_each_commit_is_sent_beside_whoever_records_it(
    tmp_path: Path, run: Run_
) -> None:
    """Once a place is set, a commit starts a process that sends what is not sent."""
    file = tmp_path / "events.jsonl"
    run("config", "openlineage.file", str(file))
    assert run("commit", "dataset", tmp_path / "a.txt", "--name", "more").exit_code == 0
    until = time.monotonic() + 60
    while time.monotonic() < until and not (
        file.exists() and len(file.read_text().splitlines()) >= 3
    ):
        time.sleep(0.05)
    names = [json.loads(line)["job"]["name"] for line in file.read_text().splitlines()]
    assert names == ["dataset/chats", "model/tutor", "dataset/more"]
    assert run("emit").stderr == "0 events sent\n"


@pytest.mark.usefixtures("model")
def test_a_server_that_is_away_holds_nothing_up(
    repo: Registry, url: str, run: Run_
) -> None:
    """A commit goes well, `emit` says what is wrong, and later all of it arrives."""
    run("config", "openlineage.url", "http://127.0.0.1:9")
    assert run("commit", "config", "--name", "c", "--param", "a=1").exit_code == 0
    failed = run("emit")
    assert failed.exit_code == 1
    assert "http://127.0.0.1:9/api/v1/lineage did not take an event" in failed.stderr
    run("config", "openlineage.url", url)
    tip = repo.resolve("model/tutor")
    assert run("emit").stderr == "2 events sent\n"  # to this very registry
    assert repo.resolve("model/tutor") == tip
