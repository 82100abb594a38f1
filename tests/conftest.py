"""What every test stands on: a closed world, a registry, the real command line.

The closed world: $HOME is no directory, so nothing can be read or left there; the
network is a closed port; git and DVC see no configuration but ours; the working
directory is the test's own.
"""

from __future__ import annotations

import gc
import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, settings

import lineage
from lineage.store.payloads import MISSING
from lineage.verify import verify
from tests import postgres as postgresql
from tests.demo import told

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from lineage.registry import Registry
    from tests.demo import Demo

SCRUBBED = ("AWS_", "DVC_", "GIT_", "HF_", "LINEAGE_", "XDG_")
NOWHERE = "http://127.0.0.1:9"  # the discard port: refused at once
WORLD = {
    "HOME": os.devnull,
    "GIT_ALLOW_PROTOCOL": "file",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "DVC_NO_ANALYTICS": "1",
    "HF_HUB_OFFLINE": "1",
    "http_proxy": NOWHERE,
    "https_proxy": NOWHERE,
    "no_proxy": "localhost,127.0.0.1",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "NO_COLOR": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
IDENTITY = """\
[user]
    name = Ada Example
    email = ada@example.com
[init]
    defaultBranch = main
"""

# Read when a test module imports torch, before any fixture. Threads of several workers
# that wait for one another take many times longer than one thread each.
os.environ["OMP_NUM_THREADS"] = "1"

# What takes a worker a minute or more; begun last, it would keep the others waiting.
LONGEST = (
    "lineage/bundle_check/test_tampering.py",
    "test_kills.py",
    "lineage/loop/machines/test_cluster.py",
    "docs/test_lessons.py",
    "cli/test_demo.py",
    "lineage/loop/running/test_crash.py",
    "science/test_closed_forms.py",
    "server/test_openapi.py",
    "test_crash.py",
    "test_races.py",
    "server/test_browser.py",
    "lineage/loop/running/test_reuse.py",
    "lineage/loop/machines/test_torchrun.py",
    "client/test_writing.py",
    "cli/loops/test_novelty.py",
    "science/test_models.py",
    "lineage/audit/test_browser.py",
    "lineage/audit/test_page.py",
    "lineage/loop/running/test_actions.py",
)

# A busy machine is no reason to fail. EXAMPLES=300 makes a long run.
settings.register_profile(
    "lineage",
    max_examples=int(os.environ.get("EXAMPLES", "30")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("lineage")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no cycles among what is imported: that took a quarter of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first, in their order; the others stay as they came."""
    here = Path(__file__).parent
    ranks = {here / name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(item.path, len(ranks)))


@pytest.fixture(scope="session", autouse=True)
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Close the world for this session and every process that it starts."""
    config = tmp_path_factory.mktemp("config")
    (config / "git").mkdir()
    (config / "git" / "config").write_text(IDENTITY, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith(SCRUBBED):
                patch.delenv(name)
        for name in ("PYTHONDONTWRITEBYTECODE", "FORCE_COLOR", "COLUMNS", "PAGER"):
            patch.delenv(name, raising=False)
        for name, value in WORLD.items():
            patch.setenv(name, value)
        patch.setenv("XDG_CONFIG_HOME", str(config))
        patch.setenv("XDG_CONFIG_DIRS", str(config))
        patch.setenv("DVC_SYSTEM_CONFIG_DIR", str(config))
        patch.setenv("DVC_SITE_CACHE_DIR", str(config / "dvc"))
        yield


@pytest.fixture(autouse=True)
def _nothing_in_what_all_share(world: None) -> Iterator[None]:
    """See that no test leaves keys or settings in the configuration of the others."""
    del world
    shared = Path(os.environ["XDG_CONFIG_HOME"], "lineage")
    yield
    assert not shared.exists(), "a test that makes keys uses the fixture own_config"


@pytest.fixture
def own_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each test have a configuration folder of its own for the keys it makes."""
    own = tmp_path / "config"
    shutil.copytree(Path(os.environ["XDG_CONFIG_HOME"]) / "git", own / "git")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(own))


@pytest.fixture(autouse=True)
def _own_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory, world: None) -> Path:
    """Make an empty registry, for copies: `init` starts git eighteen times."""
    del world
    root = tmp_path_factory.mktemp("empty") / "repo"
    with closing(lineage.init(root)) as registry:
        registry.key_log.oids()  # notes that there are none: each copy would ask git
    for sample in root.glob(".git/hooks/*.sample"):  # a third of what is copied
        sample.unlink()
    return root


@pytest.fixture
def repo(
    tmp_path: Path, empty: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Registry]:
    """Give an empty registry and go there."""
    root = shutil.copytree(empty, tmp_path / "repo", symlinks=True)
    with closing(lineage.open(root)) as registry:
        monkeypatch.chdir(registry.root)
        yield registry


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory, world: None) -> Demo:
    """Run the fast demo once, whichever workers ask for it; nobody changes it."""
    del world
    base = tmp_path_factory.getbasetemp()
    return told((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "demo")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Start a PostgreSQL server for this session; its URL."""
    with postgresql.server() as url:
        yield url


@pytest.fixture
def database(postgres: str) -> Iterator[str]:
    """Make an empty PostgreSQL database; its URL."""
    with postgresql.database(postgres) as url:
        yield url


@pytest.fixture
def sound() -> Callable[..., None]:
    """Give a check that nothing is lost, kept twice or left over by a writer.

    A clone may be `lacking` payloads.
    """

    def check(registry: Registry, *, lacking: bool = False) -> None:
        fsck = ["git", "fsck", "--strict", "--no-dangling", "--no-progress"]
        done = subprocess.run(
            fsck, cwd=registry.root, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        problems = verify(registry).problems
        assert [p for p in problems if not (lacking and p.what == MISSING)] == []
        assert list(left_over(registry)) == []
        brought: dict[str, list[str]] = {}
        for logged in registry.events_log.iterate():
            for id_, _ in logged.event.commits:
                brought.setdefault(id_, []).append(logged.git)
        assert len(brought) == len(registry.ids)
        assert all(_apart(registry, gits) for gits in brought.values())

    return check


def _apart(registry: Registry, gits: list[str]) -> bool:
    """Whether none of these events came after another of them."""
    if len(gits) == 1:
        return True
    newest = registry.git.run("merge-base", "--independent", *gits)
    return len(newest.split()) == len(set(gits)) == len(gits)


def left_over(registry: Registry) -> Iterator[Path]:
    """What only a killed writer leaves: copies on their way, lock files, doubles."""
    common, cache = registry.git.common, registry.payloads.cache
    yield from common.glob("objects/**/tmp_*")
    yield from (p for p in common.rglob("*.lock") if p.parent != registry.home)
    yield from registry.home.glob(".*")
    yield from registry.home.glob("config.lock")
    yield from cache.glob("lineage/tmp/*")
    for pin in cache.glob("lineage/*-*/*/*"):
        place = cache / "files" / "md5" / pin.parent.name / pin.name
        if place.exists() and not place.samefile(pin):
            yield place
    yield from (p for p in cache.glob("lineage/*-*/*/*") if not _is_object(p))
    yield from (p for p in cache.glob("files/md5/*/*") if not _is_object(p))


def _is_object(path: Path) -> bool:
    return (
        re.fullmatch(r"[0-9a-f]{32}(\.dir)?", path.parent.name + path.name) is not None
    )


@pytest.fixture
def children() -> Callable[[], set[str]]:
    """Give the processes that this one has started and that are not over."""

    def found() -> set[str]:
        lists = Path("/proc/self/task").glob("*/children")
        return {pid for path in lists for pid in path.read_text().split()}

    return found


@dataclass(frozen=True)
class Result:
    """What a command left behind."""

    exit_code: int
    stdout: str
    stderr: str

    def json(self) -> Any:
        return json.loads(self.stdout)

    def jsonl(self) -> list[Any]:
        return [json.loads(line) for line in self.stdout.splitlines()]


class Run(Protocol):
    """Run `lineage ARGS` in the working directory; `apart` in its own process."""

    def __call__(
        self, *args: str | os.PathLike[str], stdin: str = "", apart: bool = False
    ) -> Result: ...


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    def run(
        *args: str | os.PathLike[str], stdin: str = "", apart: bool = False
    ) -> Result:
        words = [os.fspath(arg) for arg in args]
        if apart:
            return _run_apart(words, stdin)
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["lineage", *words])
            result = _run_here(stdin)
        _check_told(words, result.exit_code)
        return result

    return run


def _check_told(words: list[str], code: int) -> None:
    """The exit code is one that the command's help names."""
    from lineage.cli.command import Command
    from lineage.cli.main import program

    found: click.Command | None = program
    context = click.Context(program)
    with suppress(click.UsageError):
        _, left, _ = program.make_parser(context).parse_args(words)
        while isinstance(found, click.Group) and left:
            found = found.get_command(context, left.pop(0))
    if isinstance(found, Command):
        assert code in found.exits, (
            f"{words} ended with {code}; its help does not say so"
        )


def _run_apart(words: list[str], stdin: str) -> Result:
    command = [sys.executable, "-m", "lineage", *words]
    done = subprocess.run(
        command, input=stdin, capture_output=True, encoding="utf-8", check=False
    )
    return Result(done.returncode, done.stdout, done.stderr)


def _run_here(stdin: str) -> Result:
    """Call the console script's function as the script itself does."""
    from lineage.cli.main import main

    with CliRunner().isolation(stdin) as (out, err, _):
        try:
            sys.exit(main())
        except SystemExit as stop:
            code = stop.code
    return Result(int(code or 0), out.getvalue().decode(), err.getvalue().decode())
