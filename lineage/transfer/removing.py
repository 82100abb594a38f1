"""Removing payloads from a DVC remote."""

from collections.abc import Iterable

from lineage.registry import Registry
from lineage.store import dvc
from lineage.transfer.pushing import Push
from lineage.transfer.removing_packs import RemovingPacks


def remove(registry: Registry, dvc_remote: str | None, oids: Iterable[str]) -> None:
    """Remove objects from a DVC remote and from its packs, and see that they are gone.

    Raises:
        StoreError: when one is still there, or the remote fails.
    """
    oids = list(oids)
    with dvc.remote(registry.git, dvc_remote) as remote:
        if sent := RemovingPacks(registry, remote, oids).remove():
            push = Push(registry.payloads, remote, None)
            with remote.sending():
                push.complete(registry, sent)
            push.finish("reach")
        remote.remove(oids)
