"""Looking at the bytes behind the edges of commits, and saying what they show."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TypeAlias

from lineage.errors import LineageError
from lineage.evidence.checked import UNDECIDED, Checked
from lineage.evidence.grades import EVIDENCE, Shown, grade, shown
from lineage.registry import Registry
from lineage.store.objects import Commit, Edge
from lineage.store.reading import Progress
from lineage.tombstones import explain_erased

BLIND = frozenset(
    {"trained_on", "distilled_from", "selected_by", "rewarded_by", "evaluated_on"}
)
"""Roles that bytes say nothing of: what a model learned from leaves no such trace."""

Check: TypeAlias = Callable[
    [Registry, str, Sequence[Edge], Progress], Iterator[Checked]
]
"""Looks at some edges of a commit, given by its id."""


@dataclass(frozen=True, slots=True)
class Looked:
    """One commit, what its bytes show of its edges, and the event that says so.

    `event` is empty when nothing was new, or nothing was to be written. `blind` is
    how many of its edges say what no bytes can show.
    """

    id: str
    checked: tuple[Checked, ...] = ()
    event: str = ""
    blind: int = 0


@dataclass(slots=True)
class _Trust:
    """Which files have been found to be what their SHA-256 says."""

    registry: Registry
    progress: Progress
    known: dict[str, str] = field(default_factory=dict)

    def check(self, id_: str) -> None:
        """Read the files of a commit.

        Raises:
            LineageError: when one is damaged or not here.
        """
        for entry in self.registry.files(id_):
            if entry.is_directory:
                continue
            if entry.md5 not in self.known:
                self.known[entry.md5] = self.registry.payloads.check(entry)
                self.progress(entry.size)
            if wrong := self.known[entry.md5]:
                explain_erased(self.registry, id_, [entry])
                message = f"{entry.path} of {id_[:12]} {wrong}"
                raise LineageError(message, hint="run `lineage verify`")


def look(
    registry: Registry,
    ids: Iterable[str],
    *,
    progress: Progress,
    write: bool = True,
) -> Iterator[Looked]:
    """Check the edges of commits against their bytes; an event says what is new.

    What is undecided is not recorded. With `write` off nothing is.

    Raises:
        NotAllowed: when something would be written into the past.
        LineageError: when numpy is missing; says what to install.
    """
    _need_numpy()
    if write:
        registry.events_log.check_writable()
    trust = _Trust(registry, progress)
    for id_ in ids:
        commit = registry.load(id_)
        found = tuple(_checked(registry, id_, commit, trust))
        registry.rest()
        event = _say(registry, id_, found) if write else ""
        blind = sum(edge.role in BLIND for edge in commit.edges)
        yield Looked(id_, found, event, blind)


def _need_numpy() -> None:
    try:
        import numpy as np  # noqa: F401
    except ImportError:
        message = "looking at the bytes behind edges needs numpy"
        hint = "install it: pip install 'lineage-vcs[diff]'"
        raise LineageError(message, hint=hint) from None


def _checked(
    registry: Registry, id_: str, commit: Commit, trust: _Trust
) -> Iterator[Checked]:
    for edges, method, check in _checks(registry, commit):
        try:
            for one in (id_, *(edge.id for edge in edges)):
                trust.check(one)
            yield from list(check(registry, id_, edges, trust.progress))
        except LineageError as error:
            for edge in edges:
                yield Checked(edge, UNDECIDED, method, str(error))


_Planned: TypeAlias = tuple[Sequence[Edge], str, Check]


def _checks(registry: Registry, commit: Commit) -> Iterator[_Planned]:
    """Which edges are looked at together, and how."""
    if commit.kind == "dataset":
        yield from _of_dataset(registry, commit)
    elif commit.kind == "model":
        yield from _of_model(registry, commit)


def _of_dataset(registry: Registry, commit: Commit) -> Iterator[_Planned]:
    from lineage.evidence import records, writers

    made_of = _edges(registry, commit, "derived_from", "dataset")
    written_by = _edges(registry, commit, "generated_by", "model")
    if made_of:
        yield made_of, records.METHOD, _or_prompts if written_by else records.check
    if written_by:
        yield written_by, writers.METHOD, writers.check_writers


def _or_prompts(
    registry: Registry, id_: str, edges: Sequence[Edge], progress: Progress
) -> Iterator[Checked]:
    """Look for records; of what a model wrote none is there, so look for prompts."""
    from lineage.evidence import records, writers

    for found in records.check(registry, id_, edges, progress):
        if not found.figures["found"] and "share" not in found.figures:
            yield writers.check_prompts(registry, id_, found.edge, progress)
        else:
            yield found


def _of_model(registry: Registry, commit: Commit) -> Iterator[_Planned]:
    from lineage.evidence import adapters, casts, merges, starts

    merged = _edges(registry, commit, "merged_from", "model")
    tuned = _edges(registry, commit, "fine_tuned_from", "model")
    added = [e for e in merged if adapters.is_adapter(registry, e.id)]
    both = [*merged, *tuned]
    if len(added) == 1 and len(both) == 2:
        yield both, adapters.METHOD, adapters.check_adapter
        return
    if merged:
        yield merged, merges.METHOD, merges.check_merge
    for edge in tuned:
        yield [edge], starts.METHOD, _one(starts.check_start)
    for edge in _edges(registry, commit, "quantized_from", "model"):
        yield [edge], casts.METHOD, _one(casts.check_cast)


def _one(check: Callable[[Registry, str, Edge, Progress], Checked]) -> Check:
    """What looks at one edge, as what looks at several."""

    def checked(
        registry: Registry, id_: str, edges: Sequence[Edge], progress: Progress
    ) -> Iterator[Checked]:
        for edge in edges:
            yield check(registry, id_, edge, progress)

    return checked


def _edges(registry: Registry, commit: Commit, role: str, kind: str) -> list[Edge]:
    """Its edges of a role to commits of a kind."""
    edges = (edge for edge in commit.edges if edge.role == role)
    return [edge for edge in edges if registry.load(edge.id).kind == kind]


def _say(registry: Registry, id_: str, checked: Sequence[Checked]) -> str:
    """Record what the bytes decide and nobody has said yet; the event's id."""
    known = shown(registry, id_)
    fresh = [one for one in checked if one.verdict != UNDECIDED and _is_new(one, known)]
    if not fresh:
        return ""
    edges = [
        {
            "role": one.edge.role,
            "id": one.edge.id,
            "grade": one.verdict,
            "method": one.method,
            "figures": one.figures,
        }
        for one in fresh
    ]
    data = {"edges": edges}
    return registry.attest(EVIDENCE, subject=id_, message=_told(fresh), data=data)


def _told(fresh: Sequence[Checked]) -> str:
    """What was found, for the log: ``verified: 4 derived_from, 1 generated_by``."""
    parts = []
    for verdict, group in groupby(sorted(fresh, key=_verdict), key=_verdict):
        roles = Counter(one.edge.role for one in group)
        counted = ", ".join(f"{count} {role}" for role, count in roles.items())
        parts.append(f"{verdict}: {counted}")
    return "; ".join(parts)


def _verdict(one: Checked) -> str:
    return one.verdict


def _is_new(one: Checked, known: Mapping[tuple[str, str], Shown]) -> bool:
    before = known.get((one.edge.role, one.edge.id))
    return before is None or (before.grade, before.method) != (one.verdict, one.method)


def standing(registry: Registry, id_: str, one: Checked) -> str:
    """How the edge stands: as decided now or, where nothing is, as it was before."""
    if one.verdict != UNDECIDED:
        return one.verdict
    return grade(registry, id_, one.edge)
