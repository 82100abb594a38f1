"""Run MLflow's own tests of its model registry, unmodified, against ours.

    make conformance MLFLOW_SRC=/path/to/a/checkout/of/mlflow

The tests make an `SqlAlchemyStore` on a file of SQLite. They are given ours instead, on
a registry beside that file, and what they turn while they run (the clock, the client of
the tracking server) is turned for ours, too. MLflow itself is the installed one.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lineage.integrations.mlflow import models
from lineage.integrations.mlflow.store import LineageStore

THEIRS: Any = import_module("mlflow.store.model_registry.sqlalchemy_store")
TESTS = "tests/store/model_registry/test_sqlalchemy_store.py"
TEMPLATE = Path(tempfile.mkdtemp(prefix="conformance-"))


class Adapted(LineageStore):
    """Ours, made as the tests make THEIRS."""

    def __init__(self, db_uri: str) -> None:
        self.db_uri = db_uri
        root = Path(db_uri.removeprefix("sqlite:///")).with_name("registry")
        shutil.copytree(TEMPLATE / "registry", root, symlinks=True)
        super().__init__(f"lineage://{root}")
        self.engine = SimpleNamespace(dispose=self.models.registry.close)

    def client(self) -> Any:
        """The client that a test may have replaced."""
        return THEIRS.MlflowClient()


class Exchange:
    """Gives the tests our store under the names that they make theirs by."""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Exchange the names once the tests are loaded."""
        modules: list[Any] = [item.getparent(pytest.Module) for item in items]
        for module in {found.obj for found in modules}:
            module.SqlAlchemyStore = module.WorkspaceAwareSqlAlchemyStore = Adapted


def now() -> str:
    """The time, by the clock that a test may have turned."""
    moment = datetime.fromtimestamp(THEIRS.get_current_time_millis() / 1000, UTC)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def main(source: Path, *words: str) -> int:
    """Run the tests of the checkout `source`; `words` are more options of pytest."""
    os.environ["MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS"] = "true"  # else it asks DNS
    os.chdir(TEMPLATE)  # MLflow's tests leave files where they run
    shutil.copytree(source / "tests", TEMPLATE / "tests")
    command = Path(sys.executable).with_name("lineage")
    subprocess.run([command, "init", "registry"], check=True, capture_output=True)
    models.__dict__["now"] = now
    (TEMPLATE / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    plugins = ("randomly", "cacheprovider", "schemathesis")
    options = ["-c", "pytest.ini", "-q", "--tb=line", *(f"-pno:{p}" for p in plugins)]
    return pytest.main([*options, *words, TESTS], plugins=[Exchange()])


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1]).resolve(), *sys.argv[2:]))
    finally:
        shutil.rmtree(TEMPLATE, ignore_errors=True)
