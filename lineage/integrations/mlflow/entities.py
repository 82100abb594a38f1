"""Registered models and their versions as MLflow has them."""

from mlflow.entities.model_registry import (
    ModelVersion,
    ModelVersionTag,
    RegisteredModel,
    RegisteredModelAlias,
    RegisteredModelTag,
)
from mlflow.entities.model_registry.model_version_stages import STAGE_NONE

from lineage.integrations.mlflow.book import Model, Version
from lineage.integrations.mlflow.models import Models
from lineage.integrations.mlflow.places import of_commit


def registered_model(
    models: Models, name: str, model: Model, uri: str
) -> RegisteredModel:
    """A registered model, with the latest version of each stage."""
    aliases = models.aliases(name)
    return RegisteredModel(
        name=name,
        creation_timestamp=model.created,
        last_updated_timestamp=model.updated,
        description=model.fields.get("description"),
        latest_versions=latest(models, name, uri),
        tags=[RegisteredModelTag(k, v) for k, v in model.tags.items()],
        aliases=[RegisteredModelAlias(alias, n) for alias, n in aliases.items()],
        deployment_job_id=model.fields.get("deployment_job_id"),
    )


def latest(models: Models, name: str, uri: str) -> list[ModelVersion]:
    """The newest version of each stage."""
    found = {one.current_stage: one for one in versions(models, name, uri)}
    return list(found.values())


def versions(
    models: Models, name: str, uri: str, number: int | None = None
) -> list[ModelVersion]:
    """The versions of a registered model, the oldest first; or one that is there."""
    said, aliases = models.versions(name), models.aliases(name)
    chosen = said if number is None else {number: said[number]}
    found = []
    for n, version in chosen.items():
        source = version.fields.get("source")
        source = source or of_commit(uri, models.target(name, n).id)
        called = [alias for alias, of in aliases.items() if of == n]
        found.append(_version(name, n, version, source, called))
    return found


def _version(
    name: str, number: int, version: Version, source: str, aliases: list[str]
) -> ModelVersion:
    said = version.fields
    return ModelVersion(
        name=name,
        version=number,  # type: ignore[arg-type]  # as MLflow's own store gives it
        creation_timestamp=version.created,
        last_updated_timestamp=version.updated,
        description=said.get("description"),
        current_stage=said.get("stage", STAGE_NONE),
        source=source,
        run_id=said.get("run_id"),
        run_link=said.get("run_link"),
        tags=[ModelVersionTag(k, v) for k, v in version.tags.items()],
        aliases=aliases,
        model_id=said.get("model_id"),
    )
