"""Facts: what a registry holds about one commit and the loop that it is part of.

Everything here is read, nothing is worked out but which commits belong together:
a commit with all that it came from, the generations that led to it along
``follows``, those of the same loop that were rejected, and what was said of any
of them in the event log.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

from lineage.audit.loops import Log, Loops
from lineage.audit.model import Oversight
from lineage.audit.oversight import oversight
from lineage.history import Names
from lineage.registry import Registry
from lineage.store.objects import Commit, Event
from lineage.tombstones import Tombstones, tombstones


@dataclass(frozen=True, slots=True)
class Known:
    """A commit with the event that first recorded it.

    `erased` is the event that erased files of it, `left` how many others it has.
    """

    id: str
    git: str
    commit: Commit
    generation: int
    number: int
    event: Event
    branches: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    erased: Event | None = None
    left: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """What the registry holds about `subject`, in the order of recording.

    `chain` are the generations up to the one that the report is about, oldest
    first; `rejected` those of the same loop that were not followed; `later` how
    many generations follow the chain's last one; `also_in` the other generations
    that include the subject; `branches` where the chain's generations stood;
    `refused` are the events that put generations where the rejected ones stand;
    `statements` the events that move nothing and speak of these commits; `oversight`
    what people saw of the loop.
    """

    subject: str
    newest: Event
    commits: Mapping[str, Known]
    chain: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()
    refused: Mapping[str, Event] = field(default_factory=dict)
    later: int = 0
    also_in: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    statements: tuple[Event, ...] = ()
    oversight: Oversight | None = None


def gather(registry: Registry, revision: str) -> Facts:
    """Read the facts about `revision`.

    Raises:
        NotFound: when there is no such commit.
    """
    subject = registry.resolve(revision)
    log = Log.read(registry)
    assert log.newest is not None  # a registry begins with an event
    known = partial(_known, registry, Names.of(registry), tombstones(registry), {})
    loops = Loops(known, log)
    end, also_in = loops.including(subject)
    chain = loops.chain(end) if end else ()
    branches = loops.branches(end) if end else ()
    rejected = loops.rejected(chain, branches)
    commits = _closure(known, {subject, *chain, *rejected})
    spoken = (e for e in reversed(log.statements) if _concerns(e, commits, branches))
    return Facts(
        subject=subject,
        newest=log.newest,
        commits=commits,
        chain=chain,
        rejected=rejected,
        refused={i: log.last[i][1] for i in (*chain, *rejected) if loops.refused(i)},
        later=loops.later(chain),
        also_in=also_in,
        branches=branches,
        statements=tuple(spoken),
        oversight=oversight(registry, commits[chain[-1]].commit.name, chain)
        if chain
        else None,
    )


def _known(
    registry: Registry,
    names: Names,
    gone: Tombstones,
    cache: dict[str, Known],
    id_: str,
) -> Known:
    if id_ not in cache:
        oid = gone.stripped.get(id_)
        files = registry.files(id_) if oid else []
        left = (f for f in files if not f.is_directory and f.sha256 not in gone.erased)
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
            erased=registry.events_log.whole.event(oid) if oid else None,
            left=sum(1 for _ in left),
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
    """Whether an event speaks of one of these commits, or of their loop as such.

    One that another loop left at a generation that both begin with does not.
    """
    loop = event.data.get("loop")
    if loop is None or not branches:
        return event.subject in commits
    return f"loop/{loop}" in branches and event.subject in {None, *commits}
