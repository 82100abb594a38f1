"""Facts: what a registry holds about some commits and the loops that they are part of.

Everything here is read, nothing is worked out but which commits belong together:
a commit with all that it came from, the generations that led to it along
``follows``, those of the same loop that were rejected, and what was said of any
of them in the event log.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from lineage.audit import changes, later
from lineage.audit.known import Known, Library, Signed
from lineage.audit.loops import Log, Loops
from lineage.audit.model import (
    Change,
    Erasure,
    Field,
    Oversight,
    Release,
    Step,
    Taint,
    TimeStamp,
)
from lineage.audit.oversight import Overseen
from lineage.audit.steps import turn_of
from lineage.errors import NotFound
from lineage.keys.signatures import Signatures, Signer
from lineage.loop.branches import branch_of
from lineage.registry import Registry
from lineage.store.event_reading import Logged
from lineage.store.objects import Event
from lineage.tombstones import tombstones
from lineage.walks import ancestors


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of one loop.

    `chain` are the generations up to the newest that the report is about, oldest
    first; `rejected` those of the same loop that were not followed; `later` how
    many generations follow the chain's last one; `also_in` the other generations
    that include the subjects; `branches` where the chain's generations stood;
    `refused` are the events that put generations where the rejected ones stand.
    """

    chain: tuple[str, ...]
    oversight: Oversight
    rejected: tuple[str, ...] = ()
    refused: Mapping[str, Signed] = field(default_factory=dict)
    later: int = 0
    also_in: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What the registry holds about `subjects`, newest first.

    `commits` are in the order of recording, `loops` those that the subjects are part
    of; `steps` what the runner says of each turn, by the generation that it ended in;
    `statements` are the events that move nothing and speak of these commits;
    `keys` and `stamps` those of the registry, `said` what people stated of these
    commits, by field.
    """

    subjects: tuple[str, ...]
    newest: Event
    commits: Mapping[str, Known]
    loops: tuple[Told, ...] = ()
    steps: Mapping[str, Sequence[Step]] = field(default_factory=dict)
    statements: tuple[Signed, ...] = ()
    keys: tuple[Signer, ...] = ()
    said: Mapping[str, Mapping[str, Field[str]]] = field(default_factory=dict)
    releases: tuple[Release, ...] = ()
    changes: tuple[Change, ...] = ()
    taints: tuple[Taint, ...] = ()
    erasures: tuple[Erasure, ...] = ()
    stamps: tuple[TimeStamp, ...] = ()


def gather(registry: Registry, revset: str) -> Facts:
    """Read the facts about the commits that `revset`, be it a revision, means.

    Raises:
        NotFound: when there is no such commit.
    """
    subjects = tuple(registry.select(revset))
    if not subjects:
        hint = "`lineage log` lists commits"
        raise NotFound(f"no commit is in {revset!r}", hint=hint)
    return _Gathering(registry).facts(subjects)


class _Gathering:
    """What is read once for all of a report."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._log = Log.read(registry)
        self._signatures = Signatures(registry, self._log.times)
        self._library = Library(registry, self._signatures)

    def facts(self, subjects: tuple[str, ...]) -> Facts:
        registry, log = self._registry, self._log
        assert log.newest is not None  # a registry begins with an event
        loops = tuple(self._loops(subjects))
        turns = [id_ for loop in loops for id_ in (*loop.chain, *loop.rejected)]
        commits = self._library.known(ancestors(registry, {*subjects, *turns}))
        releases = later.released(registry, commits, self._signatures)
        return Facts(
            subjects=subjects,
            newest=log.newest,
            commits=commits,
            loops=loops,
            steps={id_: self._steps(commits[id_]) for id_ in turns},
            statements=tuple(self._statements(commits, loops)),
            keys=self._signatures.signers(),
            said=later.said_of(registry, commits, self._signatures),
            releases=releases,
            changes=tuple(self._changes(releases, loops, commits)),
            taints=later.tainted(registry, commits, self._signatures),
            erasures=tuple(later.erased(self._erasures(commits), commits)),
            stamps=tuple(later.stamped(reversed(log.statements))),
        )

    def _loops(self, subjects: Iterable[str]) -> Iterator[Told]:
        """The loops that the subjects are part of, the oldest end first."""
        loops = Loops(self._library, self._log)
        seen = Overseen(self._registry, self._log, self._library, self._signatures)
        for end, also_in in loops.ends(subjects).items():
            line, branches = loops.chain(end), loops.branches(end)
            rejected = loops.rejected(line, branches)
            turns = (*line, *rejected)
            self._library.read(ancestors(self._registry, turns))
            yield Told(
                chain=line,
                oversight=seen.of(line),
                rejected=rejected,
                refused={
                    id_: self._signed(self._log.last[id_][1])
                    for id_ in turns
                    if loops.refused(id_)
                },
                later=loops.later(line),
                also_in=also_in,
                branches=branches,
            )

    def _steps(self, generation: Known) -> Sequence[Step]:
        """The steps of a turn, in the order in which they were done."""
        turn = turn_of(generation.event)
        return self._log.steps.get(turn, [])[::-1] if turn else []

    def _statements(
        self, commits: Mapping[str, Known], loops: Iterable[Told]
    ) -> Iterator[Signed]:
        """The events that move nothing and concern the report, the oldest first."""
        branches = {branch for loop in loops for branch in loop.branches}
        chosen = [
            said
            for said in reversed(self._log.statements)
            if _concerns(said.event, commits, branches)
        ]
        for said, signature in zip(chosen, self._signatures.many(chosen), strict=True):
            yield Signed(said.event, signature)

    def _changes(
        self,
        releases: Iterable[Release],
        loops: Iterable[Told],
        commits: Mapping[str, Known],
    ) -> Iterator[Change]:
        lines = []
        for loop in loops:
            parts = (commits[id_].commit.ids("includes") for id_ in loop.chain)
            lines.append((loop.chain, {*loop.chain, *chain.from_iterable(parts)}))
        for span in changes.spans(releases, lines):
            yield changes.change(self._registry, span)

    def _erasures(self, commits: Mapping[str, Known]) -> Iterator[Signed]:
        """The erasures that the log tells of, and any that took something since."""
        log = self._registry.events_log.whole
        gone = tombstones(self._registry).stripped
        found = {logged.git: logged for logged in reversed(self._log.erasures)}
        for oid in (gone[id_] for id_ in commits if id_ in gone):
            found.setdefault(oid, Logged(oid, log.event(oid)))
        yield from map(self._signed, found.values())

    def _signed(self, logged: Logged) -> Signed:
        return Signed(logged.event, self._signatures.of(logged))


def _concerns(
    event: Event, commits: Mapping[str, Known], branches: Collection[str]
) -> bool:
    """Whether an event speaks of one of these commits, or of their loop as such.

    One that another loop left at a generation that both begin with does not.
    """
    loop = event.data.get("loop")
    if loop is None or not branches:
        return event.subject in commits
    return branch_of(str(loop)) in branches and (
        event.subject is None or event.subject in commits
    )
