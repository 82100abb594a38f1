"""Checking payloads: every object is read once, however many commits have it."""

from collections.abc import Container, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path

from lineage.errors import LineageError
from lineage.registry import Registry
from lineage.store.files import FileEntry, dvc_list, file_list
from lineage.store.objects import Commit
from lineage.store.payloads import MISSING, Payloads
from lineage.store.pins import Pins
from lineage.store.reading import Progress
from lineage.tombstones import Tombstones
from lineage.verify.problem import Problem

_BATCH = 1024  # objects
FREED, UNFETCHED = "gc freed", "were left at the remote"
_Key = tuple[str, str, int]  # MD5, SHA-256, size


class Objects:
    """What has to be in the cache: each object once, however many commits have it.

    By MD5, SHA-256 and size: the first file that is the object, its commit's id, and
    why it may be missing (`FREED`, `UNFETCHED`), where all commits that have it say so.
    `left` are the commits whose files were left at a remote.
    """

    def __init__(self, gone: Tombstones, left: Container[str]) -> None:
        self._gone, self._left = gone, left
        self.wanted: dict[_Key, tuple[FileEntry, str, str]] = {}
        self.erased: dict[str, tuple[FileEntry, str]] = {}
        self.missing: dict[str, set[str]] = {FREED: set(), UNFETCHED: set()}
        self.relinked: set[str] = set()
        self.spare: set[str] = set()
        self.spare_packed: set[str] = set()
        self.forgotten = False

    def add(self, entry: FileEntry, id_: str) -> None:
        """A file of the commit `id_`, or DVC's list of its files."""
        if entry.sha256 in self._gone.erased:
            self.erased.setdefault(entry.md5, (entry, id_))
            return
        key = (entry.md5, entry.sha256, entry.size)
        freed = FREED if id_ in self._gone.freed else ""
        away = freed or (UNFETCHED if id_ in self._left else "")
        known = self.wanted.get(key)
        if known is None or (known[2] and not away):
            self.wanted[key] = (entry, id_, away)

    def all(self) -> Iterable[tuple[FileEntry, str, str]]:
        """Every object that has to be somewhere."""
        return self.wanted.values()

    def lost(self, found: Iterable[Problem]) -> Iterator[FileEntry]:
        """Those that were found to be missing."""
        missing = {problem.object for problem in found if problem.what == MISSING}
        return (entry for entry, _, _ in self.all() if entry.md5 in missing)

    def notes(self) -> Iterator[str]:
        """What is away on purpose."""
        if self.erased:
            yield f"objects that were erased: {len(self.erased):,}"
        for away, oids in self.missing.items():
            if oids:
                yield f"objects that {away}: {len(oids):,}"
        if self.relinked:
            yield f"objects linked anew, as a pin or for DVC: {len(self.relinked):,}"
        if self.spare:
            yield f"pinned objects of no commit: {len(self.spare):,} (see `lineage gc`)"
        if self.spare_packed:
            count = len(self.spare_packed)
            yield f"packed files of no commit: {count:,} (see `lineage gc`)"
        if self.forgotten:
            yield "the cache of digests (.git/lineage/hashes.sqlite) was wrong: removed"


def payload_problems(
    registry: Registry,
    id_: str,
    commit: Commit,
    entries: list[FileEntry],
    objects: Objects,
) -> Iterator[Problem]:
    payload = commit.payload
    if payload is None:
        return
    if not payload.stored:
        yield from _reference_problems(registry, id_, entries)
        return
    listed = [dvc_list(entries)] if payload.type == "directory" else []
    for entry in [*listed, *entries]:
        if not entry.is_directory:
            objects.add(entry, id_)


def _reference_problems(
    registry: Registry, id_: str, entries: list[FileEntry]
) -> Iterator[Problem]:
    """A referenced file must still be where it was hashed."""
    place = registry.first_event(id_).data.get("path")
    if place is None:
        yield Problem(id_, "", "nobody recorded where its bytes are")
        return
    try:
        _, found = registry.payloads.read_anew(Path(registry.root, place))
    except LineageError as error:
        yield Problem(id_, place, str(error))
        return
    if file_list(found) != file_list(entries):
        yield Problem(id_, place, "has changed since it was hashed")


def _checked(payloads: Payloads, entry: FileEntry) -> str:
    """What is wrong with an object here; none is fetched to be looked at."""
    return payloads.check(entry) if payloads.has(entry.md5) else MISSING


def _lacks_a_link(registry: Registry, oid: str) -> bool:
    payloads = registry.payloads
    return not payloads.is_linked(oid) and not payloads.is_packed(oid)


def file_problems(
    registry: Registry, objects: Objects, progress: Progress
) -> Iterator[Problem]:
    """Read every object once, two at a time."""
    remaining = iter(objects.wanted.values())
    with ThreadPoolExecutor(2) as pool:
        while batch := list(islice(remaining, _BATCH)):
            entries = [entry for entry, _, _ in batch]
            relinked = {e.md5 for e in entries if _lacks_a_link(registry, e.md5)}
            checked = pool.map(partial(_checked, registry.payloads), entries)
            for (entry, id_, away), what in zip(batch, checked, strict=True):
                progress(entry.size)
                if entry.md5 in relinked and what != MISSING:
                    objects.relinked.add(entry.md5)
                if away and what == MISSING:
                    objects.missing[away].add(entry.md5)
                elif what:
                    yield Problem(id_, entry.path, what, entry.md5)
    pins = Pins(registry.payloads)
    for entry, id_ in objects.erased.values():
        if pins.is_here(entry.md5):
            what = "was erased, but its bytes are still here: `lineage gc` removes them"
            yield Problem(id_, entry.path, what, entry.md5)
