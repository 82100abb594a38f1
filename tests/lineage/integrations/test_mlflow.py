"""MLflow's model registry over ours: what becomes of its calls, and of ours."""

from __future__ import annotations

import logging
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from mlflow.entities.model_registry import ModelVersionTag, RegisteredModelTag
from mlflow.entities.webhook import WebhookEvent, WebhookStatus
from mlflow.exceptions import MlflowException
from mlflow.prompt.constants import IS_PROMPT_TAG_KEY, PROMPT_TEXT_TAG_KEY
from mlflow.store.model_registry.abstract_store import AbstractStore

from lineage import names_ops, undo
from lineage.integrations.mlflow.artifacts import LineageArtifacts
from lineage.integrations.mlflow.book import Book
from lineage.integrations.mlflow.store import LineageStore
from lineage.store.objects import Event

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlflow.entities.model_registry import ModelVersion

    from lineage import Registry

TIME = "2026-11-03T10:00:00.000000Z"


def number(version: ModelVersion) -> int:
    """Give the number of a version, which MLflow types as text."""
    return int(version.version)


@pytest.fixture(autouse=True)
def _no_talk() -> None:
    logging.getLogger("mlflow").setLevel(logging.WARNING)


@pytest.fixture
def store(repo: Registry) -> LineageStore:
    return LineageStore(f"lineage://{repo.root}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that MLflow would call a model."""
    folder = tmp_path / "saved"
    (folder / "data").mkdir(parents=True)
    (folder / "MLmodel").write_text("flavors: {}\n", encoding="utf-8")
    (folder / "data" / "weights.bin").write_bytes(b"\x00\x01" * 500)
    return folder


def test_every_abstract_method_is_there() -> None:
    """MLflow's base class does not refuse a store that lacks one; this test does."""
    abstract = {
        name
        for name, method in vars(AbstractStore).items()
        if getattr(method, "__isabstractmethod__", False)
    }

    assert len(abstract) > 15
    for name in abstract:
        assert getattr(LineageStore, name) is not getattr(AbstractStore, name), name


def test_a_version_is_a_tag_and_an_alias_a_branch(
    store: LineageStore, repo: Registry
) -> None:
    """What MLflow calls a version and an alias are names that lineage knows."""
    store.create_registered_model("tutor")
    first = store.create_model_version("tutor", "s3://bucket/1")
    second = store.create_model_version("tutor", "s3://bucket/2")
    store.set_registered_model_alias("tutor", "champion", 1)

    assert (number(first), number(second)) == (1, 2)
    tags, branches = repo.tags(), repo.branches()
    assert sorted(tags) == ["tutor/1", "tutor/2"]
    assert branches["tutor@champion"] == tags["tutor/1"]
    assert branches["model/tutor"] == tags["tutor/2"]
    assert repo.load(tags["tutor/2"]).ids("revises") == (tags["tutor/1"],)
    assert repo.load(tags["tutor/1"]).external == {"uri": "s3://bucket/1"}


def test_bytes_that_can_be_read_are_stored_and_given_back(
    store: LineageStore, repo: Registry, folder: Path, tmp_path: Path
) -> None:
    """A saved model on this machine becomes a payload, and MLflow loads it from us."""
    store.create_registered_model("tutor")
    store.create_model_version("tutor", folder.as_uri())
    uri = store.get_model_version_download_uri("tutor", "1")
    (folder / "MLmodel").unlink()
    artifacts = LineageArtifacts(uri)

    assert uri == f"lineage://{repo.root}/{repo.tags()['tutor/1']}"
    assert [(f.path, f.is_dir, f.file_size) for f in artifacts.list_artifacts()] == [
        ("MLmodel", False, 12), ("data", True, None)
    ]  # fmt: skip
    assert [f.path for f in artifacts.list_artifacts("data")] == ["data/weights.bin"]
    (tmp_path / "out").mkdir()
    got = str(artifacts.download_artifacts("", str(tmp_path / "out")))  # type: ignore[no-untyped-call]
    assert (tmp_path / "out" / "data" / "weights.bin").read_bytes() == b"\x00\x01" * 500
    assert got.rstrip("/") == str(tmp_path / "out")
    below = LineageArtifacts(f"{uri}/data")
    assert [f.path for f in below.list_artifacts()] == ["weights.bin"]
    with pytest.raises(MlflowException, match="does not change"):
        artifacts.log_artifact(str(tmp_path / "x"))


def test_a_number_is_never_given_twice(store: LineageStore) -> None:
    """Not after its version was deleted, nor after the whole model was."""
    store.create_registered_model("tutor")
    store.create_model_version("tutor", "s3://bucket/1")
    store.delete_model_version("tutor", 1)
    assert number(store.create_model_version("tutor", "s3://bucket/2")) == 2
    store.delete_registered_model("tutor")
    store.create_registered_model("tutor")
    assert store.search_model_versions("name = 'tutor'") == []
    assert number(store.create_model_version("tutor", "s3://bucket/2")) == 3


def test_what_is_deleted_can_be_brought_back(
    store: LineageStore, repo: Registry
) -> None:
    """`undo` gives back a version with its tags and aliases, and a whole model."""
    store.create_registered_model("tutor", [RegisteredModelTag("team", "sums")])
    store.create_model_version("tutor", "s3://1", tags=[ModelVersionTag("a", "b")])
    store.set_registered_model_alias("tutor", "champion", 1)
    store.delete_model_version("tutor", 1)
    undo.undo(repo)
    found = store.get_model_version_by_alias("tutor", "champion")
    assert (number(found), found.tags, found.source) == (1, {"a": "b"}, "s3://1")

    store.delete_registered_model("tutor")
    with pytest.raises(MlflowException, match="name=tutor not found"):
        store.get_registered_model("tutor")
    undo.undo(repo)
    model = LineageStore(store.store_uri).get_registered_model("tutor")
    assert (model.tags, model.aliases) == ({"team": "sums"}, {"champion": 1})


def test_a_tag_and_a_branch_made_here_are_seen_there(
    store: LineageStore, repo: Registry, folder: Path
) -> None:
    """`lineage tag tutor/1` makes a version, `lineage branch tutor@best` an alias."""
    made = repo.commit("model", "tutor", folder)
    repo.commit("dataset", "seed", folder)
    names_ops.set_tag(repo, "tutor/1", made.id)
    names_ops.set_tag(repo, "seed/1", "dataset/seed")
    names_ops.set_branch(repo, "tutor@best", made.id)

    assert [model.name for model in store.search_registered_models()] == ["tutor"]
    version = store.get_model_version_by_alias("tutor", "best")
    assert (number(version), version.source) == (
        1,
        f"lineage://{repo.root}/{made.id}",
    )
    store.set_model_version_tag("tutor", 1, ModelVersionTag("seen", "yes"))
    assert store.get_model_version("tutor", 1).tags == {"seen": "yes"}
    assert number(store.create_model_version("tutor", "s3://bucket/2")) == 2


def test_an_alias_says_which_of_two_versions_of_one_commit(
    store: LineageStore, folder: Path
) -> None:
    """The same bytes registered twice are one commit, and still two versions."""
    store.create_registered_model("tutor")
    for _ in range(2):
        store.create_model_version("tutor", str(folder))
    for n in (1, 2, 1):
        store.set_registered_model_alias("tutor", "champion", n)
        assert number(store.get_model_version_by_alias("tutor", "champion")) == n


def test_prompts_are_configs(store: LineageStore, repo: Registry) -> None:
    """A version of a prompt is a commit that holds its text."""
    store.create_prompt("greeting")
    text = [ModelVersionTag(PROMPT_TEXT_TAG_KEY, "Say hello to {{name}}")]
    is_prompt = ModelVersionTag(IS_PROMPT_TAG_KEY, "true")
    store.create_model_version("greeting", "prompt-template", tags=[is_prompt, *text])

    commit = repo.load(repo.tags()["greeting/1"])
    assert (commit.kind, commit.params) == (
        "config",
        {"prompt": "Say hello to {{name}}"},
    )
    assert store.search_registered_models() == []
    assert [prompt.name for prompt in store.search_prompts()] == ["greeting"]


@pytest.mark.parametrize("name", ["a..b", "x~1", "a^b", "-x", "n" * 230])
def test_names_that_cannot_be_are_refused(store: LineageStore, name: str) -> None:
    """A name that revisions are written with says so, as a bad parameter."""
    with pytest.raises(MlflowException, match="the name") as caught:
        store.create_registered_model(name)
    assert caught.value.error_code == "INVALID_PARAMETER_VALUE"


def test_a_protected_alias_stays(store: LineageStore, repo: Registry) -> None:
    """What a branch must not do, an alias must not, and MLflow hears why."""
    store.create_registered_model("tutor")
    store.create_model_version("tutor", "s3://bucket/1")
    store.create_model_version("tutor", "s3://bucket/2")
    store.set_registered_model_alias("tutor", "champion", 2)
    names_ops.protect_branch(repo, "tutor@champion")

    with pytest.raises(MlflowException, match="only moves forward") as caught:
        store.set_registered_model_alias("tutor", "champion", 1)
    assert caught.value.error_code == "PERMISSION_DENIED"
    assert number(store.get_model_version_by_alias("tutor", "champion")) == 2


def test_writers_and_threads_get_numbers_of_their_own(store: LineageStore) -> None:
    """Two stores on one registry, each from several threads: nothing is lost."""
    store.create_registered_model("tutor")
    other = pickle.loads(pickle.dumps(store))  # noqa: S301 - our own

    def make(n: int) -> int:
        by = (store, other)[n % 2]
        return number(by.create_model_version("tutor", f"s3://bucket/{n}"))

    with ThreadPoolExecutor(4) as pool:
        numbers = sorted(pool.map(make, range(8)))

    assert numbers == list(range(1, 9))
    found = store.search_model_versions("name = 'tutor'", order_by=["version_number"])
    assert [number(version) for version in found] == numbers


def test_reading_anew_is_reading_on(store: LineageStore, folder: Path) -> None:
    """A store that saw each event and one that is opened now say the same."""
    store.create_registered_model("tutor", description="sums")
    store.create_model_version("tutor", str(folder))
    store.create_model_version("tutor", "s3://bucket/2")
    store.transition_model_version_stage("tutor", 1, "Production", False)  # noqa: FBT003
    store.transition_model_version_stage("tutor", 2, "Production", True)  # noqa: FBT003
    store.set_registered_model_alias("tutor", "champion", 2)
    store.update_model_version("tutor", 2, "better")
    store.rename_registered_model("tutor", "teacher")

    fresh = LineageStore(store.store_uri)
    assert fresh.search_model_versions() == store.search_model_versions()
    assert fresh.search_registered_models() == store.search_registered_models()
    assert fresh.get_model_version("teacher", 1).current_stage == "Archived"


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"model": 3},
        {"model": "x", "tags": "y", "fields": ["z"], "versions": [1]},
        {"model": "x", "tags": {"a": 1}, "versions": {"1": 2, "one": {}, "9" * 99: {}}},
        {"model": "x", "renamed": "y"},
        {"model": "x", "deleted": "yes"},
    ],
)
def test_malformed_events_say_nothing(data: dict[str, Any]) -> None:
    """Whatever an event of the type holds, nobody's reading breaks."""
    book = Book()
    book.take(Event("mlflow", TIME, {"name": "a", "email": "b"}, data=data))
    for model in book.models.values():
        assert model.tags == {}
        assert all(version.fields == {} for version in model.versions.values())


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("lineage://host/path", "names no registry: write it as lineage:///path"),
        ("lineage:relative", "names no registry"),
        ("lineage:///nowhere", "nowhere"),
    ],
)
def test_a_uri_of_no_registry(uri: str, said: str) -> None:
    """A URI that means nothing is refused at once, with what to write instead."""
    with pytest.raises(MlflowException, match=said):
        LineageStore(uri)


