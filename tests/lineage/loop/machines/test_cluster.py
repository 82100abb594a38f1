"""A loop on a Ray cluster is the same loop: a lost node costs its pieces only."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import lineage
from lineage.errors import LineageError, StoreError, UsageError
from lineage.loop.machines.cluster import Cluster
from lineage.loop.machines.node import fetched
from lineage.loop.running.progress import Activity, Progress
from lineage.loop.running.runner import run
from lineage.loop.spec.launcher import LauncherSpec
from lineage.store.dvc import remote_settings
from lineage.transfer import push_payloads
from tests.dvc import dvc
from tests.lineage.loop.running.test_runner_real import picked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lineage import Registry


NODES = Path(__file__).with_name("nodes.py")


class Nodes:
    """The cluster of `nodes.py`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.address = self._read()

    def kill_one(self) -> str:
        """Kill a node; returns its id."""
        assert self._process.stdin is not None
        self._process.stdin.write("kill\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        assert line
        return line


@pytest.fixture(scope="module")
def cluster() -> Iterator[Nodes]:
    """Two nodes with room for one task each."""
    with (
        pytest.MonkeyPatch.context() as patch,
        subprocess.Popen(
            [sys.executable, str(NODES)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0"},
        ) as process,
    ):
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        yield Nodes(process)
        assert process.stdin is not None
        process.stdin.close()


def loop(registry: Registry, more: str = "") -> Path:
    """A loop of one generation with eight shards to write."""
    picked(registry.root)
    path = registry.root / "loop.yaml"
    text = path.read_text().replace("num_generations: 2", "num_generations: 1")
    path.write_text(text.replace("shard_size: 20", "shard_size: 4") + more)
    return path


def on(cluster: Nodes) -> str:
    """The launcher section for a cluster."""
    return f"launcher: {{type: ray, address: '{cluster.address}'}}\n"


def store(registry: Registry, place: Path) -> None:
    """Give a registry a DVC remote."""
    place.mkdir()
    words = ("remote", "add", "-d", "store", place)
    dvc("--cd", registry.root, *words).check_returncode()


class Killing(Progress):
    """Takes a node away, at once, when the first shard is there."""

    def __init__(self, cluster: Nodes) -> None:
        self.cluster, self.lost = cluster, ""

    def advanced(
        self,
        activity: Activity,
        fraction: float,
        remaining: float | None,  # noqa: ARG002
    ) -> None:
        if activity.step == "generate" and 0 < fraction < 1 and not self.lost:
            self.lost = self.cluster.kill_one()


def test_a_lost_node_changes_no_id_and_a_failure_says_what_it_is(
    repo: Registry, cluster: Nodes, tmp_path: Path, database: str
) -> None:
    """With a node killed among its shards a loop ends with the ids of a serial run.

    The index is on PostgreSQL, and the files come by the DVC remote. What then fails
    on a node is one sentence.
    """
    with closing(lineage.init(tmp_path / "alone")) as alone:
        serial = run(alone, loop(alone))
    store(repo, tmp_path / "store")
    repo.settings.set("index.url", database)
    killing = Killing(cluster)
    spread = run(repo, loop(repo, on(cluster)), progress=killing)
    assert killing.lost
    assert spread.head == serial.head
    told = {
        event.data["step"]: event.data["hosts"]
        for _, event in repo.events()
        if "hosts" in event.data
    }
    assert sum(told["generate"].values()) == 8
    assert sum(told["evaluate"].values()) >= 1
    models = repo.select("metric(perplexity > 0)")
    assert spread.head in models
    fails_as_here(repo, loop(repo, on(cluster)))


def fails_as_here(repo: Registry, path: Path) -> None:
    """A step that fails on a node fails as if it had failed here.

    All before it is taken from the loop that went well: nodes are slow to start.
    """
    text = path.read_text().replace("name: picked", "name: hot")
    path.write_text(text.replace("max_steps: 4", "max_steps: 4, learning_rate: 1e30"))
    with pytest.raises(LineageError, match=r"^training diverged") as caught:
        run(repo, path)
    assert caught.value.hint == "lower training.learning_rate"


def test_a_node_refuses_bytes_that_are_not_what_was_recorded(
    repo: Registry, tmp_path: Path
) -> None:
    """An object that changed at the remote is named, and nothing of it is kept."""
    store(repo, tmp_path / "store")
    (repo.root / "data").mkdir()
    (repo.root / "data" / "a.txt").write_text("as recorded")
    made = repo.commit("dataset", "seed", repo.root / "data")
    push_payloads(repo, None, [made.id])
    files, remote = repo.files(made.id), remote_settings(repo.git)
    whole = fetched(tmp_path, files, remote)
    assert (whole / "a.txt").read_text() == "as recorded"
    (whole / "a.txt").unlink()
    whole.rmdir()
    (there,) = (tmp_path / "store").rglob(files[0].md5[2:])
    there.chmod(0o600)
    there.write_text("as changed!")
    with pytest.raises(StoreError, match=r"a\.txt .* SHA-256"):
        fetched(tmp_path, files, remote)
    assert not whole.exists()


def test_nodes_need_a_remote(repo: Registry, cluster: Nodes) -> None:
    """Without one nothing has been made, and the sentence says how to make one."""
    with pytest.raises(UsageError, match="no DVC remote") as caught:
        run(repo, loop(repo, on(cluster)))
    assert "dvc remote add" in caught.value.hint
    assert repo.branches() == {}


def test_a_task_asks_for_what_the_loop_file_says(
    repo: Registry, tmp_path: Path
) -> None:
    """Processors for each of its processes, and so many more tries as are allowed."""
    store(repo, tmp_path / "store")
    given = {"type": "ray", "num_cpus": 2, "num_gpus": 0.5, "max_retries": 1}
    cluster = Cluster(repo, LauncherSpec.model_validate(given))

    asked = {"num_cpus": 4, "num_gpus": 1, "max_retries": 1}
    assert cluster._room(processes=2) == asked


def test_no_cluster(repo: Registry, tmp_path: Path) -> None:
    """An address where none answers is named."""
    store(repo, tmp_path / "store")
    section = "launcher: {type: ray, address: '127.0.0.1:9'}\n"
    with pytest.raises(LineageError, match=r"the Ray cluster 127\.0\.0\.1:9 cannot be"):
        run(repo, loop(repo, section))


def test_a_local_launcher_has_no_fields(repo: Registry) -> None:
    """What only Ray reads is refused, not silently left out."""
    with pytest.raises(UsageError, match=r"launcher\.num_gpus: goes with type: ray"):
        run(repo, loop(repo, "launcher: {num_gpus: 1}\n"))
