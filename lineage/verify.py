"""Checking everything that a registry says about its own bytes.

For each commit: the manifest has the SHA-256 that is its id, the git commit is the
one that the manifest determines, the file list is the one that the manifest names,
every file has its recorded SHA-256, every edge leads to a commit that is here. For
the log: each event names the SHA-256 of the one before it, and the names that are read
are those that follow from all events (see `store.replay`).
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from lineage.errors import LineageError
from lineage.registry import Registry
from lineage.store import dvc, names
from lineage.store.canonical import digest
from lineage.store.files import (
    FILE,
    FileEntry,
    Payload,
    dvc_address,
    dvc_directory,
    file_list,
)
from lineage.store.git_objects import parse_tree
from lineage.store.objects import KINDS, Commit
from lineage.store.projection import project
from lineage.store.replay import Replay

Objects = dict[tuple[str, str, int], tuple[FileEntry, str]]
"""By MD5, SHA-256 and size: the first file that is the object, and its commit's id."""

Progress = Callable[[int], None]
"""Called with the number of bytes checked since the last call."""

_BATCH = 1024  # objects
_PAYLOAD_FILES = {f"{kind}.dvc" for kind in KINDS}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not as recorded.

    `id` is a commit's or event's, `path` a file's; empty where they do not apply.
    """

    id: str
    path: str
    what: str


@dataclass(slots=True)
class Verified:
    """How many commits were checked, and what was found."""

    checked: int = 0
    problems: list[Problem] = field(default_factory=list)


def verify(
    registry: Registry,
    revisions: Iterable[str] = (),
    *,
    progress: Progress | None = None,
) -> Verified:
    """Check the given commits, or all commits and the log.

    Cache links that `dvc gc` removed are made again from the pins on the way, and
    the keep commit, which tells DVC what we need, is brought up to date.
    """
    chosen = [registry.resolve(revision) for revision in revisions]
    result = Verified()
    if not chosen:
        result.problems += _log_problems(registry)
    objects: Objects = {}
    for id_ in chosen or [record.id for record in sorted(registry.ids)]:
        result.checked += 1
        result.problems += _commit_problems(registry, id_, objects)
    result.problems += _file_problems(registry, objects, progress or (lambda _: None))
    if not chosen:
        with suppress(OSError, LineageError):
            refresh_keep(registry)
    return result


def refresh_keep(registry: Registry) -> None:
    """Rebuild the keep commit, if commits came since it was made."""
    git, payloads = registry.git, registry.payloads
    if dvc.is_kept(git, payloads, registry.events_log.tip() or ""):
        return
    known: dict[str, str] = {}
    _add_addresses(registry, known)
    with registry.events_log.locked() as lock:
        _add_addresses(registry, known)  # of the few that came meanwhile
        tip = registry.events_log.tip() or ""
        dvc.keep(git, payloads, filter(None, known.values()), tip, lock)


def _add_addresses(registry: Registry, known: dict[str, str]) -> None:
    """Add what DVC calls the payloads of commits that are not in `known` by git oid."""
    oids = [record.git for record in registry.ids if record.git not in known]
    trees = registry.git.read_many(f"{oid}^{{tree}}" for oid in oids)
    for oid, found in zip(oids, trees, strict=True):
        entries = parse_tree(found[1].data) if found else {}
        files = [entry for name, entry in entries.items() if name in _PAYLOAD_FILES]
        data = registry.git.blob(files[0].oid) if files else None
        known[oid] = dvc.address(data or b"") or ""


def _log_problems(registry: Registry) -> Iterator[Problem]:
    """Events that do not follow from those before them."""
    replay = Replay(registry.git, registry.events_log)
    try:
        for fault in replay.faults():
            yield Problem(fault.event, "", fault.what)
        for space in names.SPACES:
            registry.events_log.names(space)  # reads every tree of the view
        known = {record.id: record.git for record in registry.ids}
        if known != replay.commits:
            registry.ids.rebuild()
    except LineageError as error:
        yield Problem("", "", f"the log cannot be read: {error}")


def _commit_problems(
    registry: Registry, id_: str, objects: Objects
) -> Iterator[Problem]:
    """What is wrong with one commit's own objects; those of its files are added."""
    oid = registry.git_oid(id_)
    try:
        manifest = registry.git.blob(f"{oid}:lineage.json")
        if manifest is None:
            yield Problem(id_, "lineage.json", "is missing")
            return
        if digest(manifest) != id_:
            yield Problem(id_, "lineage.json", "does not have the SHA-256 of its id")
            return
        commit = Commit.parse(manifest)
        missing = [parent for parent in commit.ids() if not registry.ids.find(parent)]
        for parent in missing:
            yield Problem(id_, "", f"an edge leads to {parent}, which is not here")
        entries: list[FileEntry] = []
        if commit.payload:
            listed = registry.git.blob(f"{oid}:files.jsonl") or b""
            entries = commit.payload.entries(listed)
            yield from _sum_problems(id_, commit.payload, entries)
        if not missing:
            yield from _projection_problems(registry, commit, entries, oid)
    except LineageError as error:
        yield Problem(id_, "", f"cannot be read: {error}")
        return
    yield from _payload_problems(registry, id_, commit, entries, objects)


def _sum_problems(
    id_: str, payload: Payload, entries: list[FileEntry]
) -> Iterator[Problem]:
    if Payload.of(entries, payload.type, stored=payload.stored) != payload:
        yield Problem(id_, "lineage.json", "does not sum up its files.jsonl")


def _projection_problems(
    registry: Registry, commit: Commit, entries: list[FileEntry], oid: str
) -> Iterator[Problem]:
    gits = {parent: registry.git_oid(parent) for parent in commit.ids()}
    made = project(commit, entries, gits)
    if made.oid != oid:
        what = f"the git commit {oid} is not the one that its manifest determines"
        yield Problem(commit.id, "", what)
        return
    held = registry.git.read_many(item.oid for item in made.objects)
    for item, found in zip(made.objects, held, strict=True):
        if found is None or found[1] != item:
            yield Problem(commit.id, "", f"the git {item.kind} {item.oid} is damaged")


def _payload_problems(
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


def _file_problems(
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
