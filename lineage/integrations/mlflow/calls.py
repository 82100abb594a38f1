"""How MLflow's calls reach a registry: one at a time, on what it is by now."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

from mlflow.entities.model_registry import ModelVersion, RegisteredModel
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import (
    INTERNAL_ERROR,
    INVALID_PARAMETER_VALUE,
    PERMISSION_DENIED,
    RESOURCE_CONFLICT,
    RESOURCE_DOES_NOT_EXIST,
)
from mlflow.store.model_registry.abstract_store import AbstractStore
from mlflow.utils.validation import _validate_model_name, _validate_model_version

from lineage.errors import Conflict, LineageError, NotAllowed, NotFound, UsageError
from lineage.integrations.mlflow import entities
from lineage.integrations.mlflow.book import Model
from lineage.integrations.mlflow.models import Models
from lineage.integrations.mlflow.places import kept

if TYPE_CHECKING:
    from mlflow.tracking.client import MlflowClient

_AGAIN = 8  # times
F = TypeVar("F", bound=Callable[..., Any])

_CODES: dict[type[LineageError], int] = {
    Conflict: RESOURCE_CONFLICT,
    NotAllowed: PERMISSION_DENIED,
    UsageError: INVALID_PARAMETER_VALUE,
    NotFound: RESOURCE_DOES_NOT_EXIST,
}


def whole(method: F) -> F:
    """One call at a time, on what the registry is by now; errors as MLflow has them."""

    @wraps(method)
    def call(self: "Calls", *args: Any, **named: Any) -> Any:
        with self._held(), _as_mlflow():
            for _ in range(_AGAIN):
                with suppress(Conflict):  # somebody else wrote to the server first
                    self.models.refresh()
                    return method(self, *args, **named)
            self.models.refresh()
            return method(self, *args, **named)

    return cast("F", call)


@contextmanager
def _as_mlflow() -> Iterator[None]:
    try:
        yield
    except LineageError as error:
        kinds = {kind: code for kind, code in _CODES.items() if isinstance(error, kind)}
        code = next(iter(kinds.values()), INTERNAL_ERROR)
        message = f"{error}: {error.hint}" if error.hint else str(error)
        raise MlflowException(message, code) from error


class Calls(AbstractStore):
    """A store of MLflow's on the registry that `store_uri` means."""

    def __init__(
        self, store_uri: str | None = None, tracking_uri: str | None = None
    ) -> None:
        super().__init__(store_uri, tracking_uri)  # type: ignore[no-untyped-call]
        self.store_uri = store_uri or ""
        self.tracking_uri = tracking_uri
        self._opened: tuple[int, AbstractContextManager[object], Models] | None = None
        with _as_mlflow():
            self.models.refresh()

    def __getstate__(self) -> dict[str, Any]:
        return {"store_uri": self.store_uri, "tracking_uri": self.tracking_uri}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def _held(self) -> AbstractContextManager[object]:
        """What one thread at a time holds; a forked process has its own of all."""
        if self._opened is None or self._opened[0] != os.getpid():
            models = Models(kept(self, self.store_uri))
            self._opened = os.getpid(), threading.RLock(), models
        return self._opened[1]

    @property
    def models(self) -> Models:
        """The registered models; whoever asks holds the lock."""
        self._held()
        assert self._opened is not None
        return self._opened[2]

    def client(self) -> "MlflowClient":
        """Who to ask for runs and logged models."""
        from mlflow.tracking.client import MlflowClient

        return MlflowClient(self.tracking_uri)

    def _model(self, name: str) -> Model:
        _validate_model_name(name)
        model = self.models.model(name)
        if model is None:
            message = f"Registered Model with name={name} not found"
            raise MlflowException(message, RESOURCE_DOES_NOT_EXIST)
        return model

    def _entity(self, name: str) -> RegisteredModel:
        model = self._model(name)
        return entities.registered_model(self.models, name, model, self.store_uri)

    def _version(self, name: str, version: int | str) -> ModelVersion:
        _validate_model_name(name)
        number = _validate_model_version(version)
        if number not in self.models.versions(name):
            message = f"Model Version (name={name}, version={version}) not found"
            raise MlflowException(message, RESOURCE_DOES_NOT_EXIST)
        return entities.versions(self.models, name, self.store_uri, number)[0]

    def _say(self, name: str, data: dict[str, Any], message: str) -> None:
        with self.models.writing() as lock:
            self._model(name)
            self.models.say(name, data, message, lock=lock)

    def _say_of(
        self, name: str, version: int | str, said: dict[str, Any], what: str
    ) -> None:
        with self.models.writing() as lock:
            number = int(self._version(name, version).version)
            data, told = {"versions": {str(number): said}}, f"{what} version {number}"
            target = self.models.target(name, number)
            self.models.say(name, data, told, lock=lock, subject=target.id)
