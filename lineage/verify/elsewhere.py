"""Checking what is shared: the logs at git remotes, and bytes that should be gone.

A remote's log is fetched and verified as `lineage fetch` does it, which moves no name
of ours: it must be of this registry, hold what was seen there, and follow from its own
beginning.
"""

from collections.abc import Iterator

from lineage.errors import LineageError
from lineage.registry import Registry
from lineage.sharing.fetch import fetch
from lineage.sharing.remotes import Remote, listed
from lineage.store import dvc
from lineage.store.packed.closure import holding
from lineage.store.packed.remote import packs_at
from lineage.tombstones import known_tombstones
from lineage.verify.problem import Problem


def chosen(registry: Registry, name: str) -> tuple[list[Remote], str | None]:
    """The git remotes and the DVC remote that `name` means ("": all, and DVC's own).

    A remote that was added here stands for both; another name is a DVC remote's.
    """
    remotes = listed(registry)
    if not name:
        return remotes, next((one.dvc for one in remotes if one.dvc), None)
    own = [one for one in remotes if one.name == name]
    return own, own[0].dvc if own else name


def log_problems_at(registry: Registry, remotes: list[Remote]) -> Iterator[Problem]:
    """What is wrong with the logs at git remotes."""
    for remote in remotes:
        try:
            fetch(registry, remote)
        except LineageError as error:
            yield Problem("", "", str(error))


def erased_problems(registry: Registry, dvc_remote: str | None) -> Iterator[Problem]:
    """Erased bytes that a DVC remote still has."""
    gone = known_tombstones(registry)
    if not gone.erased:
        return
    log = registry.events_log.whole
    items = [
        (item, log.event(oid).subject or "")
        for oid in dict.fromkeys(gone.erased.values())
        for item in log.event(oid).data["objects"]
    ]
    with dvc.remote(registry.git, dvc_remote) as remote:
        there = remote.sizes(item["md5"] for item, _ in items)
        packs = packs_at(remote, registry.home).packs.values()
        packed = {item["sha256"]: holding(packs, {item["sha256"]}) for item, _ in items}
        for item, id_ in items:
            places = [f"in the pack {name[:12]} " for name in packed[item["sha256"]]]
            for place in [""] if item["md5"] in there else places[:1]:
                what = f"was erased and is still {place}at {remote}"
                yield Problem(id_, item.get("path", item["md5"]), what, item["md5"])
