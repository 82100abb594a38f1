"""The registry: open this file first.

A call goes down to the store, a value comes up: `commit` hands a path to
`store.payloads`, turns the manifest into git objects with `store.projection` and
appends an event with `store.events`; everything else reads. `Registry` is what every
module is handed; what `lineage.open` gives has on top of it each question (`asking`)
and each statement (`saying`) in one call, and the command line, the loop and the
server do nothing that cannot be done from there.
"""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from lineage.draft import actor, last_moved, place_of, shown
from lineage.errors import UsageError
from lineage.keys.log import KeyLog
from lineage.keys.signer import Signer
from lineage.reading import Reading
from lineage.recording import Committed, check, put
from lineage.store.clone_name import clone_name
from lineage.store.disk import disk_errors, write_atomically
from lineage.store.event_reading import Logged
from lineage.store.events import EventLog, now
from lineage.store.files import FileEntry
from lineage.store.git import GitRepository
from lineage.store.ids import Ids
from lineage.store.objects import Commit, Edge, Event, Metric
from lineage.store.settings import Settings
from lineage.store.views import Move

if TYPE_CHECKING:
    from lineage.store.payloads import Payloads
    from lineage.store.reading import Progress
    from lineage.store.remote_payloads import RemotePayloads

_MAINTENANCE = 256  # commits between two looks at git's loose objects


