"""Facts: what a registry holds about some commits and the loops that they are part of.

Everything here is read, nothing is worked out but which commits belong together:
a commit with all that it came from, the generations that led to it along
``follows``, those of the same loop that were rejected, and what was said of any
of them in the event log.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from lineage.audit.known import Known, Library, Signed
from lineage.audit.loops import Log, Loops
from lineage.audit.model import Oversight
from lineage.audit.oversight import oversight
from lineage.audit.signatures import Signatures, Signer
from lineage.errors import NotFound
from lineage.registry import Registry
from lineage.store.objects import Event


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
    of; `statements` are the events that move nothing and speak of these commits;
    `keys` those of the registry.
    """

    subjects: tuple[str, ...]
    newest: Event
    commits: Mapping[str, Known]
    loops: tuple[Told, ...] = ()
    statements: tuple[Signed, ...] = ()
    keys: tuple[Signer, ...] = ()


def gather(registry: Registry, revset: str) -> Facts:
    """Read the facts about the commits that `revset`, be it a revision, means.

    Raises:
        NotFound: when there is no such commit.
    """
    subjects = tuple(registry.select(revset))
    if not subjects:
        hint = "`lineage log` lists commits"
        raise NotFound(f"no commit is in {revset!r}", hint=hint)
    log = Log.read(registry)
    assert log.newest is not None  # a registry begins with an event
    signatures = Signatures(registry)
    known = Library(registry, signatures)
    loops = tuple(_loops(registry, Loops(known, log), log, subjects, signatures))
    turns = (id_ for loop in loops for id_ in (*loop.chain, *loop.rejected))
    commits = _closure(known, {*subjects, *turns})
    branches = {branch for loop in loops for branch in loop.branches}
    spoken = (
        Signed(said.event, signatures.of(said))
        for said in reversed(log.statements)
        if _concerns(said.event, commits, branches)
    )
    return Facts(
        subjects, log.newest, commits, loops, tuple(spoken), signatures.signers()
    )


def _loops(
    registry: Registry,
    loops: Loops,
    log: Log,
    subjects: Iterable[str],
    signatures: Signatures,
) -> Iterable[Told]:
    """The loops that the subjects are part of, the oldest first."""
    for end, also_in in loops.ends(subjects).items():
        chain, branches = loops.chain(end), loops.branches(end)
        rejected = loops.rejected(chain, branches)
        turns = (*chain, *rejected)
        yield Told(
            chain=chain,
            oversight=oversight(registry, loops.name(end), chain, signatures),
            rejected=rejected,
            refused={
                id_: Signed(said.event, signatures.of(said))
                for id_ in turns
                if loops.refused(id_)
                for _, said in [log.last[id_]]
            },
            later=loops.later(chain),
            also_in=also_in,
            branches=branches,
        )


def _closure(known: Library, starts: Iterable[str]) -> dict[str, Known]:
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
    event: Event, commits: Mapping[str, Known], branches: Collection[str]
) -> bool:
    """Whether an event speaks of one of these commits, or of their loop as such.

    One that another loop left at a generation that both begin with does not.
    """
    loop = event.data.get("loop")
    if loop is None or not branches:
        return event.subject in commits
    return f"loop/{loop}" in branches and (
        event.subject is None or event.subject in commits
    )
