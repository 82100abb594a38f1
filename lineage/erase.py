"""Erasing bytes for good, where privacy, a licence or a court wants it.

The bytes go: pins, DVC's links, trash, digests, work in progress and, where asked,
the DVC remote. A tombstone stays: an event with the hash, size and path of each file,
who erased it, on whose authority and why. Manifests, lineage and answers stay as they
were, and the same bytes are not taken in again.

Datasets that were mixed from it have copies of its records in files of their own. Those
stay: they are named as far as edges say so, for whoever asked to decide.

The event comes first. Whoever reads it has to remove the bytes, so a kill in between
is made good by the next `gc`, here and in every clone that the event reaches.
"""

import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from lineage.descent.parcels import Share
from lineage.descent.reach import reach
from lineage.errors import Conflict, NotAllowed, NotFound, UsageError
from lineage.indexing import index_of
from lineage.registry import Registry
from lineage.store import dvc
from lineage.store.digests import sha256_at
from lineage.store.disk import disk_errors
from lineage.store.events import now
from lineage.store.files import FileEntry, dvc_list
from lineage.store.objects import Event
from lineage.store.pins import Pins
from lineage.tombstones import tombstones
from lineage.transfer import remove


class Mixed(NamedTuple):
    """A dataset with files left; `share` of it are records of the commit `source`."""

    id: str
    name: str
    source: str
    share: Share


@dataclass(slots=True)
class Erasure:
    """What is to be erased, or was: files by SHA-256, and whose they are.

    `mixed` are the datasets that have records of it and are not erased with it.
    """

    id: str
    files: dict[str, FileEntry]
    commits: list[str]
    lists: list[FileEntry] = field(default_factory=list)
    event: str = ""
    copies: list[str] = field(default_factory=list)
    mixed: list[Mixed] = field(default_factory=list)

    @property
    def size(self) -> int:
        return sum(entry.size for entry in self.files.values())

    @property
    def objects(self) -> list[FileEntry]:
        return [*self.files.values(), *self.lists]


def plan_erasure(
    registry: Registry,
    revision: str,
    *,
    paths: Collection[str] = (),
    together: bool = False,
) -> Erasure:
    """What erasing `revision` (or only `paths` of it) means; nothing is changed.

    Raises:
        NotAllowed: when other commits have the same bytes, unless `together`.
        UsageError: when there are no bytes of it here.
        NotFound: when it has no such path.
        StoreError: when the index cannot be used.
    """
    id_ = registry.resolve(revision)
    if not registry.load(id_).stored:
        raise UsageError(
            f"no bytes of {id_[:12]} are stored", hint="see `lineage show`"
        )
    files = _chosen(registry.files(id_), paths)
    sharing = {c for c, has in _having(registry, files.keys()) if c != id_ and has}
    if sharing and not together:
        short = ", ".join(sorted(other[:12] for other in sharing))
        hint = "--path FILE erases what only this one has, --all these bytes in all"
        raise NotAllowed(f"other commits have the same bytes: {short}", hint=hint)
    plan = Erasure(id_, files, [id_, *sorted(sharing)])
    gone = files.keys() | tombstones(registry).erased.keys()
    plan.lists = list(_lists(registry, plan.commits, gone))
    plan.mixed = list(_mixed(registry, plan.commits, gone))
    return plan


def erase(
    registry: Registry,
    plan: Erasure,
    *,
    reason: str,
    authority: str,
    remotes: Iterable[str] = (),
) -> Erasure:
    """Erase what is planned, here and on the DVC `remotes`; tells of other copies.

    What was erased before is only removed once more, so that a run that failed at a
    remote can be repeated.

    Raises:
        UsageError: without a reason or an authority.
        Conflict: when another commit of the same bytes came meanwhile.
        StoreError: when a remote fails; what is here is gone by then.
    """
    if not reason.strip() or not authority.strip():
        raise UsageError("an erasure needs a reason and an authority")
    remotes = list(remotes)
    with registry.payloads.alone(), disk_errors("erasing"):
        _check_still(registry, plan)
        known = tombstones(registry).erased
        if any(entry.sha256 not in known for entry in plan.objects):
            plan.event = _record(registry, plan, reason, authority)
        enforce(registry)
    for name in remotes:
        remove(registry, name, (entry.md5 for entry in plan.objects))
    plan.copies = list(_copies(registry, plan, remotes))
    return plan


def _check_still(registry: Registry, plan: Erasure) -> None:
    """No bytes go unasked: the plan was made before writers were held off."""
    late = {c for c, has in _having(registry, plan.files) if has} - {*plan.commits}
    if late:
        message = f"{min(late)[:12]} came meanwhile and has the same bytes"
        raise Conflict(message, hint="run the command again")


