"""A Ray cluster: pieces as tasks, on whichever node has room for one.

A node that is lost costs the pieces that it was making: Ray gives them to another
one, and what comes of them is the same. Inputs travel by the DVC remote, pieces by
Ray's own store.
"""

from __future__ import annotations

import signal
import socket
import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from lineage.errors import LineageError, first_line, raised
from lineage.loop.machines import node
from lineage.loop.machines.task import task_of
from lineage.loop.quiet import quiet
from lineage.store import dvc
from lineage.transfer import push_payloads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lineage.loop.machines.task import Task
    from lineage.loop.spec.launcher import LauncherSpec
    from lineage.loop.steps.protocol import Job, Maker, Result
    from lineage.registry import Registry

_PATIENCE = 10  # seconds that a cluster may take to answer
_INSTALL = "install it: pip install 'lineage-vcs[ray]'"


class Cluster:
    """A launcher whose pieces are Ray tasks; use it as a context manager.

    Raises, when it is made:
        LineageError: Ray is not installed.
        UsageError, NotFound, StoreError: there is no DVC remote to fetch from, or it
            cannot be reached.
    """

    def __init__(self, registry: Registry, section: LauncherSpec) -> None:
        try:
            import ray
        except ImportError:
            raise LineageError("launcher: ray needs Ray", hint=_INSTALL) from None
        self._ray: Any = ray
        self._registry, self._section = registry, section
        self._remote = dvc.remote_settings(registry.git, section.remote)
        self._sent: set[str] = set()
        self._hosts: Counter[str] = Counter()
        self._ours = False

    def __enter__(self) -> Self:
        """Join the cluster, unless this process has done so already.

        Raises:
            LineageError: it cannot be reached.
        """
        if not self._ray.is_initialized():
            self._connect()
            self._ours = True
        self._piece = self._ray.remote(**self._room(1))(_piece)
        return self

    def _room(self, processes: int) -> dict[str, Any]:
        """What a task asks Ray for."""
        return {
            "num_cpus": self._section.num_cpus * processes,
            "num_gpus": self._section.num_gpus * processes,
            "max_retries": self._section.max_retries,
        }

    def _connect(self) -> None:
        address = self._section.address
        try:
            _knock(address)
            with _own_signals():
                self._ray.init(
                    address=address, log_to_driver=False, logging_level="error"
                )
        except Exception as error:
            message = f"the Ray cluster {address} cannot be reached"
            hint = "start one with `ray start --head`, or give launcher.address"
            raise LineageError(f"{message}: {first_line(error)}", hint=hint) from error

    def __exit__(self, *_: object) -> None:
        if self._ours:
            self._ray.shutdown()

    def pieces(
        self, job: Job, make: Callable[[Job], Maker], numbers: Iterable[int]
    ) -> Iterator[tuple[int, Any]]:
        """Each number with its piece, in the order in which they are finished."""
        numbers = list(numbers)
        if not numbers:
            return
        task = self._ray.put(self._task(job, make))
        waiting = {self._piece.remote(task, number): number for number in numbers}
        try:
            while waiting:
                (done,), _ = self._ray.wait(list(waiting), num_returns=1)
                yield waiting.pop(done), self._value(job, done)
        finally:
            for left in waiting:
                self._ray.cancel(left, force=False)

    def whole(self, job: Job, function: Callable[[Job], Result]) -> Result:
        """A step on one node; its files come back by the remote."""
        task = self._ray.put(self._task(job, function))
        whole = self._ray.remote(**self._room(job.spec.num_processes))(_whole)
        result, entries = self._value(job, whole.remote(task))
        node.receive(entries, self._remote, job.output)
        return result  # type: ignore[no-any-return]

    def told(self) -> dict[str, Any]:
        """How many pieces each host has made since the last call."""
        hosts, self._hosts = self._hosts, Counter()
        return {"hosts": dict(sorted(hosts.items()))} if hosts else {}

    def _task(self, job: Job, make: Callable[..., Any]) -> Task:
        """Describe a job, once its inputs are where the nodes can fetch them."""
        new = [id_ for id_ in job.ids.values() if id_ not in self._sent]
        push_payloads(self._registry, self._section.remote, new)
        self._sent.update(new)
        return task_of(self._registry, job, make, self._remote)

    def _value(self, job: Job, reference: Any) -> Any:
        """What a task returned; what went wrong in it as one sentence.

        Raises:
            LineageError: as the step raised it there, or its nodes were lost.
        """
        try:
            done, failure = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            message = f"the {job.step} step failed on the cluster: {_cause(error)}"
            raise LineageError(message) from error
        if failure:
            raise LineageError(failure[0], hint=failure[1])
        self._hosts[done.host] += 1
        return done.value


@contextmanager
def _own_signals() -> Iterator[None]:
    """Leave SIGTERM to whoever has it: Ray would take it for good."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, before)


def _knock(address: str) -> None:
    """See that something answers: Ray itself would try for many minutes.

    Raises:
        OSError: nothing does.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if port.isdecimal():
        with socket.create_connection((host, int(port)), timeout=_PATIENCE):
            pass


def _piece(task: Task, number: int) -> tuple[node.Done | None, tuple[str, str] | None]:
    """On a node: a piece, or why there is none."""
    with quiet():
        try:
            return _placed(node.piece(task, number)), None
        except LineageError as error:
            return None, (str(error), error.hint)


def _whole(task: Task) -> tuple[node.Done | None, tuple[str, str] | None]:
    """On a node: a whole step, or why there is none."""
    with quiet():
        try:
            return _placed(node.whole(task)), None
        except LineageError as error:
            return None, (str(error), error.hint)


def _placed(done: node.Done) -> node.Done:
    """With the node's name, as several can be on one host."""
    import ray

    name = ray.get_runtime_context().get_node_id()
    return replace(done, host=f"{done.host}/{name[:8]}")


def _cause(error: Exception) -> str:
    return raised(getattr(error, "cause", None) or error)
