"""The log from its beginning: does each event follow from those before it?

An event says which names it moved; its git commit holds the view afterwards, which
is what everybody reads. Whoever can write the refs can put any view there, so it is
made once more from the event and the view before it, and must be the same tree.
"""

from collections.abc import Iterator
from typing import NamedTuple

from lineage.errors import Conflict
from lineage.store.canonical import digest
from lineage.store.event_commit import fixed_parts, parse_parents
from lineage.store.events import EventLog, Logged
from lineage.store.git import GitRepository
from lineage.store.objects import Event
from lineage.store.views import Move, Target


class Fault(NamedTuple):
    """What is wrong with an event, by its id."""

    event: str
    what: str


class Replay:
    """One walk over a log; `commits` are all that its events brought, by id."""

    def __init__(self, git: GitRepository, log: EventLog) -> None:
        self._git = git
        self._log = log
        self._last: Logged | None = None
        self.commits: dict[str, str] = {}

    def faults(self) -> Iterator[Fault]:
        """What does not follow, oldest first; the log is read once, event by event.

        Raises:
            LineageError: when an event is missing or cannot be read.
        """
        for logged in self._log.iterate(oldest_first=True):
            for what in self._faults(logged):
                yield Fault(logged.event.id, what)
            self._last = logged

    def _faults(self, logged: Logged) -> Iterator[str]:
        event, found = logged.event, self._git.read(logged.git)
        assert found is not None  # its event.json was just read through it
        commit = found[1].data
        parents = parse_parents(commit)
        if self._last is None and parents:
            yield "the events before it are missing"
        elif self._last is not None and not parents:
            yield "the event comes after none, but is not the first"
        if event.prev != tuple(map(self._id, parents)):
            yield "the event does not name the one that its git commit comes after"
        for id_, oid in event.commits:
            if self.commits.setdefault(id_, oid) != oid:
                yield f"the event gives {id_[:12]} another git commit"
        yield from self._view_faults(event, commit, parents)

    def _id(self, oid: str) -> str:
        """The id of the event that a git commit holds."""
        if self._last is not None and self._last.git == oid:
            return self._last.event.id
        return digest(self._git.blob(f"{oid}:event.json") or b"")

    def _view_faults(
        self, event: Event, commit: bytes, parents: list[str]
    ) -> Iterator[str]:
        try:
            moves = [
                Move(
                    change.ref, self._target(change.before), self._target(change.after)
                )
                for change in event.refs
            ]
            made = self._log.objects(event, moves, parents)[-1]
        except KeyError as error:
            unknown = error.args[0][:12]
            yield f"the event moves a name to or from {unknown}, which no event brought"
        except Conflict:
            yield "the event moves a name from where it was not"
        else:
            if fixed_parts(made.data) != fixed_parts(commit):
                yield "its git commit is not the one that follows from the events"

    def _target(self, id_: str | None) -> Target | None:
        return Target(id_, self.commits[id_]) if id_ else None
