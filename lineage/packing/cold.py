"""What is cold, and so may be packed; and what stays plain, with the reason.

Hot is what people work with: what a branch's tip is or includes, and the parts of a
running loop. So `dvc get` finds it as ever.
"""

from collections.abc import Container, Iterator
from typing import NamedTuple

from lineage.packing.counts import Packed
from lineage.registry import Registry
from lineage.store import dvc
from lineage.store.dvc_use import used_by_dvc
from lineage.store.files import FileEntry
from lineage.store.pins import Pins
from lineage.tombstones import tombstones
from lineage.walks import ancestors


class Cold(NamedTuple):
    """A file that is to be packed, and the first commit that has it."""

    entry: FileEntry
    id: str


def cold_files(registry: Registry, revset: str | None, counts: Packed) -> list[Cold]:
    """The plain files to pack, those of parents before those of children.

    All that is cold or, with a `revset`, what it selects. What stays is counted.

    Raises:
        NotFound, UsageError: as `registry.select`.
    """
    found = dict(_files(registry, _chosen(registry, revset)))
    hot = set() if revset else {oid for oid, _ in _files(registry, _hot(registry))}
    why = _Reasons(registry, hot)
    cold = []
    for oid, file in found.items():
        reason = why(oid)
        if reason:
            counts.leave(reason, file.entry.size)
        elif registry.payloads.is_loose(oid):
            cold.append(file)
    return cold


def _chosen(registry: Registry, revset: str | None) -> list[str]:
    """Ids by the order of recording, in which parents come first."""
    chosen = None if revset is None else set(registry.select(revset))
    records = sorted(registry.ids, key=lambda record: record.number)
    return [r.id for r in records if chosen is None or r.id in chosen]


def _hot(registry: Registry) -> list[str]:
    tips = {*registry.branches().values()}
    tips |= {target.id for target in registry.names("runs").values()}
    return sorted(ancestors(registry, tips, ("includes",)))


def _files(registry: Registry, ids: list[str]) -> Iterator[tuple[str, Cold]]:
    """By MD5 the stored files that have bytes and were not erased; the first wins."""
    seen: set[str] = set()
    erased = tombstones(registry).erased
    for id_ in ids:
        for entry in registry.files(id_) if registry.load(id_).stored else ():
            if entry.size and entry.md5 not in seen and entry.sha256 not in erased:
                seen.add(entry.md5)
                yield entry.md5, Cold(entry, id_)


class _Reasons:
    """Why a file stays plain, if it does."""

    def __init__(self, registry: Registry, hot: Container[str]) -> None:
        pins = Pins(registry.payloads)
        self._payloads = registry.payloads
        self._hot = hot
        self._elsewhere = not pins.cache.is_relative_to(dvc.home(registry.git))
        self._others = pins.of_others()
        self._dvc = used_by_dvc(registry.git, pins.cache)

    def __call__(self, oid: str) -> str:
        if not self._payloads.has(oid):
            return "missing"
        if oid in self._hot:
            return "in use"
        if self._elsewhere:
            return "elsewhere"
        if oid in self._dvc:
            return "dvc"
        return "shared" if oid in self._others else ""
