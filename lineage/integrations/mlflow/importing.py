"""Recording what an MLflow server knows: runs, datasets, models and their versions.

A model that a run made is a commit with what the run used and measured; a run that
made none is a ``config``, and so is a prompt. Registered models come over with their
numbers, aliases, tags and stages, so that the registry can take the server's place.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from mlflow.exceptions import MlflowException
from mlflow.prompt.constants import IS_PROMPT_TAG_KEY, PROMPT_TEXT_TAG_KEY
from mlflow.store.artifact.utils.models import _parse_model_uri
from mlflow.tracking.client import MlflowClient

from lineage.errors import NotFound, StoreError, UsageError
from lineage.integrations.mlflow.book import Model, Version
from lineage.integrations.mlflow.models import Models
from lineage.integrations.mlflow.tracked import Tracked, clean, folder_of, told
from lineage.store.objects import Commit
from lineage.store.views import Target

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel

    from lineage.registry import Registry

_PAGE = 100
_STAGE_NONE = "None"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Imported:
    """How many commits of each kind and versions are new, and what was left out.

    `runs` and `registered` are what the server has; `skipped` are sentences.
    """

    runs: int
    registered: int
    configs: int
    datasets: int
    models: int
    versions: int
    skipped: tuple[str, ...]


def import_mlflow(
    registry: "Registry", uri: str, registry_uri: str | None = None
) -> Imported:
    """Record all that the tracking server `uri` knows, and its registered models.

    `registry_uri` is where those are, if elsewhere. What is recorded is left alone, so
    importing again records what is new; runs that still run wait for the next time.

    Raises:
        NotFound: when there is no such file of SQLite.
        StoreError: when the server does not answer, or not as MLflow does; what was
            recorded by then stays.
    """
    registry.events_log.check_writable()
    for place in (uri, registry_uri or uri):
        _check_there(place)
    try:
        client = MlflowClient(tracking_uri=uri, registry_uri=registry_uri or uri)
        return _Import(registry, client).all()
    except MlflowException as error:
        reason = str(error).partition("\n")[0]
        hint = "importing again goes on from there"
        raise StoreError(f"MLflow at {uri} failed: {reason}", hint=hint) from error


def _check_there(uri: str) -> None:
    """MLflow makes the database that it does not find."""
    scheme, _, path = uri.partition(":///")
    if scheme == "sqlite" and not Path(path).exists():
        raise NotFound(f"there is no {path}", hint="give the URI that the server has")


class _Import:
    def __init__(self, registry: "Registry", client: MlflowClient) -> None:
        self._client = client
        self._models = Models(registry)
        self._tracked = Tracked(registry, lambda: client)
        self._versions = 0
        self._skipped: list[str] = []

    def all(self) -> Imported:
        found = _pages(self._client.search_experiments)
        runs = sum(self._experiment(one.experiment_id, one.name) for one in found)
        registered = 0
        for prompts in ("false", "true"):
            wanted = f"tags.`{IS_PROMPT_TAG_KEY}` = '{prompts}'"
            for model in _pages(self._client.search_registered_models, wanted):
                self._registered(model, prompt=prompts == "true")
                registered += 1
        made = self._tracked.made
        return Imported(
            runs,
            registered,
            made["config"],
            made["dataset"],
            made["model"],
            self._versions,
            tuple(self._skipped),
        )

    def _experiment(self, id_: str, name: str) -> int:
        """Record one experiment; how many runs it has."""
        made_by: set[str | None] = set()
        for model in _pages(self._client.search_logged_models, [id_]):
            if str(model.status).rpartition(".")[2] != "READY":
                self._skipped.append(f"model {model.model_id} is not ready")
                continue
            made_by.add(model.source_run_id)
            self._tracked.logged_model(model)
        count = 0
        for run in _pages(self._client.search_runs, [id_]):
            count += 1
            if run.info.status in ("RUNNING", "SCHEDULED"):
                self._skipped.append(f"run {run.info.run_id} is not over")
            elif run.info.run_id not in made_by:
                self._tracked.run(run, f"{name}/{run.info.run_name}")
        return count

    def _registered(self, model: "RegisteredModel", *, prompt: bool) -> None:
        """Bring one registered model up to what the server says."""
        try:
            self._describe(model)
        except UsageError as error:
            self._skipped.append(f"registered model {model.name}: {error}")
            return
        quote = '"' if "'" in model.name else "'"
        wanted = f"name = {quote}{model.name}{quote}"
        if prompt:
            wanted += f" AND tags.`{IS_PROMPT_TAG_KEY}` = 'true'"
        found = _pages(self._client.search_model_versions, wanted)
        for version in sorted(found, key=lambda one: int(one.version)):
            self._version(version, prompt=prompt)
        self._point(model)

    def _describe(self, model: "RegisteredModel") -> None:
        fields = _texts(description=model.description)
        tags = dict(model._tags)  # noqa: SLF001 - `tags` leaves MLflow's own out
        with self._models.writing() as lock:
            present = self._models.model(model.name)
            if present is None:
                self._models.make(model.name, fields, tags, lock=lock)
            elif news := _news(present, fields, tags):
                told_ = f"described {model.name}"
                self._models.say(model.name, news, told_, lock=lock)

    def _version(self, version: "ModelVersion", *, prompt: bool) -> None:
        name, number = version.name, int(version.version)
        stage = version.current_stage
        fields = _texts(
            description=version.description,
            source=version.source,
            run_id=version.run_id,
            run_link=version.run_link,
            model_id=version.model_id,
            stage=None if stage == _STAGE_NONE else stage,
        )
        tags = dict(version.tags)
        present = self._models.versions(name).get(number)
        if present is None and self._models.registry.target(f"spent/{name}/{number}"):
            self._skipped.append(f"version {number} of {name} was deleted here")
            return
        target = None if present else self._target(version, prompt=prompt)
        with self._models.writing() as lock:
            if target and number not in self._models.versions(name):
                self._versions += 1
                self._models.add(name, target, fields, tags, lock=lock, number=number)
            elif present and (news := _news(present, fields, tags)):
                said = {"versions": {str(number): news}}
                about = self._models.target(name, number).id
                message = f"described version {number} of {name}"
                self._models.say(name, said, message, lock=lock, subject=about)

    def _target(self, version: "ModelVersion", *, prompt: bool) -> Target:
        """The commit of a version: of its logged model, or of its own."""
        tracked, source = self._tracked, version.source or ""
        if prompt:
            params = {"prompt": version.tags.get(PROMPT_TEXT_TAG_KEY, source)}
            draft = Commit("config", version.name, params=params)
            return self._made(tracked.put(draft, f"config/{version.name}", {}))
        model_id = version.model_id
        if urlsplit(source).scheme == "models":
            parsed = _parse_model_uri(source)
            model_id = model_id or parsed.model_id
            there = self._models.versions(str(parsed.name)) if parsed.version else {}
            if parsed.version and int(parsed.version) in there:
                return self._models.target(str(parsed.name), int(parsed.version))
        if model := tracked.model_of(model_id):
            return self._made(tracked.logged_model(model))
        run = tracked.run_of(version.run_id)
        place = {"uri": source or f"models:/{version.name}/{version.version}"}
        facts = tracked.facts(run, None)
        draft = Commit("model", clean(version.name), external=place, **facts)
        branch = f"model/{clean(version.name)}"
        return self._made(tracked.put(draft, branch, told(run), folder_of(source)))

    def _made(self, id_: str) -> Target:
        return Target(id_, self._models.registry.git_oid(id_))

    def _point(self, model: "RegisteredModel") -> None:
        """Let the aliases stand for what they stand for there."""
        with self._models.writing() as lock:
            there = self._models.versions(model.name)
            for alias, number in model.aliases.items():
                present = self._models.aliases(model.name).get(alias)
                if int(number) in there and present != int(number):
                    self._models.set_alias(model.name, alias, int(number), lock=lock)


def _news(
    present: Model | Version, fields: dict[str, str], tags: dict[str, str]
) -> dict[str, Any]:
    """What has to be said for `present` to be as the server has it."""
    known = {k: v for k, v in present.fields.items() if k != "location"}
    return {
        key: {**dict.fromkeys(old.keys() - new.keys()), **new}
        for key, old, new in (("fields", known, fields), ("tags", present.tags, tags))
        if old != new
    }


def _texts(**fields: str | None) -> dict[str, str]:
    return {key: str(value) for key, value in fields.items() if value}


def _pages(search: Callable[..., Any], *words: Any) -> Iterator[Any]:
    """Everything that a search of MLflow's finds, page by page."""
    token: str | None = None
    while True:
        page = search(*words, max_results=_PAGE, page_token=token)
        yield from page
        token = page.token
        if not token:
            return
