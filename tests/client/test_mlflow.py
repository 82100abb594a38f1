"""MLflow's model registry in a registry behind a server."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from lineage.integrations.mlflow.artifacts import LineageArtifacts
from lineage.integrations.mlflow.store import LineageStore

if TYPE_CHECKING:
    from pathlib import Path

    from lineage.registry import Registry


@pytest.fixture
def store(url: str) -> LineageStore:
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    return LineageStore(f"lineage+{url}")


def test_versions_and_bytes_go_through_the_server(
    store: LineageStore, repo: Registry, tmp_path: Path
) -> None:
    """A model registered from afar is a tag there, and its files come back."""
    folder = tmp_path / "saved"
    folder.mkdir()
    (folder / "MLmodel").write_text("flavors: {}\n", encoding="utf-8")
    store.create_registered_model("tutor")
    store.create_model_version("tutor", str(folder))
    store.set_registered_model_alias("tutor", "champion", 1)

    tags = repo.tags()
    assert repo.branches()["tutor@champion"] == tags["tutor/1"]
    uri = store.get_model_version_download_uri("tutor", 1)
    assert uri == f"{store.store_uri}/{tags['tutor/1']}"
    found = LineageArtifacts(uri)
    assert [file.path for file in found.list_artifacts()] == ["MLmodel"]
    there = found.download_artifacts("MLmodel", str(tmp_path))  # type: ignore[no-untyped-call]
    assert there == str(tmp_path / "MLmodel")
    assert (tmp_path / "MLmodel").read_bytes() == b"flavors: {}\n"


def test_writers_here_and_there_do_not_lose_each_other(
    store: LineageStore, repo: Registry
) -> None:
    """Whoever was second tries again: each version has a number of its own."""
    here = LineageStore(f"lineage://{repo.root}")
    store.create_registered_model("tutor")

    def make(n: int) -> int:
        by = (store, here)[n % 2]
        return int(by.create_model_version("tutor", f"s3://bucket/{n}").version)

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(make, range(6))) == [1, 2, 3, 4, 5, 6]
