"""Files by content address: the SHA-256 that a commit names, the MD5 that DVC keeps."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from lineage.indexing import index_of
from lineage.registry import Registry
from lineage.store.files import FILE, FileEntry

if TYPE_CHECKING:
    from lineage.store.index_asking import Ask


def stored(registry: Registry, sha256s: Collection[str]) -> dict[str, FileEntry]:
    """Those of the files that a commit here stores and whose bytes are here.

    By SHA-256; the entries have no path. What a commit only refers to does not count:
    nobody here has seen its bytes.
    """
    found: dict[str, FileEntry] = {}
    for entry, id_ in _asked(registry, sha256s):
        known = entry.sha256 in found or not registry.load(id_).stored
        if not known and _is_here(registry, entry):
            found[entry.sha256] = entry
    return found


def _asked(registry: Registry, sha256s: Collection[str]) -> list[tuple[FileEntry, str]]:
    """What the index knows of files, each with a commit that has it."""

    def question(ask: "Ask") -> list[tuple[FileEntry, str]]:
        from lineage.store.index_files import addresses

        return [
            (FileEntry("", FILE, size, sha256, md5), id_)
            for sha256, md5, size, id_ in addresses(ask, sha256s)
        ]

    if not sha256s:
        return []
    with index_of(registry) as index:
        return index.read(question)


def _is_here(registry: Registry, entry: FileEntry) -> bool:
    payloads = registry.payloads
    return payloads.intact(entry.md5, entry.size) or payloads.adopt(entry)
