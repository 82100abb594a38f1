"""What a launcher is, and the one that does everything here.

A step that can be spread is made of pieces, each a function of the job and of the
piece's number. So it does not matter where a piece is made, or how often: what comes
of it is the same, byte for byte.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lineage.loop.spec import LoopSpec
    from lineage.loop.steps.protocol import Job, Result
    from lineage.registry import Registry


class Maker(Protocol):
    """Makes pieces of a step; it is made once and then asked for many."""

    def piece(self, number: int) -> Any:
        """One piece, as something that can be pickled."""


class Launcher(Protocol):
    """Where pieces, and whole steps, are done."""

    def pieces(
        self, job: Job, make: Callable[[Job], Maker], numbers: Iterable[int]
    ) -> Iterator[tuple[int, Any]]:
        """Each number with its piece, in the order in which they are finished.

        `make` is a class or function that a module has under its name.
        """

    def whole(self, job: Job, function: Callable[[Job], Result]) -> Result:
        """A step that cannot be spread, where there is room for it."""

    def told(self) -> dict[str, Any]:
        """Where the pieces since the last call were made, for the step's event."""


class Here:
    """This process, one piece after the other."""

    def pieces(
        self, job: Job, make: Callable[[Job], Maker], numbers: Iterable[int]
    ) -> Iterator[tuple[int, Any]]:
        numbers = list(numbers)
        maker = make(job) if numbers else None
        for number in numbers:
            assert maker is not None
            yield number, maker.piece(number)

    def whole(self, job: Job, function: Callable[[Job], Result]) -> Result:
        if job.spec.num_processes == 1:
            return function(job)
        from lineage.loop.machines.torchrun import torchrun

        return torchrun(job, function)

    def told(self) -> dict[str, Any]:
        return {}


@contextmanager
def launched(registry: Registry, spec: LoopSpec) -> Iterator[Launcher]:
    """The launcher that a spec asks for, for one run of its loop.

    Raises:
        LineageError: Ray is not installed, or its cluster cannot be reached.
        UsageError: there is no remote that its nodes could fetch from.
    """
    if spec.launcher.type == "local":
        yield Here()
        return
    from lineage.loop.machines.cluster import Cluster

    with Cluster(registry, spec.launcher) as cluster:
        yield cluster
