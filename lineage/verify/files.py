"""Checking payloads: every object is read once, however many commits have it."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from lineage.errors import LineageError
from lineage.registry import Registry
from lineage.store.canonical import digest
from lineage.store.files import FILE, FileEntry, dvc_address, dvc_directory, file_list
from lineage.store.objects import Commit
from lineage.verify.problem import Problem

Objects = dict[tuple[str, str, int], tuple[FileEntry, str]]
"""By MD5, SHA-256 and size: the first file that is the object, and its commit's id."""

Progress = Callable[[int], None]
"""Called with the number of bytes checked since the last call."""

_BATCH = 1024  # objects


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
    listed = [_dvc_list(entries)] if payload.type == "directory" else []
    for entry in [*listed, *entries]:
        if not entry.is_directory:
            objects.setdefault((entry.md5, entry.sha256, entry.size), (entry, id_))


def _dvc_list(entries: list[FileEntry]) -> FileEntry:
    """The object by which DVC knows a folder, as if it were a file of it."""
    data = dvc_directory(entries)
    oid, _ = dvc_address("directory", entries)
    return FileEntry(oid, FILE, len(data), digest(data), oid)


def _reference_problems(
    registry: Registry, id_: str, entries: list[FileEntry]
) -> Iterator[Problem]:
    """A referenced file must still be where it was hashed."""
    place = registry.entry(id_).path
    if place is None:
        yield Problem(id_, "", "nobody recorded where its bytes are")
        return
    try:
        _, found = registry.payloads.add(Path(registry.root, place), store=False)
    except LineageError as error:
        yield Problem(id_, place, str(error))
        return
    if file_list(found) != file_list(entries):
        yield Problem(id_, place, "has changed since it was hashed")


def file_problems(
    registry: Registry, objects: Objects, progress: Progress
) -> Iterator[Problem]:
    """Read every object once, two at a time."""
    remaining = iter(objects.values())
    with ThreadPoolExecutor(2) as pool:
        while batch := list(islice(remaining, _BATCH)):
            entries = [entry for entry, _ in batch]
            checked = pool.map(registry.payloads.check, entries)
            for (entry, id_), what in zip(batch, checked, strict=True):
                progress(entry.size)
                if what:
                    yield Problem(id_, entry.path, what)