def enforce(registry: Registry) -> int:
    """Remove what was erased and is still here; how many objects that was.

    Call it while nobody else writes (see `Payloads.alone`).
    """
    events = set(tombstones(registry).erased.values())
    log = registry.events_log
    objects = {
        item["md5"]: (item["sha256"], item["size"])
        for oid in events
        for item in log.event(oid).data["objects"]
    }
    pins = Pins(registry.payloads)
    here = [oid for oid in objects if pins.is_here(oid)]
    for oid in here:
        pins.remove(oid)
    pins.take_out(here)
    if objects:
        registry.payloads.forget_digests(objects)
        _clean_workshops(registry.home / "loops", dict(objects.values()))
    return len(here)


def _chosen(entries: list[FileEntry], paths: Collection[str]) -> dict[str, FileEntry]:
    """The files at or below `paths`, or all, by SHA-256."""
    for path in paths:
        if not any(_is_at(entry.path, path) for entry in entries):
            raise NotFound(
                f"there is no {path} in it", hint="`lineage show` lists them"
            )
    return {
        entry.sha256: entry
        for entry in entries
        if not entry.is_directory
        and (not paths or any(_is_at(entry.path, path) for path in paths))
    }


def _is_at(path: str, place: str) -> bool:
    return path == place or path.startswith(f"{place.rstrip('/')}/")


def _having(registry: Registry, wanted: Collection[str]) -> Iterator[tuple[str, bool]]:
    """For each commit: whether it has stored one of the files `wanted` by SHA-256."""
    for record in registry.ids:
        if registry.load(record.id).stored:
            entries = registry.files(record.id)
            yield record.id, any(entry.sha256 in wanted for entry in entries)


def _lists(
    registry: Registry, commits: Iterable[str], gone: Collection[str]
) -> Iterator[FileEntry]:
    """DVC's lists of the folders of which no file is left."""
    for id_ in commits:
        payload, entries = registry.load(id_).payload, registry.files(id_)
        files = [entry for entry in entries if not entry.is_directory]
        whole = all(entry.sha256 in gone for entry in files)
        if payload and payload.type == "directory" and whole:
            yield dvc_list(entries)


def _mixed(
    registry: Registry, commits: list[str], gone: Collection[str]
) -> Iterator[Mixed]:
    """The datasets that records of `commits` went into, each named once."""
    met = {*commits}
    for source in commits:
        if registry.load(source).kind == "dataset":
            for id_, share in _doses(registry, source):
                if id_ not in met and _has_files(registry, id_, gone):
                    met.add(id_)
                    yield Mixed(id_, registry.load(id_).name, source, share)


def _doses(registry: Registry, source: str) -> Iterator[tuple[str, Share]]:
    """The datasets with records of the dataset `source`, oldest first."""
    with index_of(registry) as index:
        found = reach(registry, index, source, "records")
    for number in found.numbers:
        share = found.doses[number].records
        if found.kind(number) == "dataset" and share and share.high:
            yield found.id(number), share


def _has_files(registry: Registry, id_: str, gone: Collection[str]) -> bool:
    """Whether files of a commit are stored that are not erased."""
    if not registry.load(id_).stored:
        return False
    files = (entry for entry in registry.files(id_) if not entry.is_directory)
    return any(entry.sha256 not in gone for entry in files)


def _record(registry: Registry, plan: Erasure, reason: str, authority: str) -> str:
    """Append the tombstone; its id."""
    objects = [
        {"md5": e.md5, "sha256": e.sha256, "size": e.size}
        | ({"path": e.path} if e.path != e.md5 else {})
        for e in plan.objects
    ]
    data = {
        "commits": plan.commits, "objects": objects,
        "reason": reason, "authority": authority,
    }  # fmt: skip
    event = Event("erase", now(), registry.actor(), reason, subject=plan.id, data=data)
    with registry.events_log.locked() as lock:
        return registry.record(event, lock=lock).event.id


def _clean_workshops(folder: Path, sizes: dict[str, int]) -> None:
    """Remove copies from the work of loops, which may be clearing it themselves."""
    wanted = set(sizes.values())
    for place, _, names in os.walk(folder):
        for path in (Path(place, name) for name in names):
            with suppress(FileNotFoundError):
                known = path.is_file() and not path.is_symlink()
                if known and path.stat().st_size in wanted and sha256_at(path) in sizes:
                    path.unlink()


def _copies(
    registry: Registry, plan: Erasure, cleaned: Collection[str]
) -> Iterator[str]:
    """Where the same bytes may still be, as far as this registry knows."""
    for id_ in plan.commits:
        place = registry.first_event(id_).data.get("path")
        if place and (registry.root / place).exists():
            yield f"{place}, from where {id_[:12]} was committed"
    if shared := Pins(registry.payloads).of_others() & {e.md5 for e in plan.objects}:
        yield f"another registry in the same cache pins objects: {len(shared)}"
    for name in dvc.remote_names(registry.git):
        if name not in cleaned:
            yield f"the DVC remote {name}: erase again with --remote {name}"
    for key in registry.settings.section("remote."):
        if key.endswith(".url"):
            name = key.removeprefix("remote.").removesuffix(".url")
            yield f"{name} and its clones, until they pull and run `lineage gc`"
