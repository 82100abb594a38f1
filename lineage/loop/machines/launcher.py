"""The launcher that a spec asks for: this machine, or a cluster."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from lineage.loop.machines.torchrun import Machine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lineage.loop.spec import LoopSpec
    from lineage.loop.steps.protocol import Launcher
    from lineage.registry import Registry


@contextmanager
def launched(registry: Registry, spec: LoopSpec) -> Iterator[Launcher]:
    """The launcher that a spec asks for, for one run of its loop.

    Raises:
        LineageError: Ray is not installed, or its cluster cannot be reached.
        UsageError: there is no remote that its nodes could fetch from.
    """
    if spec.launcher.type == "local":
        yield Machine()
        return
    from lineage.loop.machines.cluster import Cluster

    with Cluster(registry, spec.launcher) as cluster:
        yield cluster