class Registry(Reading):
    """One registry: commits, names and the log of a git and DVC repository."""

    def __init__(
        self,
        git: GitRepository,
        settings: Mapping[str, str] | None = None,
        at: str | None = None,
    ) -> None:
        self.git = git
        self.root = git.root
        self.home = git.home
        self.settings = Settings(self.home, settings)
        self.signer = Signer(self)
        self.events_log = EventLog(git, self.home, at, self.signer)
        self.key_log = KeyLog(git, self.events_log, self.home)
        self.ids = Ids(git, self.events_log, self.home)
        self._load = lru_cache(maxsize=1024)(self._read)
        self._actor: Mapping[str, str] | None = None
        self._via: Mapping[str, str] = {}

    def close(self) -> None:
        """Let go of the git process, and of the files, that this registry reads."""
        self.git.close()
        if "payloads" in self.__dict__:
            self.payloads.close()

    def rest(self) -> None:
        """Let go of the files that were read: somebody else's turn is next."""
        if "payloads" in self.__dict__:
            self.payloads.rest()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @cached_property
    def payloads(self) -> "Payloads":
        """The payload store, in the cache directory that DVC is configured for."""
        from lineage.store import dvc
        from lineage.store.hashes import HashCache
        from lineage.store.payloads import Payloads

        cache = dvc.cache_directory(dvc.home(self.git))
        return Payloads(cache, self.uuid(), HashCache(self.home / "hashes.sqlite"))

    def payload_remote(self, name: str | None = None) -> "RemotePayloads":
        """Where payloads lie beside the cache: the DVC remote `name`, or the default.

        Raises:
            UsageError, NotFound, StoreError: as `store.dvc.remote`.
        """
        from lineage.store import dvc

        return dvc.remote(self.git, name)

    def has_payload_remote(self) -> bool:
        """Whether there is such a place at all."""
        from lineage.store import dvc

        return bool(dvc.remote_names(self.git))

    def keep(
        self, entries: Sequence[FileEntry], progress: "Progress | None" = None
    ) -> None:
        """Do what has to be done for files that are in the cache: here, nothing."""

    def uuid(self) -> str:
        """The name of this clone, made when it is first needed."""
        return clone_name(self.home)

    def actor(self) -> dict[str, str]:
        """Who acts here: see `acting`, and else `lineage.draft`."""
        return dict(self._actor) if self._actor else actor(self.root)

    @contextmanager
    def acting(
        self, who: Mapping[str, str], via: Mapping[str, str] | None = None
    ) -> Iterator[Self]:
        """Act as `who`, a name and an email, for a while: events are theirs.

        `via` says by which way they came, and goes into their data.
        """
        before = self._actor, self._via
        self._actor, self._via = who, via or {}
        try:
            yield self
        finally:
            self._actor, self._via = before

    # writing

    def commit(
        self,
        kind: str,
        name: str,
        path: str | Path | None = None,
        *,
        edges: Iterable[Edge] = (),
        params: Mapping[str, Any] | None = None,
        metrics: Mapping[str, Any] | None = None,
        origin: Mapping[str, Any] | None = None,
        code: Mapping[str, Any] | None = None,
        external: Mapping[str, Any] | None = None,
        gates: list[dict[str, Any]] | None = None,
        reference: bool = False,
        branch: str | None = None,
        ref: str | None = None,
        revise: bool = True,
        expect: str | None = None,
        message: str = "",
        circumstances: Mapping[str, Any] | None = None,
        progress: "Progress | None" = None,
    ) -> Committed:
        """Record one artifact: its bytes, what it came from and what is known of it.

        `path` is a file or folder whose bytes are stored (`reference`: only
        hashed). The commit goes on `branch` (default ``kind/name``, ``loop/name``
        for a generation) and revises its tip, unless `revise` is False; `ref`
        (``runs/…``) holds a loop's part instead of a branch. `expect` is the id that
        the tip must have by then ("": no branch). `circumstances` go to the event, not
        into the commit. The same content on the same tip is a no-op.

        Raises:
            Conflict: when the tip is not what `expect` says.
            UsageError: for a name, number, edge or path that cannot be recorded.
            NotFound: when an edge leads to a commit that is not here.
            StoreError: when a file or the disk fails; nothing is recorded then.
        """
        self.events_log.check_writable()
        place = place_of(kind, name, branch, ref)
        draft = Commit(
            kind,
            name,
            tuple(edges),
            params=dict(params or {}),
            metrics={k: Metric.from_user(v) for k, v in (metrics or {}).items()},
            origin=origin,
            code=code,
            external=external,
            gates=gates,
        )
        source = None if path is None else Path(path).absolute()
        data = dict(circumstances or {})
        if source and not source.is_relative_to(self.home):
            data["path"] = shown(source, self.root)
        event = Event("commit", now(), self.actor(), message, data=data)
        check(self, draft, event, files=path is not None)
        entries: list[FileEntry] = []
        stored = source is not None and not reference
        with self.payloads.writing() if stored else nullcontext():
            if source is not None:
                self.check_outside(source)
                erased = self.erased() if stored else ()
                payload, entries = self.payloads.add(
                    source, store=stored, progress=progress, erased=erased
                )
                draft = replace(draft, payload=payload)
            if stored:
                self.keep(entries, progress)
            made = put(self, draft, entries, event, place, revise=revise, expect=expect)
        if made.created and len(self.ids) % _MAINTENANCE == 0:
            self.git.maintain()
        return made

    def erased(self) -> Collection[str]:
        """The SHA-256 of every file that was erased (see `lineage.erase`)."""
        from lineage.tombstones import tombstones

        return tombstones(self).erased

    def record(
        self,
        event: Event,
        moves: Iterable[Move] = (),
        objects: Iterable[Any] = (),
        *,
        lock: int,
        merged: Sequence[str] = (),
        alone: Collection[str] = (),
    ) -> Logged:
        """Append `event` and move names; call it under the lock.

        `merged` are git oids of events of other logs that it comes after too, `alone`
        those of commits that no name reaches.
        """
        if self._via:
            event = replace(event, data={**event.data, **self._via})
        logged = self.events_log.append(
            event, moves, objects, lock=lock, merged=merged, alone=alone
        )
        self.ids.refresh()
        if event.commits and self.settings.section("openlineage."):
            from lineage.integrations.openlineage.starting import start

            start(self.root, self.settings)
        return logged

    def attest(
        self,
        type: str,
        *,
        subject: str | None = None,
        message: str = "",
        data: Mapping[str, Any] | None = None,
    ) -> str:
        """Append an event that moves no name (a review, a gate…); returns its id."""
        event = Event(
            type, now(), self.actor(), message, subject=subject, data=data or {}
        )
        with disk_errors("recording the event"), self.events_log.locked() as lock:
            return self.record(event, lock=lock).event.id

    def move(self, type_: str, moves: Iterable[Move], message: str = "") -> None:
        """Append an event that only moves names."""
        event = Event(type_, now(), self.actor(), message)
        with disk_errors("moving the name"), self.events_log.locked() as lock:
            self.record(event, moves, lock=lock)

    def drop_runs(self, prefix: str, *, included_by: str | None = None) -> None:
        """Forget a loop's parts below `prefix`.

        Those that the generation `included_by`, or one of its parts, names stay
        reachable from it; others go to the attic.
        """
        near: set[str] = set()
        if included_by:
            parts = self.load(included_by).ids()
            near = {*parts, *(id_ for part in parts for id_ in self.load(part).ids())}
        with disk_errors("moving the name"), self.events_log.locked() as lock:
            moves = [
                Move(f"runs/{name}", target, None, kept=target.id in near)
                for name, target in self.names("runs").items()
                if name.startswith(prefix)
            ]
            if moves:
                event = Event("drop", now(), self.actor(), "work in progress is over")
                self.record(event, moves, lock=lock)

    # reading

    def resolve(self, revision: str) -> str:
        """The full id of the one commit that `revision` means, be it a revset."""
        from lineage.revisions import resolve

        return resolve(self, revision)

    def select(self, *revsets: str) -> list[str]:
        """The ids that any of `revsets` means, newest first (docs/revisions.md)."""
        from lineage.revisions import select

        return select(self, *revsets)

    @property
    def head(self) -> str | None:
        """The branch that was last moved by a command here, or by then."""
        if self.events_log.at:
            return last_moved(self.events_log)
        try:
            return (self.home / "HEAD").read_text(errors="replace").strip()
        except FileNotFoundError:
            return None

    def set_head(self, branch: str) -> None:
        """Make `branch` what ``HEAD`` means in this clone."""
        with suppress(OSError):  # what it names is recorded in any case
            write_atomically(self.home / "HEAD", branch.encode())

    def check_outside(self, path: Path) -> None:
        """What holds the registry's own files is neither a payload nor replaced."""
        for own in (self.git.common, self.payloads.cache):
            if Path(os.path.realpath(own)).is_relative_to(os.path.realpath(path)):
                hint = "choose a file or a folder inside it"
                raise UsageError(f"{path} holds the registry itself", hint=hint)
