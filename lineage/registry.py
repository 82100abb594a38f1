"""The registry: open this file first.

A call goes down to the store, a value comes up: `commit` hands a path to
`store.payloads`, turns the manifest into git objects with `store.projection` and
appends an event with `store.events`; everything else reads. A `Repository` below it
has the pieces, opened; `Registry` is what every module is handed; what `lineage.open`
gives has on top of it each question (`asking`) and each statement (`saying`) in one
call, and the command line, the loop and the server do nothing that cannot be done
from there.
"""

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lineage.draft import place_of, shown
from lineage.errors import UsageError
from lineage.recording import Committed, check, put
from lineage.repository import Repository
from lineage.resolving import resolve, select
from lineage.store.disk import disk_errors
from lineage.store.events import now
from lineage.store.files import FileEntry, Payload
from lineage.store.objects import Commit, Edge, Event, Metric
from lineage.store.views import Move
from lineage.tombstones import tombstones

if TYPE_CHECKING:
    from lineage.store.reading import Progress

_MAINTENANCE = 256  # commits between two looks at git's loose objects


class Registry(Repository):
    """One registry: a repository in which commits are made, and found by revisions."""

    def keep(
        self, entries: Sequence[FileEntry], progress: "Progress | None" = None
    ) -> None:
        """Do what has to be done for files that are in the cache: here, nothing."""

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
        data = {**(circumstances or {}), **self._found_at(source)}
        event = Event("commit", now(), self.actor(), message, data=data)
        check(self, draft, event, files=path is not None)
        entries: list[FileEntry] = []
        stored = source is not None and not reference
        with self.payloads.writing() if stored else nullcontext():
            if source is not None:
                payload, entries = self._taken(source, progress, store=stored)
                draft = replace(draft, payload=payload)
            made = put(self, draft, entries, event, place, revise=revise, expect=expect)
        if made.created and len(self.ids) % _MAINTENANCE == 0:
            self.git.maintain()
        return made

    def _found_at(self, source: Path | None) -> dict[str, str]:
        """What an event says of where its files were; of our own folder nothing."""
        if source is None or source.is_relative_to(self.home):
            return {}
        return {"path": shown(source, self.root)}

    def _taken(
        self, source: Path, progress: "Progress | None", *, store: bool
    ) -> tuple[Payload, list[FileEntry]]:
        """What a file or a folder has in it: stored, or only hashed."""
        self.check_outside(source)
        erased = self.erased() if store else ()
        payload, entries = self.payloads.add(
            source, store=store, progress=progress, erased=erased
        )
        if store:
            self.keep(entries, progress)
        return payload, entries

    def erased(self) -> Collection[str]:
        """The SHA-256 of every file that was erased (see `lineage.erase`)."""
        return tombstones(self).erased

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
        return resolve(self, revision)

    def select(self, *revsets: str) -> list[str]:
        """The ids that any of `revsets` means, newest first (docs/revisions.md)."""
        return select(self, *revsets)

    def check_outside(self, path: Path) -> None:
        """What holds the registry's own files is neither a payload nor replaced."""
        for own in (self.git.common, self.payloads.cache):
            if Path(os.path.realpath(own)).is_relative_to(os.path.realpath(path)):
                hint = "choose a file or a folder inside it"
                raise UsageError(f"{path} holds the registry itself", hint=hint)
