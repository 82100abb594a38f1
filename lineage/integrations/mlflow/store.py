"""The model registry that MLflow finds under ``lineage:``.

MLflow calls these methods with its own validation, messages and filters, so that its
clients see what they are used to; what is said goes through `lineage.integrations.
mlflow.models` into names and events.
"""

from typing import Any

from mlflow.entities.model_registry import (
    ModelVersion,
    ModelVersionTag,
    RegisteredModel,
    RegisteredModelTag,
)
from mlflow.entities.model_registry.model_version_stages import (
    ALL_STAGES,
    DEFAULT_STAGES_FOR_GET_LATEST_VERSIONS,
    STAGE_ARCHIVED,
    STAGE_NONE,
    get_canonical_stage,
)
from mlflow.exceptions import MlflowException
from mlflow.prompt.registry_utils import (
    handle_resource_already_exist_error,
    has_prompt_tag,
)
from mlflow.protos.databricks_pb2 import (
    INVALID_PARAMETER_VALUE,
    RESOURCE_DOES_NOT_EXIST,
)
from mlflow.store.entities.paged_list import PagedList
from mlflow.utils.validation import (
    _validate_model_alias_name,
    _validate_model_alias_name_reserved,
    _validate_model_name,
    _validate_model_renaming,
    _validate_model_version,
    _validate_model_version_tag,
    _validate_registered_model_tag,
    _validate_tag_name,
)

from lineage.integrations.mlflow import entities, searching
from lineage.integrations.mlflow.calls import whole
from lineage.integrations.mlflow.places import of_commit
from lineage.integrations.mlflow.registering import Registering
from lineage.integrations.mlflow.webhooks import Webhooks

Tags = list[Any] | None  # of MLflow's own kind


