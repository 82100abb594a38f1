"""Facts: what a registry holds about one commit and the loop that it is part of.

Everything here is read, nothing is worked out but which commits belong together:
a commit with all that it came from, the generations that led to it along
``follows``, those of the same loop that were rejected, and what was said of any
of them in the event log.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

from lineage.history import Names
from lineage.registry import Registry
from lineage.store.objects import Commit, Event

REJECTED = "@rejected"  # ends the name of the branch of a loop's rejected generations

_BOOKKEEPING = frozenset({"init", "commit", "branch", "tag", "drop"})


@dataclass(frozen=True, slots=True)
class Known:
    """A commit with the event that first recorded it."""

    id: str
    git: str
    commit: Commit
    generation: int
    number: int
    event: Event
    branches: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What the registry holds about `subject`, in the order of recording.

    `chain` are the generations up to the one that the report is about, oldest
    first; `rejected` those of the same loop that were not followed; `later` how
    many generations follow the chain's last one; `also_in` the other generations
    that include the subject; `branches` where the chain's generations stood;
    `refused` those of `chain` and `rejected` that were last put on a branch of
    rejected ones.
    """

    subject: str
    newest: Event
    commits: Mapping[str, Known]
    chain: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()
    refused: frozenset[str] = frozenset()
    later: int = 0
    also_in: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    statements: tuple[Event, ...] = ()


@dataclass(slots=True)
class _Log:
    """One pass over the event log, newest first, and what it leaves behind."""

    newest: Event | None = None
    stood: dict[str, list[str]] = field(default_factory=dict)  # branch -> ids
    last: dict[str, str] = field(default_factory=dict)  # id -> branch
    statements: list[Event] = field(default_factory=list)

    @classmethod
    def read(cls, registry: Registry) -> "_Log":
        log = cls()
        for _, event in registry.events():
            log.newest = log.newest or event
            if event.type not in _BOOKKEEPING:
                log.statements.append(event)
            for change in event.refs:
                if change.after and change.ref.startswith("heads/"):
                    branch = change.ref.removeprefix("heads/")
                    log.stood.setdefault(branch, []).append(change.after)
                    if event.type != "branch":  # somebody's second name for it
                        log.last.setdefault(change.after, branch)
        return log


def gather(registry: Registry, revision: str) -> Facts:
    """Read the facts about `revision`.

    Raises:
        NotFound: when there is no such commit.
    """
    subject = registry.resolve(revision)
    log = _Log.read(registry)
    assert log.newest is not None  # a registry begins with an event
    known = partial(_known, registry, Names.of(registry), {})
    loops = _Loops(known, log)
    end, also_in = loops.including(subject)
    chain = loops.chain(end) if end else ()
    branches = loops.branches(chain)
    rejected = loops.rejected(chain, branches)
    commits = _closure(known, {subject, *chain, *rejected})
    spoken = (e for e in reversed(log.statements) if _concerns(e, commits, branches))
    return Facts(
        subject=subject,
        newest=log.newest,
        commits=commits,
        chain=chain,
        rejected=rejected,
        refused=frozenset(filter(loops.refused, {*chain, *rejected})),
        later=loops.later(chain, branches),
        also_in=also_in,
        branches=branches,
        statements=tuple(spoken),
    )


def _known(
    registry: Registry, names: Names, cache: dict[str, Known], id_: str
) -> Known:
    if id_ not in cache:
        record = registry.ids.get(id_)
        cache[id_] = Known(
            id=id_,
            git=record.git,
            commit=registry.load(id_),
            generation=record.generation,
            number=record.number,
            event=registry.events_log.event(record.event),
            branches=names.branches.get(record.git, ()),
            tags=names.tags.get(record.git, ()),
        )
    return cache[id_]


def _closure(known: partial[Known], starts: Iterable[str]) -> dict[str, Known]:
    """`starts` and everything that they came from, in the order of recording."""
    found: dict[str, Known] = {}
    queue = list(starts)
    while queue:
        id_ = queue.pop()
        if id_ not in found:
            found[id_] = known(id_)
            queue.extend(found[id_].commit.ids())
    return dict(sorted(found.items(), key=lambda item: item[1].number))


def _concerns(
    event: Event, commits: Mapping[str, Known], branches: tuple[str, ...]
) -> bool:
    """Whether an event speaks of one of these commits, or of their loop as such."""
    if event.subject:
        return event.subject in commits
    loop = event.data.get("loop") or event.data.get("branch")
    return bool(loop) and any(loop in (b, b.removeprefix("loop/")) for b in branches)


class _Loops:
    """The generations that ever stood on a branch, by what the log says of them."""

    def __init__(self, known: partial[Known], log: _Log) -> None:
        self._known = known
        self._last = log.last
        self._stood = {
            branch: ids
            for branch, ids in log.stood.items()
            if known(ids[0]).commit.kind == "generation"
        }

    def refused(self, id_: str) -> bool:
        """Whether a generation was last put on a branch of rejected ones."""
        return self._last.get(id_, "").endswith(REJECTED)

    def including(self, subject: str) -> tuple[str | None, tuple[str, ...]]:
        """The generation that `subject` is or was first included in; the others."""
        if self._known(subject).commit.kind == "generation":
            return subject, ()
        ids = {id_ for stood in self._stood.values() for id_ in stood}
        parts = (id_ for id_ in ids if subject in self._commit(id_).ids("includes"))
        found = sorted(parts, key=lambda id_: self._known(id_).number)
        return (found[0], tuple(found[1:])) if found else (None, ())

    def chain(self, end: str) -> tuple[str, ...]:
        """`end` and the generations before it along ``follows``, oldest first."""
        found = {end}
        queue = [end]
        while queue:
            before = set(self._commit(queue.pop()).ids("follows")) - found
            found |= before
            queue.extend(before)
        return tuple(sorted(found, key=lambda id_: self._known(id_).number))

    def branches(self, chain: Iterable[str]) -> tuple[str, ...]:
        """The branches of these generations, without those of rejected ones."""
        members = set(chain)
        found = (b for b, ids in self._stood.items() if members.intersection(ids))
        return tuple(sorted({branch.removesuffix(REJECTED) for branch in found}))

    def rejected(
        self, chain: tuple[str, ...], branches: Iterable[str]
    ) -> tuple[str, ...]:
        """The rejected generations that come after one of `chain`, or after none."""
        ids = {i for b in branches for i in self._stood.get(f"{b}{REJECTED}", ())}
        ids = {id_ for id_ in ids if self.refused(id_)} - set(chain)
        found = (id_ for id_ in ids if self._anchored(id_, ids, chain))
        return tuple(sorted(found, key=lambda id_: self._known(id_).number))

    def _anchored(self, id_: str, rejected: set[str], chain: tuple[str, ...]) -> bool:
        before = self._commit(id_).ids("follows")
        while before and before[0] in rejected:
            before = self._commit(before[0]).ids("follows")
        return not before or before[0] in chain

    def later(self, chain: tuple[str, ...], branches: Iterable[str]) -> int:
        """How many generations on these branches follow the last of `chain`."""
        followers: dict[str, set[str]] = {}
        for id_ in {id_ for b in branches for id_ in self._stood.get(b, ())}:
            for before in self._commit(id_).ids("follows"):
                followers.setdefault(before, set()).add(id_)
        found: set[str] = set()
        queue = list(chain[-1:])
        while queue:
            after = followers.get(queue.pop(), set()) - found
            found |= after
            queue.extend(after)
        return len(found)

    def _commit(self, id_: str) -> Commit:
        return self._known(id_).commit
