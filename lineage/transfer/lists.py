"""DVC's lists of folders, which travel when all that they name is there."""

from collections.abc import Container

from lineage.needed import Needed, Wanted
from lineage.registry import Registry
from lineage.store.files import dvc_directory, dvc_list


def folder_lists(
    registry: Registry, needed: Needed, lost: Container[str]
) -> list[Wanted]:
    """The ``.dir`` objects of folders without `lost` files; made where missing."""
    found: dict[str, Wanted] = {}
    fresh: list[bytes] = []
    for id_ in needed.folders:
        entries = registry.files(id_)
        listed = dvc_list(entries)
        if listed.md5 in found or any(entry.md5 in lost for entry in entries):
            continue
        found[listed.md5] = Wanted(listed, id_)
        if not registry.payloads.intact(listed.md5, listed.size):
            fresh.append(dvc_directory(entries))
    if fresh:
        registry.payloads.add_lists(fresh)
    return list(found.values())
