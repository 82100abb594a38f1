"""The files of commits as MLflow reads them: ``lineage:///registry/COMMIT``."""

import posixpath
import threading
from pathlib import Path
from typing import Any

from mlflow.entities import FileInfo
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import PERMISSION_DENIED, RESOURCE_DOES_NOT_EXIST
from mlflow.store.artifact.artifact_repo import ArtifactRepository

from lineage.integrations.mlflow.places import below, commit_of, kept
from lineage.transfer import bring


class LineageArtifacts(ArtifactRepository):
    """The files of one commit, each verified as it is written out."""

    def __init__(self, artifact_uri: str, *args: Any, **named: Any) -> None:
        super().__init__(artifact_uri, *args, **named)
        place, self._id, self._path = commit_of(artifact_uri)
        self._lock = threading.Lock()
        self._registry = kept(self, place)
        self._files = {item.path: item for item in self._registry.files(self._id)}

    def log_artifact(self, local_file: str, artifact_path: str | None = None) -> None:
        """Refuse: a commit is what it is."""
        del local_file, artifact_path
        message = "a commit does not change: register a new version instead"
        raise MlflowException(message, PERMISSION_DENIED)

    def log_artifacts(self, local_dir: str, artifact_path: str | None = None) -> None:
        """Refuse: a commit is what it is."""
        self.log_artifact(local_dir, artifact_path)

    def list_artifacts(self, path: str | None = None) -> list[FileInfo]:
        """The files and folders right below `path`; none where it is a file."""
        start = posixpath.join(self._path, path or "").strip("/")
        head = f"{start}/" if start else ""
        found: dict[str, FileInfo] = {}
        for name, item in self._files.items():
            if name.startswith(head):
                part, below_, _ = name.removeprefix(head).partition("/")
                shown = posixpath.join(path or "", part)
                is_dir = bool(below_)
                found[part] = FileInfo(shown, is_dir, None if is_dir else item.size)
        return [found[part] for part in sorted(found)]

    def _download_file(self, remote_file_path: str, local_path: str) -> None:
        wanted = posixpath.join(self._path, remote_file_path).strip("/")
        if wanted not in self._files:
            uri = below(self.artifact_uri, remote_file_path)
            message = f"there is no file {uri}"
            raise MlflowException(message, RESOURCE_DOES_NOT_EXIST)
        with self._lock:
            bring(self._registry, self._id, None)
            self._registry.payloads.copy(self._files[wanted], Path(local_path))