def test_log_and_verify_are_undisturbed(
    store: LineageStore, repo: Registry, folder: Path, run: Callable[..., Any]
) -> None:
    """What MLflow recorded is verified and shown as everything else is."""
    store.create_registered_model("tutor")
    store.create_model_version("tutor", str(folder))
    store.set_registered_model_alias("tutor", "champion", 1)
    store.delete_registered_model("tutor")

    assert "all as recorded" in run("verify").stdout + run("verify").stderr
    assert [event.type for _, event in repo.events()][:2] == ["mlflow"] * 2


def test_webhooks_are_private_and_no_history(
    store: LineageStore, repo: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MLflow's server finds them by event; nobody else reads their secrets."""
    monkeypatch.setenv("MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS", "true")  # it asks DNS else
    made = WebhookEvent("model_version", "created")
    tagged = WebhookEvent("model_version_tag", "set")
    hook = store.create_webhook("ci", "https://ci.example", [made], secret="s3cret")  # noqa: S106
    store.create_webhook("other", "https://other.example", [tagged])

    assert [h.name for h in store.list_webhooks_by_event(made)] == ["ci"]
    assert [h.name for h in store.list_webhooks()] == ["other", "ci"]
    later = store.update_webhook(hook.webhook_id, status=WebhookStatus.DISABLED)
    assert (later.status, later.secret) == (WebhookStatus.DISABLED, "s3cret")
    assert later.last_updated_timestamp > hook.last_updated_timestamp
    kept = repo.home / "mlflow-webhooks.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert [event.type for _, event in repo.events()] == ["init"]
    store.delete_webhook(hook.webhook_id)
    with pytest.raises(MlflowException, match="not found"):
        store.get_webhook(hook.webhook_id)


def test_mlflow_finds_us_when_we_are_imported_first() -> None:
    """MLflow loads plugins while it is imported itself: without a warning even so."""
    script = """
import lineage.integrations.mlflow.artifacts
import mlflow.tracking._model_registry.utils as utils
import mlflow.store.artifact.artifact_repository_registry as artifacts
for scheme in ("lineage", "lineage+http", "lineage+https"):
    assert utils._get_store_registry().get_store_builder(scheme + "://x")
    assert scheme in artifacts.get_registered_artifact_repositories()
"""
    words = [sys.executable, "-W", "error::UserWarning", "-c", script]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_clones_that_met_say_the_same(
    store: LineageStore, repo: Registry, run: Callable[..., Any], tmp_path: Path
) -> None:
    """Two clones that spoke of one model apart agree once each has the other's log."""
    store.create_registered_model("tutor")
    store.create_model_version("tutor", "s3://bucket/1")
    subprocess.run(["git", "init", "-q", "--bare", tmp_path / "hub"], check=True)
    run("remote", "add", "origin", str(tmp_path / "hub"))
    run("push", "origin")
    other = tmp_path / "other"
    assert run("clone", str(tmp_path / "hub"), str(other)).exit_code == 0
    theirs = LineageStore(f"lineage://{other}")
    for n, by in enumerate((store, theirs, store, theirs)):
        by.set_model_version_tag("tutor", 1, ModelVersionTag("said", f"{n}"))
        by.set_model_version_tag("tutor", 1, ModelVersionTag(f"by {n}", "x"))
    run("push", "origin")
    assert run("-C", str(other), "pull").exit_code == 0
    assert run("-C", str(other), "push").exit_code == 0
    assert run("pull", "origin").exit_code == 0

    found = [LineageStore(f"lineage://{place}") for place in (repo.root, other)]
    tags = [by.get_model_version("tutor", 1).tags for by in (*found, store, theirs)]
    assert {key for key in tags[0] if key != "said"} == {f"by {n}" for n in range(4)}
    assert tags == [tags[0]] * 4
