"""What MLflow finds of us while it is being imported: it loads these at once.

So they import nothing, and what they stand for only when it is asked for.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lineage.integrations.mlflow.artifacts import LineageArtifacts
    from lineage.integrations.mlflow.store import LineageStore


def store(
    store_uri: str | None = None, tracking_uri: str | None = None
) -> "LineageStore":
    """The model registry that a URI of ours means."""
    from lineage.integrations.mlflow.store import LineageStore

    return LineageStore(store_uri, tracking_uri)


def artifacts(
    artifact_uri: str, tracking_uri: str | None = None, registry_uri: str | None = None
) -> "LineageArtifacts":
    """The files of the commit that a URI of ours means."""
    from lineage.integrations.mlflow.artifacts import LineageArtifacts

    return LineageArtifacts(artifact_uri, tracking_uri, registry_uri)
