"""What an MLflow server knows becomes commits, once."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot
from mlflow.entities import Dataset, DatasetInput, InputTag, LoggedModelInput
from mlflow.tracking._tracking_service.utils import _use_tracking_uri
from mlflow.tracking.client import MlflowClient

from lineage.errors import StoreError
from lineage.integrations.mlflow.importing import import_mlflow
from lineage.integrations.mlflow.store import LineageStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage import Registry


# What MLflow asks of SQLAlchemy is its own affair.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")


def used(name: str, context: str) -> DatasetInput:
    source = f'{{"uri": "s3://data/{name}.csv"}}'
    dataset = Dataset(name, f"d-{name}", "s3", source)
    return DatasetInput(dataset, [InputTag("mlflow.data.context", context)])


@pytest.fixture
def served(
    kept: tuple[Path, dict[str, str]], tmp_path: Path
) -> tuple[str, dict[str, str]]:
    """Give a server of the test's own, and the ids of what it keeps."""
    folder, ids = kept
    return shutil.copytree(folder / "mlruns", tmp_path / "mlruns").as_uri(), ids


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """Give what a server keeps: a base model, its child, and a run that made none."""
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    folder = tmp_path_factory.mktemp("mlflow")
    with contextlib.chdir(folder):  # MLflow leaves a database where it runs
        return folder, _kept(folder)


def _kept(folder: Path) -> dict[str, str]:
    uri = (folder / "mlruns").as_uri()  # a database takes seconds to make
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    client = MlflowClient(uri, uri)
    experiment = client.create_experiment("sums", artifact_location=folder.as_uri())
    ids = {"experiment": experiment}
    for name in ("base", "child"):
        run = client.create_run(experiment, run_name=f"train-{name}").info.run_id
        client.log_param(run, "lr", 0.1)
        client.log_metric(run, "loss", 0.5)
        client.log_metric(run, "gap", float("nan"))
        client.set_tag(run, "mlflow.source.git.commit", "0" * 40)
        models = [LoggedModelInput(ids["base"])] if name == "child" else []
        inputs = [used(f"{name}-train", "training"), used("held-out", "eval")]
        client.log_inputs(run, inputs, models)
        model = client.create_logged_model(experiment, name, run, params={"size": "1"})
        client.finalize_logged_model(model.model_id, "READY")
        client.set_terminated(run)
        ids |= {name: model.model_id, f"{name}-run": run}
    tried = client.create_run(experiment, run_name="tried").info.run_id
    client.log_param(tried, "lr", 9)
    client.set_terminated(tried, "FAILED")
    ids["tried"] = tried
    client.create_registered_model("tutor", {"team": "sums"}, "adds up")
    with _use_tracking_uri(uri):  # where MLflow's own registry looks for models
        for name in ("base", "base", "child"):
            source, tags = f"models:/{ids[name]}", {"of": name}
            client.create_model_version("tutor", source, tags=tags)
    client.delete_model_version("tutor", "2")
    client.set_registered_model_alias("tutor", "champion", "1")
    return ids


def test_what_came_from_what_comes_over(
    served: tuple[str, dict[str, str]], repo: Registry
) -> None:
    """Models have their run's inputs as edges, declared; digests are claims."""
    uri, ids = served
    found = import_mlflow(repo, uri)

    assert (found.runs, found.registered) == (3, 1)
    assert (found.configs, found.datasets, found.models) == (1, 3, 2)
    assert found.versions == 2
    base, child = (repo.resolve(f"model/{ids[name]}") for name in ("base", "child"))
    commit = repo.load(child)
    assert {(e.role, repo.load(e.id).name, e.evidence) for e in commit.edges} == {
        ("trained_on", "child-train", "declared"),
        ("evaluated_on", "held-out", "declared"),
        ("derived_from", "base", "declared"),
    }
    assert base in commit.ids("derived_from")
    assert commit.params == {"lr": "0.1", "size": "1"}
    assert {k: m.value for k, m in commit.metrics.items()} == {"loss": 0.5}
    assert commit.code == {"git": "0" * 40}
    dataset = repo.load(commit.ids("trained_on")[0])
    assert dataset.external == {
        "uri": "s3://data/child-train.csv",
        "claimed": "mlflow:d-child-train",
    }
    tried = repo.load(repo.resolve(f"run/{ids['tried']}"))
    assert (tried.kind, tried.name, tried.params) == (
        "config",
        "sums/tried",
        {"lr": "9"},
    )
    recorded = repo.events_log.event(repo.ids.get(child).event)
    assert recorded.data["mlflow"]["run"] == ids["child-run"]


def test_the_registry_takes_the_servers_place(
    served: tuple[str, dict[str, str]], repo: Registry
) -> None:
    """Numbers, tags, aliases and gaps are as MLflow had them."""
    uri, ids = served
    import_mlflow(repo, uri)
    theirs = MlflowClient(uri, uri)
    ours = LineageStore(f"lineage://{repo.root}", uri)

    for version in theirs.search_model_versions("name = 'tutor'"):
        same = ours.get_model_version("tutor", version.version)
        for what in ("source", "model_id", "run_id", "tags", "aliases"):
            assert getattr(same, what) == getattr(
                theirs.get_model_version("tutor", version.version), what
            )
    model = ours.get_registered_model("tutor")
    assert (model.description, model.tags) == ("adds up", {"team": "sums"})
    assert model.aliases == {"champion": 1}
    assert repo.tags()["tutor/3"] == repo.resolve(f"model/{ids['child']}")
    assert int(ours.create_model_version("tutor", "s3://b/4").version) == 4


def test_importing_again_records_what_is_new(
    served: tuple[str, dict[str, str]], repo: Registry
) -> None:
    """The second time nothing is recorded, later only what changed since."""
    uri, _ = served
    import_mlflow(repo, uri)
    before = len(list(repo.events()))
    again = import_mlflow(repo, uri)
    assert (again.configs, again.datasets, again.models, again.versions) == (0,) * 4
    assert len(list(repo.events())) == before

    client = MlflowClient(uri, uri)
    client.set_model_version_tag("tutor", "1", "seen", "yes")
    client.set_registered_model_alias("tutor", "next", "3")
    client.delete_model_version_tag("tutor", "1", "of")
    import_mlflow(repo, uri)
    ours = LineageStore(f"lineage://{repo.root}")
    assert ours.get_model_version("tutor", 1).tags == {"seen": "yes"}
    assert ours.get_registered_model("tutor").aliases == {"champion": 1, "next": 3}
    assert len(list(repo.events())) == before + 2


@pytest.mark.usefixtures("repo")
def test_the_command(
    served: tuple[str, dict[str, str]],
    run: Callable[..., Any],
    tmp_path: Path,
) -> None:
    """`lineage import mlflow` says what is new, and makes no database."""
    uri, _ = served
    assert run("import", "mlflow", uri).stderr == snapshot("""\
3 runs, 1 registered model; new here: 3 datasets, 2 models, 1 config, 2 versions
""")
    assert run("import", "mlflow", uri).stderr == snapshot("""\
3 runs, 1 registered model; new here: 0 datasets, 0 models, 0 configs, 0 versions
""")

    missing = run("import", "mlflow", f"sqlite:///{tmp_path}/nothing.db")
    assert missing.exit_code == 5
    assert not os.path.lexists(tmp_path / "nothing.db")
    assert "there is no" in missing.stderr


def test_a_server_that_is_away(repo: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence says that it does not answer."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(StoreError, match=r"MLflow at http://127\.0\.0\.1:9 failed"):
        import_mlflow(repo, "http://127.0.0.1:9")
