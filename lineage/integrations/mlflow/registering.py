"""What becomes the commit of a version: its bytes, or where they are, and its edges."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from urllib.parse import urlsplit

from mlflow.exceptions import MlflowException
from mlflow.prompt.constants import PROMPT_TEXT_TAG_KEY
from mlflow.store.artifact.utils.models import _parse_model_uri

from lineage.integrations.mlflow.tracked import Tracked, folder_of, told
from lineage.store.views import Target

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel
    from mlflow.entities.model_registry import ModelVersion
    from mlflow.tracking.client import MlflowClient

    from lineage.integrations.mlflow.models import Models


class Store(Protocol):
    """What is asked of MLflow's store, which a version may be a copy in."""

    @property
    def models(self) -> "Models": ...
    def client(self) -> "MlflowClient": ...
    def get_model_version_by_alias(self, name: str, alias: str) -> "ModelVersion": ...
    def get_model_version_download_uri(self, name: str, version: str) -> str: ...


class Made(NamedTuple):
    """The commit of a version, and what was found out on the way."""

    target: Target
    location: str
    run_id: str | None
    model_id: str | None


class _Source(NamedTuple):
    """Where a version comes from: a place, a logged model, or another version."""

    location: str
    model: "LoggedModel | None" = None
    version: Target | None = None


class Registering:
    """Makes the commit of one version of the registered model `name`."""

    def __init__(self, store: Store, name: str, *, prompt: bool) -> None:
        self._store = store
        self._models = store.models
        self._name = name
        self._prompt = prompt
        self._tracked = Tracked(store.models.registry, store.client)

    def commit(
        self,
        source: str,
        run_id: str | None,
        model_id: str | None,
        path: str | None,
        tags: dict[str, str],
    ) -> Made:
        """Record what lies at `source`; a copy of a version is that version's commit.

        Raises:
            MlflowException: when `source` names a model that nobody knows.
        """
        if self._prompt:
            target = self._record(
                "config", params={"prompt": tags.get(PROMPT_TEXT_TAG_KEY, source)}
            )
            return Made(target, source, run_id, model_id)
        found = self._find(source)
        model = found.model or self._tracked.model_of(model_id)
        run_id = run_id or (model.source_run_id if model else None)
        target = found.version or self._model(found, run_id, model, path)
        return Made(target, found.location, run_id, model_id)

    def _model(
        self,
        found: _Source,
        run_id: str | None,
        model: "LoggedModel | None",
        path: str | None,
    ) -> Target:
        folder = Path(path) if path else folder_of(found.location)
        run = self._tracked.run_of(run_id)
        known = told(run)
        return self._record(
            "model",
            path=folder,
            external=None if folder else {"uri": found.location},
            circumstances={"mlflow": known} if known else {},
            **self._tracked.facts(run, model),
        )

    def _find(self, source: str) -> _Source:
        if urlsplit(source).scheme != "models":
            return _Source(source)
        try:
            parsed = _parse_model_uri(source)
            if parsed.model_id is not None:
                model = self._tracked.client.get_logged_model(parsed.model_id)
                return _Source(model.artifact_location, model=model)
            name, number = str(parsed.name), str(parsed.version)
            if parsed.alias is not None:
                by = self._store.get_model_version_by_alias(name, parsed.alias)
                number = by.version
            location = self._store.get_model_version_download_uri(name, number)
        except MlflowException as error:
            message = (
                "Unable to fetch model from model URI source artifact location "
                f"'{source}'. Error: {error}"
            )
            raise MlflowException(message) from error
        version = self._models.target(name, int(number))
        return _Source(location, version=version)

    def _record(self, kind: str, **facts: Any) -> Target:
        made = self._models.registry.commit(kind, self._name, **facts)
        return Target(made.id, made.git)
