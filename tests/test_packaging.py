"""The distribution: what is in it, what it starts, what it does not wait for."""

import os
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from lineage.registry import Registry

ROOT = Path(__file__).parents[1]
ROOMS = {"lineage": "lineage", "lineage/cli": "cli", "lineage/store": "store"}


def house() -> dict[str, Path]:
    """Give every file of the three rooms under the path it is installed at."""
    return {
        f"{installed}/{path.relative_to(ROOT / room)}": path
        for installed, room in ROOMS.items()
        for path in (ROOT / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
        # rglob lists the links lineage/cli and lineage/store, but does not enter them
    }


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build sdist, and wheel from sdist, from a copy of the checkout."""
    copy = tmp_path_factory.mktemp("build") / "checkout"
    for room in ROOMS.values():
        shutil.copytree(ROOT / room, copy / room, symlinks=True)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    build = [sys.executable, "-m", "build", "--no-isolation", os.fspath(copy)]
    subprocess.run(build, check=True, capture_output=True)
    [built] = (copy / "dist").glob("*.whl")
    return built


def test_packages_are_the_tree(project: dict[str, Any]) -> None:
    """The explicit list of packages is what the tree holds."""
    found = {Path(name).parent for name in house() if name.endswith(".py")}

    assert sorted(".".join(path.parts) for path in found) == sorted(
        project["tool"]["setuptools"]["packages"]
    )


def test_wheel_holds_the_house(wheel: Path) -> None:
    """A wheel made from the sdist has each file of the three rooms, and no other."""
    with ZipFile(wheel) as archive:
        names = {n for n in archive.namelist() if ".dist-info/" not in n}

        assert set(house()) == names
        assert all(archive.read(n) == path.read_bytes() for n, path in house().items())


def test_wheel_runs_beside_a_users_own_cli_and_store(
    wheel: Path, tmp_path: Path
) -> None:
    """Installed, the command is not confused by folders named cli and store."""
    site = tmp_path / "site-packages"
    ZipFile(wheel).extractall(site)
    for name in ("cli", "store"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("1 / 0", encoding="utf-8")
    where = "import lineage.store, lineage.cli.main as m; print(m.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", where],
        env={**os.environ, "PYTHONPATH": os.fspath(site)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout.strip() == os.fspath(site / "lineage/cli/main.py")


def test_console_script_works() -> None:
    """The installed command answers with its version."""
    script = Path(sys.executable).with_name("lineage")
    done = subprocess.run(
        [script, "--version"], capture_output=True, text=True, check=True
    )

    assert version("lineage-vcs") in done.stdout


def imported_by_starting(*words: str) -> set[str]:
    """Give the modules that Python imports when it is started so."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *words],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return {line.split("|")[-1].strip() for line in done.stderr.splitlines()}


@cache
def imported_by_python() -> set[str]:
    """Give the modules that Python always imports."""
    return imported_by_starting("-c", "pass")


@pytest.mark.parametrize(
    ("words", "most", "others"),
    [
        ("--help", 10, {"click"}),
        ("--version", 10, {"click"}),
        ("log", 100, {"click", "renderdag"}),
        ("show", 105, {"click"}),
    ],
)
def test_a_start_imports_little(
    repo: Registry, words: str, most: int, others: set[str]
) -> None:
    """A command waits for so many modules of ours, few others, and nothing slow."""
    repo.commit("config", "tutor", params={"seed": 1})
    command = ("-m", "lineage", "-C", os.fspath(repo.root), words)
    imported = imported_by_starting(*command) - imported_by_python()
    packages = [name.split(".")[0] for name in imported]

    assert "lineage.cli.main" in imported
    assert packages.count("lineage") <= most
    assert {*packages} & {*packages_distributions()} <= {"lineage", *others}
