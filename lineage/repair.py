"""Repairing what `verify` found, from every copy that can be reached.

Nothing takes the place of a damaged object unless its bytes are what its name says;
the damaged one goes to a trash. Copies of files are looked for in DVC's cache and the
trash, in other clones and caches, at the place that they were committed from and at
the DVC remote; git objects are made again from manifests, or come from other clones
and git remotes.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from lineage.erase import enforce
from lineage.errors import LineageError
from lineage.needed import Wanted
from lineage.registry import Registry
from lineage.store import keep, names
from lineage.store.disk import disk_errors
from lineage.store.events import now
from lineage.store.files import FileEntry, dvc_directory, dvc_list, parse_file_list
from lineage.store.fsck import faults
from lineage.store.git_objects import GitObject
from lineage.store.heal import Healer, blobs_by_digest, mirrored, objects_at
from lineage.store.objects import Commit
from lineage.store.pins import Pins, dated
from lineage.store.places import copies
from lineage.store.projection import project
from lineage.store.reading import found, judged, read_once
from lineage.tombstones import known_tombstones
from lineage.transfer import receive, send
from lineage.verify import Problem, Verified
from lineage.verify.elsewhere import chosen

if TYPE_CHECKING:
    from lineage.store.packed.others import Others

_GIT_OID, _PACK = 40, 64


def repair(
    registry: Registry,
    verified: Verified,
    *,
    sources: Sequence[Path] = (),
    remote: str | None = None,
) -> list[str]:
    """Put right what can be; says what was done, a sentence each.

    `sources` are other clones or caches; `remote` is the remote that was verified (as
    `verify` takes it): what its DVC remote lacks is sent there. Verify again
    afterwards: what is still wrong could not be repaired.
    """
    done: list[str] = []
    objects = {p.object for p in verified.problems if len(p.object) == _GIT_OID}
    if objects or any(not p.object for p in verified.problems):
        with disk_errors("repairing"):
            done += _repair_git(registry, sources)
    done += _put_back_end(registry, objects)
    files = [p for p in verified.problems if p.object and len(p.object) != _GIT_OID]
    with disk_errors("repairing"):
        done += _remove_erased(registry)
        store = chosen(registry, remote or "")[1]
        repairs = _Files(registry, sources, store, send=remote is not None)
        done += repairs.repair(files)
    return done


def _remove_erased(registry: Registry) -> Iterator[str]:
    """Remove what was erased elsewhere and is still here."""
    with suppress(LineageError), registry.payloads.alone():
        if count := enforce(registry):
            yield f"erased objects that were still here, removed: {count:,}"


# git objects


def _repair_git(registry: Registry, sources: Sequence[Path]) -> Iterator[str]:
    """Take damaged objects away, and put others in their place."""
    git = registry.git
    bad = faults(git)
    if not bad:
        return
    healer = Healer(git, registry.home / "trash" / dated(now()))
    with registry.events_log.locked():
        healer.clear(bad)
        missing = _missing(registry)
        before = len(missing)
        if missing:
            healer.put(_made_again(registry))
            missing = _missing(registry)
        with tempfile.TemporaryDirectory() as work:
            for place in _clones(registry, sources, Path(work)) if missing else ():
                missing = _fill_in(registry, healer, place, missing)
    with suppress(LineageError):  # while a part of the log is missing
        registry.ids.rebuild()
    if healer.moved:
        yield f"files of git moved to .git/lineage/trash: {healer.moved:,}"
    if before > len(missing):
        yield f"git objects put back: {before - len(missing):,}"


def _fill_in(
    registry: Registry, healer: Healer, place: str, missing: set[str]
) -> set[str]:
    """Take what is missing from one repository; a tree found may lead to more."""
    while found := list(objects_at(place, missing)):
        healer.put(found)
        missing = _missing(registry)
    return missing


def _missing(registry: Registry) -> set[str]:
    return {fault.oid for fault in faults(registry.git) if fault.oid}


def _made_again(registry: Registry) -> Iterator[GitObject]:
    """The objects of every commit whose manifest and file list can be read."""
    wanted = {record.id for record in registry.ids}
    manifests = blobs_by_digest(registry.git, wanted)
    commits = {id_: Commit.parse(data) for id_, data in manifests.items()}
    payloads = {c.payload.files for c in commits.values() if c.payload}
    lists = blobs_by_digest(registry.git, payloads)
    gits = {record.id: record.git for record in registry.ids}
    for commit in commits.values():
        listed = lists.get(commit.payload.files) if commit.payload else b""
        if listed is not None and gits.keys() >= set(commit.ids()):
            yield from project(commit, parse_file_list(listed), gits).objects


def _clones(registry: Registry, sources: Sequence[Path], work: Path) -> Iterator[str]:
    """Repositories to read objects from: other clones, then the git remotes."""
    yield from (str(source) for source in sources if source.is_dir())
    for key, url in registry.settings.section("remote.").items():
        if key.endswith(".url") and (copy := mirrored(registry.git, url, work / key)):
            yield copy


def _put_back_end(registry: Registry, oids: Iterable[str]) -> Iterator[str]:
    """Move the log forward to an event that it has lost, if that is still here."""
    log, git = registry.events_log, registry.git
    for oid in oids:
        held, tip = git.read(oid), log.tip()
        if held is None or held[1].kind != "commit" or tip is None or tip == oid:
            continue
        if b"Lineage-Event: " in held[1].data and log.ending(oid).follows(tip):
            with log.locked() as lock:
                git.update_refs({names.EVENTS: (tip, oid)}, lock=lock)
                log.roll_forward(lock, again=True)
            yield f"the log goes on to the event {oid} again"


# files


class _Files:
    """Repairs objects of payloads, one after the other."""

    def __init__(
        self,
        registry: Registry,
        sources: Sequence[Path],
        remote: str | None,
        *,
        send: bool,
    ) -> None:
        self._registry = registry
        self._send = send
        self._payloads = registry.payloads
        self._pins = Pins(registry.payloads)
        elsewhere = (p for s in sources for p in (s, s / ".dvc" / "cache"))
        self._caches = [registry.payloads.cache, *elsewhere]
        self._remote = remote
        self._date = dated(now())

    def repair(self, problems: Sequence[Problem]) -> Iterator[str]:
        left: list[Wanted] = []
        whole: list[Wanted] = []
        erased = known_tombstones(self._registry).erased
        objects = {p.object: p for p in problems}
        packs = [name for name in objects if len(name) == _PACK]
        for problem in (objects[name] for name in objects if name not in packs):
            entry = self._entry(problem)
            if entry and entry.sha256 in erased:
                continue
            if entry is None:
                yield from self._put_away(problem)
            elif not self._payloads.check(entry):
                whole.append(Wanted(entry, problem.id))
            elif told := self._from_here(entry, problem.id):
                yield told
            else:
                left.append(Wanted(entry, problem.id))
        yield from self._from_remote(left)
        yield from self._to_remote(whole)
        for name in packs:
            yield self._clear_pack(name)

    def _clear_pack(self, name: str) -> str:
        """Make what a damaged pack still gives plain, and move it to the trash."""
        keep.forget_keep(self._registry.git)  # of packed files it has no word
        with self._payloads.alone():
            count = self._pins.save_from(name, self._date)
        return (
            f"the pack {name[:12]}: moved to the trash, {count:,} files saved from it"
        )

    def _entry(self, problem: Problem) -> FileEntry | None:
        """The file or folder list that an object should be."""
        if not problem.id:
            return None
        with suppress(LineageError):
            entries = self._registry.files(problem.id)
            files = [entry for entry in entries if entry.md5 == problem.object]
            return files[0] if files else dvc_list(entries)
        return None

    def _put_away(self, problem: Problem) -> Iterator[str]:
        """A damaged pin that nobody needs."""
        if self._pins.pin(problem.object).exists():
            self._pins.put_away(problem.object, self._date)
            yield f"{problem.object}: moved to the trash, as no commit needs it"

    def _from_here(self, entry: FileEntry, id_: str) -> str:
        """Replace an object by the first copy that is what it should be."""
        if entry.md5.endswith(".dir"):
            data = dvc_directory(self._registry.files(id_))
            self._pins.put_away(entry.md5, self._date)
            self._payloads.add_lists([data])
            return f"{entry.md5}: made again from the file list"
        if name := self._from_packs(entry):
            return f"{entry.path} of {id_[:12]}: from packs of another name, {name}"
        for path in self._copies(entry, id_):
            if self._replace(entry, path):
                return f"{entry.path} of {id_[:12]}: from {path}"
        return ""

    def _from_packs(self, entry: FileEntry) -> str | None:
        """Take over packs that another registry in the cache has, or one that is lost.

        Not for what is damaged in packs of ours: these packs may be the same ones.
        """
        if self._payloads.has(entry.md5):
            return None
        with suppress(OSError, LineageError), self._payloads.workspace() as work:
            return self._others.take_over(entry, self._payloads.packs, work)
        return None

    @cached_property
    def _others(self) -> "Others":
        from lineage.store.packed.others import Others

        return Others(self._payloads.places)

    def _copies(self, entry: FileEntry, id_: str) -> Iterator[Path]:
        for cache in self._caches:
            yield from copies(cache, entry.md5)
        with suppress(LineageError):
            yield self._origin(entry, id_)

    def _origin(self, entry: FileEntry, id_: str) -> Path:
        """Where a file was committed from, as the event of its commit says."""
        place = str(self._registry.first_event(id_).data.get("path", ""))
        top, payload = self._registry.root / place, self._registry.load(id_).payload
        return top if payload and payload.type == "file" else top / entry.path

    def _replace(self, entry: FileEntry, path: Path) -> bool:
        """Take the bytes at `path` if they are those of `entry`."""
        with suppress(OSError, LineageError), self._payloads.workspace() as work:
            copy = work / "copy"
            read, _ = read_once(found(path), copy, lambda _: None)
            if not judged(read, entry):
                self._pins.set_aside(entry.md5, self._date)
                self._payloads.loosen({entry.md5: copy}, work)
                return True
        return False

    def _from_remote(self, left: list[Wanted]) -> Iterator[str]:
        if not left:
            return

        for one in left:
            self._pins.set_aside(one.entry.md5, self._date)
        with suppress(LineageError):  # what did not come is found by the next verify
            receive(self._registry, self._remote, left)
        for one in left:
            if not self._payloads.check(one.entry):
                yield f"{one.entry.path} of {one.id[:12]}: from the DVC remote"

    def _to_remote(self, whole: list[Wanted]) -> Iterator[str]:
        """Send what is whole here, and is not there."""
        if whole and self._send:
            send(self._registry, self._remote, whole)
            yield f"objects sent to the DVC remote again: {len(whole):,}"
