"""What a tracking server knows of runs, datasets and models, as commits.

All of it is somebody's word: edges are ``declared``, digests are claims beside the
place where the bytes are. What is recorded once is found again by its branch, so that
the same run, dataset or model is one commit however often it is met.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from mlflow.exceptions import MlflowException

from lineage.recording import says_the_same
from lineage.store.objects import Commit, Edge, Metric

if TYPE_CHECKING:
    from mlflow.entities import Dataset, DatasetInput, LoggedModel, Run
    from mlflow.tracking.client import MlflowClient

    from lineage.registry import Registry

_UNNAMED = re.compile(r"\.\.+|@\{|[~^:]|[^\w .@+=,!/()\[\]{}#%&'*;?|<>$\"`-]")
_EVALUATED = ("eval", "test", "valid")
_LONGEST = 60  # of what a name is made of; it stands in branches beside other words


class Tracked:
    """Records in `registry` what a tracking server can say.

    `ask` gives the client to ask it with, when there is something to ask; `made` counts
    the new commits by kind.
    """

    def __init__(self, registry: "Registry", ask: "Callable[[], MlflowClient]") -> None:
        self.registry = registry
        self._ask = ask
        self.made: dict[str, int] = {"config": 0, "dataset": 0, "model": 0}
        self._models: dict[str, str | None] = {}

    @cached_property
    def client(self) -> "MlflowClient":
        """The client of the tracking server."""
        return self._ask()

    def run_of(self, run_id: str | None) -> "Run | None":
        """A run, if the server knows it."""
        try:
            return self.client.get_run(run_id) if run_id else None
        except MlflowException:
            return None

    def model_of(self, model_id: str | None) -> "LoggedModel | None":
        """A logged model, if the server knows it."""
        try:
            return self.client.get_logged_model(model_id) if model_id else None
        except MlflowException:
            return None

    def dataset(self, entity: "Dataset") -> str:
        """The commit of a dataset; its bytes stay where they are."""
        claim = {"uri": place_of(entity), "claimed": f"mlflow:{entity.digest}"}
        draft = Commit("dataset", clean(entity.name), external=claim)
        return self.put(draft, f"dataset/{draft.name}/{clean(entity.digest)}", {})

    def logged_model(self, model: "LoggedModel") -> str:
        """The commit of a logged model, with what its run used."""
        id_ = model.model_id
        if id_ not in self._models:
            self._models[id_] = None  # a model that its own run used is not its parent
            run, place = self.run_of(model.source_run_id), model.artifact_location
            claim = {"uri": place, "claimed": f"mlflow:{id_}"}
            facts = self.facts(run, model)
            draft = Commit("model", clean(model.name), external=claim, **facts)
            known = {**told(run), "model": id_}
            self._models[id_] = self.put(draft, f"model/{id_}", known, folder_of(place))
        return self._models[id_] or ""

    def run(self, run: "Run", name: str) -> str:
        """The commit of a run that made no model: a setting, and what came of it."""
        id_ = run.info.run_id
        place = {"uri": f"runs:/{id_}"}
        draft = Commit("config", clean(name), external=place, **self.facts(run, None))
        return self.put(draft, f"run/{id_}", told(run))

    def facts(self, run: "Run | None", model: "LoggedModel | None") -> dict[str, Any]:
        """What a commit says of a run, or of the model that it made."""
        params = {**(dict(run.data.params) if run else {}), **_params(model)}
        metrics = {**(dict(run.data.metrics) if run else {}), **_metrics(model)}
        finite = {k: Metric(v) for k, v in metrics.items() if math.isfinite(v)}
        edges = {(edge.role, edge.id): edge for edge in self._edges(run)}
        return {
            "params": params,
            "metrics": finite,
            "edges": tuple(edges.values()),
            "code": _code(run),
        }

    def _edges(self, run: "Run | None") -> Iterator[Edge]:
        """What a run used: datasets, by what for, and models."""
        inputs = run.inputs if run else None
        for item in inputs.dataset_inputs if inputs else ():
            yield Edge(_role(item), self.dataset(item.dataset))
        for used in inputs.model_inputs if inputs else ():
            model = self.model_of(used.model_id)
            if model and (id_ := self.logged_model(model)):
                yield Edge("derived_from", id_)

    def put(
        self,
        draft: Commit,
        branch: str,
        circumstances: Mapping[str, Any],
        folder: Path | None = None,
    ) -> str:
        """Record a commit on its branch, unless its tip says the same; its id.

        The files in `folder` stand for the place that `draft` has them at. What MLflow
        once called a model stays as it is, so they are read for a new one only.
        """
        if folder:
            draft = replace(draft, external=None)
        tip = self.registry.target(f"heads/{branch}")
        present = self.registry.load(tip.id) if tip else None
        if present and says_the_same(replace(draft, payload=present.payload), present):
            return present.id
        made = self.registry.commit(
            draft.kind,
            draft.name,
            folder,
            edges=draft.edges,
            params=draft.params,
            metrics=draft.metrics,
            code=draft.code,
            external=draft.external,
            branch=branch,
            circumstances={"mlflow": circumstances} if circumstances else {},
        )
        self.made[draft.kind] += made.created
        return made.id


def clean(name: str) -> str:
    """A name that can be one here."""
    printable = "".join(c if c.isprintable() else "_" for c in _UNNAMED.sub("_", name))
    return printable[:_LONGEST].strip().lstrip("-") or "unnamed"


def place_of(entity: "Dataset") -> str:
    """The URI of a dataset's source, as well as it is known."""
    try:
        source = json.loads(entity.source)
    except (TypeError, ValueError):
        source = {"uri": entity.source}
    if not isinstance(source, dict):
        source = {}
    if entity.source_type == "hugging_face" and source.get("path"):
        return f"hf://datasets/{source['path']}"
    found = source.get("uri") or source.get("url") or source.get("path")
    return str(found or f"mlflow:{entity.source_type}")


def folder_of(location: str | None) -> Path | None:
    """The folder of an MLflow model on this machine, if `location` is one."""
    found = urlsplit(location or "")
    if found.scheme not in ("", "file") or found.netloc not in ("", "localhost"):
        return None
    path = Path(unquote(found.path))
    return path if path.is_absolute() and (path / "MLmodel").is_file() else None


def told(run: "Run | None") -> dict[str, Any]:
    """Who ran it, when and where: for the event."""
    if run is None:
        return {}
    info = run.info
    known = {
        "run": info.run_id,
        "run_name": info.run_name,
        "experiment": info.experiment_id,
        "user": info.user_id,
        "status": info.status,
        "start": info.start_time,
        "end": info.end_time,
    }
    return {k: v for k, v in known.items() if isinstance(v, str | int) and v != ""}


def _role(item: "DatasetInput") -> str:
    context = next((t.value for t in item.tags if t.key == "mlflow.data.context"), "")
    evaluated = str(context).lower().startswith(_EVALUATED)
    return "evaluated_on" if evaluated else "trained_on"


def _params(model: "LoggedModel | None") -> dict[str, str]:
    return dict(model.params or {}) if model else {}


def _metrics(model: "LoggedModel | None") -> dict[str, float]:
    return {m.key: m.value for m in model.metrics or ()} if model else {}


def _code(run: "Run | None") -> dict[str, str] | None:
    """The source that ran, as git knows it."""
    tags = run.data.tags if run else {}
    known = {
        "git": tags.get("mlflow.source.git.commit"),
        "repository": tags.get("mlflow.source.git.repoURL"),
        "source": tags.get("mlflow.source.name"),
    }
    return {k: v for k, v in known.items() if isinstance(v, str) and v} or None
