"""Odd places and surroundings: all works there, or one sentence says why not.

Full and read-only disks, umask and clocks are in test_disk.py.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn
from zipfile import ZipFile

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lineage.registry import Registry

    Run = Callable[..., Any]

ROOT = Path(__file__).parents[1]
ODD = "a 'b\" $x `é\\ %41;&#☃"


def test_a_registry_may_lie_at_any_path(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Spaces, quotes, what shells and URLs read, other scripts: in paths and names."""
    home, far, store = tmp_path / ODD, tmp_path / f"{ODD}.git", tmp_path / "store"
    for folder in (home, store):
        folder.mkdir()
    monkeypatch.chdir(home)
    (home / f"{ODD}.jsonl").write_text('{"text": "one"}\n', encoding="utf-8")
    subprocess.run(["git", "init", "-q", "--bare", far], check=True)
    assert run("init").exit_code == 0
    (home / ".dvc" / "config").write_text(
        f"[core]\n    remote = s\n['remote \"s\"']\n    url = {store}\n"
    )
    steps = [
        ("commit", "dataset", f"{ODD}.jsonl", "--name", f"{ODD}/x"),
        ("remote", "add", "origin", str(far)),
        ("push",),
        ("clone", str(far), f"../{ODD} again"),
        ("verify",),
        ("report", "HEAD", "--format", "md", "-o", f"{ODD}.md"),
    ]
    for words in steps:
        done = run(*words)
        assert (done.exit_code, words) == (0, words), done.stderr
    monkeypatch.chdir(tmp_path / f"{ODD} again")
    assert run("get", f"dataset/{ODD}/x", ODD).exit_code == 0
    got = Path(ODD) / f"{ODD}.jsonl" if Path(ODD).is_dir() else Path(ODD)
    assert got.read_text() == '{"text": "one"}\n'


def test_names_are_utf8_in_every_locale(repo: Registry, tmp_path: Path) -> None:
    """Where Python would take words for ASCII, a commit still has the same id."""
    (repo.root / "é.txt").write_text("x")
    ids: list[tuple[int, bytes, bytes]] = []
    other = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for env in ({}, other):
        place = shutil.copytree(repo.root, tmp_path / f"copy{len(ids)}", symlinks=True)
        words = ["commit", "dataset", "é.txt", "--name", "né", "-m", "ü"]
        done = subprocess.run(
            [sys.executable, "-m", "lineage", *words],
            cwd=place,
            env={**os.environ, **env},
            capture_output=True,
            check=False,
        )
        ids.append((done.returncode, done.stdout, done.stderr))
    assert ids[0] == ids[1]
    assert ids[0][0] == 0


@pytest.mark.parametrize("code", [errno.EPERM, errno.EOPNOTSUPP])
def test_a_disk_without_hard_links_is_named(
    code: int, repo: Registry, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence says what is missing, and where to go; nothing is recorded."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise OSError(code, os.strerror(code))

    (repo.root / "a.txt").write_text("x")
    monkeypatch.setattr(os, "link", refuse)
    done = run("commit", "dataset", "a.txt", "--name", "d")
    assert done.exit_code == 1
    assert "has no hard links" in done.stderr
    assert "dvc cache dir" in done.stderr
    assert repo.branches() == {}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_the_registry_of_somebody_else_is_said_to_be_one(
    repo: Registry, run: Run
) -> None:
    """Git opens no repository of another user; the hint is its own command."""
    os.chown(repo.root, 65534, 65534)
    os.chown(repo.root / ".git", 65534, 65534)
    done = run("log")
    assert done.exit_code == 1
    assert done.stderr == (
        f"error: {repo.root} belongs to another user\nhint: where you trust them: "
        f"`git config --global --add safe.directory {repo.root}`\n"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_folder_is_trusted_by_what_the_environment_says(
    repo: Registry, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Git's own variables for settings say which folders of others are safe."""
    os.chown(repo.root, 65534, 65534)
    os.chown(repo.root / ".git", 65534, 65534)
    given = {"COUNT": "2", "KEY_0": "core.bare", "VALUE_0": "true"}
    given |= {"KEY_1": "safe.directory", "VALUE_1": str(repo.root)}
    for name, value in given.items():
        monkeypatch.setenv(f"GIT_CONFIG_{name}", value)
    assert run("branch").exit_code == 0
    monkeypatch.setenv("GIT_CONFIG_VALUE_1", "/elsewhere")
    assert "belongs to another user" in run("branch").stderr


def test_who_acts_is_whom_git_says(
    repo: Registry, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user's settings of git may lie elsewhere than at home."""
    settings = tmp_path / "settings"
    settings.write_text("[user]\nname = Grace\nemail = grace@example.com\n")
    for key in ("user.name", "user.email"):
        subprocess.run(["git", "config", "--unset", key], cwd=repo.root, check=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    assert run("commit", "config", "--name", "c", "--param", "x=1").exit_code == 0
    assert run("events", "-n", "1", "--format", "csv").stdout.count("Grace") == 1


def test_what_a_hook_of_git_sets_leads_nowhere_else(
    repo: Registry, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The registry is that of the working directory, whatever git tells its hooks."""
    (repo.root / "a.txt").write_text("x")
    subprocess.run(["git", "init", "-q", tmp_path / "other"], check=True)
    for name, value in {
        "GIT_DIR": tmp_path / "other" / ".git",
        "GIT_WORK_TREE": tmp_path / "other",
        "GIT_INDEX_FILE": tmp_path / "index",
        "GIT_OBJECT_DIRECTORY": tmp_path / "objects",
    }.items():
        monkeypatch.setenv(name, str(value))
    assert run("commit", "dataset", "a.txt", "--name", "d").exit_code == 0
    assert repo.branches().keys() == {"dataset/d"}
    assert not (tmp_path / "index").exists()


@pytest.mark.parametrize("columns", ["1", "500"])
def test_a_terminal_may_have_any_width(
    columns: str, repo: Registry, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One column or five hundred: what does not fit is left out, and says so."""
    repo.commit("config", "c", params={"a": 1}, message="why")
    monkeypatch.setenv("COLUMNS", columns)
    done = run("log")
    assert done.exit_code == 0
    assert ("…" in done.stdout) == (columns == "1")
    assert len(done.stdout.splitlines()) < 5


def test_a_checkout_without_links_builds_the_same_wheel(tmp_path: Path) -> None:
    """Where lineage/cli and lineage/store are text files, nothing of them is lost."""
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "lineage", "cli", "store"):
        path = ROOT / name
        ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
        if path.is_dir():
            shutil.copytree(path, source / name, symlinks=True, ignore=ignore)
        else:
            shutil.copy(path, source)
    for link in ("cli", "store"):
        (source / "lineage" / link).unlink()
        (source / "lineage" / link).write_text(f"../{link}")
    ours = {str(path.relative_to(source)) for path in source.rglob("*.py")}
    build = "from setuptools.build_meta import build_wheel; build_wheel('..')"
    subprocess.run(
        [sys.executable, "-c", build], cwd=source, capture_output=True, check=True
    )
    [wheel] = tmp_path.glob("*.whl")
    with ZipFile(wheel) as archive:
        inside = {n for n in archive.namelist() if n.endswith(".py")}
    rooms = {f"{n}.py" for n in ("lineage/cli/main", "lineage/store/objects")}
    moved = {p if p.startswith("lineage/") else f"lineage/{p}" for p in ours}
    assert rooms < inside == moved
