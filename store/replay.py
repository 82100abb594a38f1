"""The log from its beginning: does each event follow from those before it?

An event says which names it moved; its git commit holds the view afterwards, which
is what everybody reads. Whoever can write the refs can put any view there, so it is
made once more from the event and the view before it, and must be the same tree. Where
two logs meet, the event's moves are made once more as well; elsewhere they must be what
tags, protected branches and undos allow.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from lineage.errors import Conflict, LineageError, NotAllowed
from lineage.store.canonical import digest
from lineage.store.event_commit import fixed_parts, parse_parents
from lineage.store.event_reading import Logged
from lineage.store.events import EventLog
from lineage.store.git import GitRepository
from lineage.store.guards import Guards
from lineage.store.merging import PULL, meet
from lineage.store.objects import Event
from lineage.store.undone import UNDO, taken_back, undone
from lineage.store.views import Move, Target, Views


class Fault(NamedTuple):
    """What is wrong with an event, by its id."""

    event: str
    what: str


class Replay:
    """One walk over a log; `commits` are all that its events brought, by id.

    With `since`, an event whose log is known to be good, only what `tip` adds to it is
    gone through; `known` then gives the git oids of that log's commits.
    """

    def __init__(
        self,
        git: GitRepository,
        log: EventLog,
        *,
        tip: str | None = None,
        since: str | None = None,
        known: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        self._git = git
        self._log = log
        self._tip, self._since = tip, since
        self._known = known
        self._guards = Guards(git, Views(git))
        self._last: Logged | None = None
        self.commits: dict[str, str] = {}

    def faults(self) -> Iterator[Fault]:
        """What does not follow, oldest first; the log is read once, event by event.

        Raises:
            LineageError: when an event is missing or cannot be read.
        """
        events = self._log.iterate(tip=self._tip, since=self._since, oldest_first=True)
        for logged in events:
            for what in self._faults(logged):
                yield Fault(logged.event.id, what)
            self._last = logged

    def _faults(self, logged: Logged) -> Iterator[str]:
        event, found = logged.event, self._git.read(logged.git)
        assert found is not None  # its event.json was just read through it
        commit = found[1].data
        parents = parse_parents(commit)
        first = self._last is None and self._since is None
        if first and parents:
            yield "the events before it are missing"
        elif not first and not parents:
            yield "the event comes after none, but is not the first"
        if event.prev != tuple(map(self._id, parents)):
            yield "the event does not name the one that its git commit comes after"
        for id_, oid in event.commits:
            if (self.git_oid(id_) or oid) != oid:
                yield f"the event gives {id_[:12]} another git commit"
            self.commits.setdefault(id_, oid)
        yield from self._view_faults(event, commit, parents)
        if len(parents) > 1 or event.type == PULL:
            yield from self._meeting_faults(event, parents)
        else:
            yield from self._name_faults(event, parents[0] if parents else None)

    def git_oid(self, id_: str) -> str | None:
        """The git commit that the events up to here give a commit."""
        return self.commits.get(id_) or self._known(id_)

    def _meeting_faults(self, event: Event, parents: list[str]) -> Iterator[str]:
        """Where logs meet, the names follow from theirs (see `merging`)."""
        remote = event.data.get("remote")
        if event.type != PULL or len(parents) != 2 or not isinstance(remote, str):
            yield "the event is not one in which two logs meet"
            return
        merged = meet(self._git, parents[0], parents[1], remote)
        if merged is None:
            yield "the event joins logs that have no event in common"
        elif [move.change() for move in merged.moves] != list(event.refs):
            yield "the names after the event do not follow from the two logs"

    def _name_faults(self, event: Event, before: str | None) -> Iterator[str]:
        """Where no logs meet, names do what their kind may (see `guards`)."""
        if event.type == UNDO:
            taken = undone(self._git, event, before)
            if taken is None:
                yield "the event undoes one that is not before it"
            elif set(event.refs) != set(taken_back(taken)):
                yield "the event does not take back what it says"
        try:
            self._guards.check(before, event, self._moves(event))
        except NotAllowed as error:
            yield f"the event does what must not be: {error}"
        except (LineageError, KeyError):
            return  # what cannot be read is found where commits are checked

    def _id(self, oid: str) -> str:
        """The id of the event that a git commit holds."""
        if self._last is not None and self._last.git == oid:
            return self._last.event.id
        return digest(self._git.blob(f"{oid}:event.json") or b"")

    def _view_faults(
        self, event: Event, commit: bytes, parents: list[str]
    ) -> Iterator[str]:
        try:
            made = self._log.objects(event, self._moves(event), parents)[-1]
        except KeyError as error:
            unknown = error.args[0][:12]
            yield f"the event moves a name to or from {unknown}, which no event brought"
        except Conflict:
            yield "the event moves a name from where it was not"
        else:
            if fixed_parts(made.data) != fixed_parts(commit):
                yield "its git commit is not the one that follows from the events"

    def _moves(self, event: Event) -> list[Move]:
        return [
            Move(ref, self._target(before), self._target(after))
            for ref, before, after in event.refs
        ]

    def _target(self, id_: str | None) -> Target | None:
        if id_ is None:
            return None
        oid = self.git_oid(id_)
        if oid is None:
            raise KeyError(id_)
        return Target(id_, oid)
