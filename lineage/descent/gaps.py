"""What is not recorded of the way that records and weights came.

Silence would look like an answer, so each gap is said, in the words of the report.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from lineage.descent.ancestry import Ancestry
from lineage.descent.parcels import total
from lineage.descent.roles import WRITING
from lineage.descent.shares import Shares
from lineage.store.objects import Commit

_STATED = ("source", "licence")


class Gap(NamedTuple):
    """Something that is not recorded, and the commits that lack it."""

    what: str
    where: tuple[str, ...]


def gaps(ancestry: Ancestry, units: Sequence[Shares]) -> tuple[Gap, ...]:
    """All that is missing in an ancestry, nearest to its subject first."""
    where: dict[str, list[str]] = {}
    for id_ in reversed(ancestry.order):
        for what in _of(id_, ancestry, units):
            where.setdefault(what, []).append(id_)
    return tuple(Gap(what, tuple(ids)) for what, ids in where.items())


def _of(id_: str, ancestry: Ancestry, units: Sequence[Shares]) -> Iterator[str]:
    commit = ancestry.commits[id_]
    if commit.kind == "generation":
        return
    if absent := ancestry.absent.intersection(commit.ids()):
        yield f"{len(absent)} of the commits that it names: not here"
    yield from _counts(id_, commit, units)
    if _is_sample(id_, ancestry, units[0]):
        yield "which records of a mixed dataset it took: not provided, taken as even"
    for parcel in units[0].parcels[id_]:
        if parcel.parent in ancestry.commits and units[0].end(parcel):
            kind = ancestry.commits[parcel.parent].kind
            yield f"what came from a {kind}, which holds no records: not provided"
    if _is_contested(id_, units[0]):
        yield "whether a model wrote it: an edge and its stated origin disagree"
    if _is_end(id_, units[0]):
        yield from _origin(commit)


def _counts(id_: str, commit: Commit, units: Sequence[Shares]) -> Iterator[str]:
    """What was not counted, in the first unit that lacks it."""
    what = "training records" if commit.kind == "model" else "records"
    for shares in units:
        step, unit = shares.parcels[id_], shares.unit
        whole = total(commit, unit)
        if step.excess:
            yield f"the shares of its {unit} add up to more than all of them"
        elif step.open:
            told = what if unit == "records" else unit
            yield f"how many {told} came from each source: not provided"
        elif step.left and whole:
            left = step.left * whole
            yield f"{int(left):,} of {whole:,} {what}: no source recorded"
        else:
            continue
        return


def _is_sample(id_: str, ancestry: Ancestry, shares: Shares) -> bool:
    """Whether it has some of the records of a dataset that has several sources."""
    for parcel in shares.parcels[id_]:
        taken = ((parcel.edge and parcel.edge.share) or {}).get(shares.unit)
        if not (taken and parcel.parent in ancestry.commits):
            continue
        whole = total(ancestry.commits[parcel.parent], shares.unit)
        mixed = sum(1 for _ in shares.parcels[parcel.parent]) > 1
        if mixed and whole and taken[0] < whole:
            return True
    return False


def _is_contested(id_: str, shares: Shares) -> bool:
    """Whether a model may have written what somebody says is not machine-written."""
    step = shares.parcels[id_].open
    wrote = any(parcel.edge and parcel.edge.role in WRITING for parcel in step)
    return wrote and any(parcel.edge is None for parcel in step)


def _is_end(id_: str, shares: Shares) -> bool:
    """Whether records come from the commit itself."""
    parcels = shares.parcels[id_]
    own = (parcel.source for parcel in parcels if not parcel.edge)
    return any(source and source.id == id_ for source in own)


def _origin(commit: Commit) -> Iterator[str]:
    """What a person could have said of it."""
    if commit.kind == "model":
        if not commit.ids("trained_on", "distilled_from"):
            yield "what the model was trained on: not provided"
        return
    said = commit.origin
    if said is None:
        if not commit.ids("derived_from"):
            yield "origin: unknown, nobody said"
        return
    if said["type"] == "unknown":
        yield "origin: stated as unknown"
    elif said["type"] == "mixed":
        yield "origin: stated as mixed, and nobody counted"
    for key in _STATED:
        if not said.get(key):
            yield f"{key}: not provided"