class LineageStore(Webhooks):
    """MLflow's registered models in the registry that `store_uri` means.

    What `create_model_version` is told of a run or a logged model it looks up at
    `tracking_uri`, to record what the model came from.
    """

    # registered models

    @whole
    def create_registered_model(
        self,
        name: str,
        tags: Tags = None,
        description: str | None = None,
        deployment_job_id: str | None = None,
    ) -> RegisteredModel:
        """Make a registered model without versions."""
        _validate_model_name(name)
        for tag in tags or []:
            _validate_registered_model_tag(tag.key, tag.value)
        with self.models.writing() as lock:
            if present := self.models.model(name):
                is_prompt = has_prompt_tag(present.tags)
                handle_resource_already_exist_error(
                    name, is_prompt, has_prompt_tag(tags)
                )
            fields = _given(
                description=description, deployment_job_id=deployment_job_id
            )
            self.models.make(name, fields, _map(tags), lock=lock)
        return self._entity(name)

    @whole
    def update_registered_model(
        self, name: str, description: str | None, deployment_job_id: str | None = None
    ) -> RegisteredModel:
        """Describe a registered model otherwise."""
        fields = {"description": description}
        if deployment_job_id is not None:
            fields["deployment_job_id"] = deployment_job_id
        self._say(name, {"fields": fields}, f"described {name}")
        return self._entity(name)

    @whole
    def rename_registered_model(self, name: str, new_name: str) -> RegisteredModel:
        """Call a registered model otherwise: versions and aliases go with it."""
        _validate_model_renaming(new_name)
        with self.models.writing() as lock:
            self._model(name)
            if present := self.models.model(new_name):
                same = has_prompt_tag(present.tags)
                handle_resource_already_exist_error(new_name, same, same)
            self.models.rename(name, new_name, lock=lock)
        return self._entity(new_name)

    @whole
    def delete_registered_model(self, name: str) -> None:
        """Delete a registered model, its versions and aliases; commits stay."""
        with self.models.writing() as lock:
            self._model(name)
            self.models.drop_all(name, lock=lock)

    @whole
    def search_registered_models(
        self,
        filter_string: str | None = None,
        max_results: int | None = None,
        order_by: list[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[RegisteredModel]:
        """The registered models that a filter means."""
        return searching.registered_models(
            [self._entity(name) for name in self.models.names()],
            filter_string,
            max_results,
            order_by,
            page_token,
        )

    @whole
    def get_registered_model(self, name: str) -> RegisteredModel:
        """One registered model."""
        return self._entity(name)

    @whole
    def get_latest_versions(
        self, name: str, stages: list[str] | None = None
    ) -> list[ModelVersion]:
        """The newest version of each stage, or of those in `stages`."""
        self._model(name)
        wanted = {get_canonical_stage(stage) for stage in stages or ALL_STAGES}
        found = entities.latest(self.models, name, self.store_uri)
        return [version for version in found if version.current_stage in wanted]

    @whole
    def set_registered_model_tag(self, name: str, tag: RegisteredModelTag) -> None:
        """Set a tag of a registered model."""
        _validate_model_name(name)
        _validate_registered_model_tag(tag.key, tag.value)
        said = {"tags": {tag.key: _text(tag.value)}}
        self._say(name, said, f"tagged {name}: {tag.key}")

    @whole
    def delete_registered_model_tag(self, name: str, key: str) -> None:
        """Take a tag from a registered model, if it has it."""
        _validate_model_name(name)
        _validate_tag_name(key)
        if key in self._model(name).tags:
            self._say(name, {"tags": {key: None}}, f"untagged {name}: {key}")

    # versions

    @whole
    def create_model_version(  # noqa: PLR0917 - MLflow's signature
        self,
        name: str,
        source: str,
        run_id: str | None = None,
        tags: Tags = None,
        run_link: str | None = None,
        description: str | None = None,
        local_model_path: str | None = None,
        model_id: str | None = None,
    ) -> ModelVersion:
        """Record a model as a commit and make it the next version.

        Its bytes are stored where they can be read here; its commit says what the run
        used, as far as the tracking server knows.
        """
        _validate_model_name(name)
        for tag in tags or []:
            _validate_model_version_tag(tag.key, tag.value)
        model = self._model(name)
        registering = Registering(self, name, prompt=has_prompt_tag(model.tags))
        made = registering.commit(
            source, run_id, model_id, local_model_path, _map(tags)
        )
        fields = _given(
            source=source,
            location=made.location,
            run_id=made.run_id,
            run_link=run_link,
            description=description,
            model_id=made.model_id,
        )
        with self.models.writing() as lock:
            self._model(name)
            number = self.models.add(name, made.target, fields, _map(tags), lock=lock)
        return self._version(name, number)

    @whole
    def update_model_version(
        self, name: str, version: int | str, description: str | None = None
    ) -> ModelVersion:
        """Describe a version otherwise."""
        fields = {"fields": {"description": description}}
        self._say_of(name, version, fields, "described")
        return self._version(name, version)

    @whole
    def transition_model_version_stage(
        self,
        name: str,
        version: int | str,
        stage: str,
        archive_existing_versions: bool,  # noqa: FBT001 - MLflow's signature
    ) -> ModelVersion:
        """Put a version into a stage; those in it can go to the archive."""
        wanted = get_canonical_stage(stage)
        if (
            archive_existing_versions
            and wanted not in DEFAULT_STAGES_FOR_GET_LATEST_VERSIONS
        ):
            message = (
                "Model version transition cannot archive existing model versions "
                f"because '{stage}' is not an Active stage. Valid stages are "
                f"{DEFAULT_STAGES_FOR_GET_LATEST_VERSIONS}"
            )
            raise MlflowException(message)
        with self.models.writing() as lock:
            number = int(self._version(name, version).version)
            stages = {number: None if wanted == STAGE_NONE else wanted}
            for other, said in self.models.versions(name).items():
                now = said.fields.get("stage", STAGE_NONE)
                if archive_existing_versions and now == wanted and other != number:
                    stages[other] = STAGE_ARCHIVED
            data = {str(n): {"fields": {"stage": text}} for n, text in stages.items()}
            told = f"version {number} of {name} is in {wanted}"
            target = self.models.target(name, number)
            self.models.say(
                name, {"versions": data}, told, lock=lock, subject=target.id
            )
        return self._version(name, number)

    @whole
    def delete_model_version(self, name: str, version: int | str) -> None:
        """Delete a version: its number is spent, its commit stays."""
        with self.models.writing() as lock:
            number = int(self._version(name, version).version)
            self.models.drop(name, number, lock=lock)

    @whole
    def get_model_version(self, name: str, version: int | str) -> ModelVersion:
        """One version."""
        return self._version(name, version)

    @whole
    def get_model_version_download_uri(self, name: str, version: int | str) -> str:
        """Where the bytes of a version are: here, if they are stored."""
        found = self._version(name, version)
        target = self.models.target(name, int(found.version))
        if self.models.registry.load(target.id).stored:
            return of_commit(self.store_uri, target.id)
        said = self.models.versions(name)[int(found.version)].fields
        return said.get("location") or str(found.source)

    @whole
    def search_model_versions(
        self,
        filter_string: str | None = None,
        max_results: int | None = None,
        order_by: list[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[ModelVersion]:
        """The versions that a filter means."""
        every = (
            entities.versions(self.models, name, self.store_uri)
            for name in self.models.names()
        )
        return searching.model_versions(
            [version for some in every for version in some],
            filter_string,
            max_results,
            order_by,
            page_token,
        )

    @whole
    def set_model_version_tag(
        self, name: str, version: int | str, tag: ModelVersionTag
    ) -> None:
        """Set a tag of a version."""
        _validate_model_name(name)
        _validate_model_version(version)
        _validate_model_version_tag(tag.key, tag.value)
        said = {"tags": {tag.key: _text(tag.value)}}
        self._say_of(name, version, said, f"tagged {tag.key}:")

    @whole
    def delete_model_version_tag(self, name: str, version: int | str, key: str) -> None:
        """Take a tag from a version, if it has it."""
        _validate_model_name(name)
        _validate_model_version(version)
        _validate_tag_name(key)
        if key in self._version(name, version).tags:
            self._say_of(name, version, {"tags": {key: None}}, f"untagged {key}:")

    # aliases

    @whole
    def set_registered_model_alias(
        self, name: str, alias: str, version: int | str
    ) -> None:
        """Let an alias stand for a version."""
        _validate_model_alias_name(alias)
        _validate_model_alias_name_reserved(alias)
        with self.models.writing() as lock:
            number = int(self._version(name, version).version)
            self.models.set_alias(name, alias, number, lock=lock)

    @whole
    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        """Delete an alias, if it is there."""
        _validate_model_alias_name(alias)
        with self.models.writing() as lock:
            self._model(name)
            self.models.drop_alias(name, alias, lock=lock)

    @whole
    def get_model_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        """The version that an alias stands for; ``latest`` is the newest."""
        _validate_model_alias_name(alias)
        self._model(name)
        if alias.lower() == "latest":
            if numbers := self.models.versions(name):
                return self._version(name, max(numbers))
            message = f"Latest version not found for model {name}."
            raise MlflowException(message, RESOURCE_DOES_NOT_EXIST)
        number = self.models.aliases(name).get(alias)
        if number is None:
            message = f"Registered model alias {alias} not found."
            raise MlflowException(message, INVALID_PARAMETER_VALUE)
        return self._version(name, number)


def _map(tags: Tags) -> dict[str, str]:
    return {tag.key: _text(tag.value) for tag in tags or []}


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _given(**fields: str | None) -> dict[str, str]:
    return {key: str(value) for key, value in fields.items() if value is not None}
