"""What changed between two releases of one name, or in a loop from first to last.

Manifests are compared, and no file is read.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from lineage.audit.model import Change, MetricChange, ParamChange, Release
from lineage.diff import metrics, settings
from lineage.diff.comparison import Comparison, Options
from lineage.diff.config import compare_params
from lineage.diff.metrics import MetricChange as Found
from lineage.diff.parts import Pair, pairs
from lineage.registry import Registry


class Span(NamedTuple):
    """Two commits to compare, and the events that released them."""

    before: str
    after: str
    released: tuple[str, ...] = ()


def spans(
    releases: Iterable[Release], loops: Iterable[tuple[Sequence[str], set[str]]]
) -> Iterator[Span]:
    """What is compared: releases that follow each other, else a loop's two ends.

    A loop is its generations, oldest first, and all that they include.
    """
    places: dict[tuple[str, str, str], list[Release]] = {}
    for one in releases:  # the oldest first
        places.setdefault((one.environment, one.kind, one.name), []).append(one)
    found: dict[tuple[str, str], Span] = {}
    for line in places.values():
        for old, new in pairwise(line):
            ends = (old.subject, new.subject)
            if old.subject != new.subject:
                found.setdefault(ends, Span(*ends, (old.event, new.event)))
    yield from found.values()
    for chain, parts in loops:
        if len(chain) > 1 and not any(parts.issuperset(ends) for ends in found):
            yield Span(chain[0], chain[-1])


def change(registry: Registry, span: Span) -> Change:
    """What the manifests of two commits, and of their parts, say differently."""
    notes: list[str] = []
    compared = pairs(registry, span.before, span.after, notes)
    what = Comparison(registry, compared, Options(), notes)
    params = [*compare_params(what), *_settings(compared)]
    return Change(
        before=span.before,
        after=span.after,
        released=span.released,
        metrics=tuple(map(_metric, metrics.compare(what))),
        params=tuple(ParamChange(c.path, c.a, c.b, c.change) for c in params),
        made_of=(None, None),
        changed=tuple(_called(pair) for pair in compared if _differs(pair)),
        new=tuple(_called(pair) for pair in compared if not pair.a),
        gone=tuple(_called(pair) for pair in compared if not pair.b),
    )


def _metric(found: Found) -> MetricChange:
    before, after = (side.value if side else None for side in (found.a, found.b))
    return MetricChange(found.name, before, after, found.delta, found.verdict)


def _settings(compared: Iterable[Pair]) -> Iterator[settings.Change]:
    """Settings of the configs that belong to the two, where they differ."""
    for pair in compared:
        if pair.kind == "config" and pair.label and pair.whole:
            sides = (side.params for side in pair.commits)
            yield from settings.changes(f"{pair.label}/", *sides)


def _differs(pair: Pair) -> bool:
    """Whether the two sides have other files."""
    if not pair.whole:
        return False
    before, after = (side.payload for side in pair.commits)
    return before != after


def _called(pair: Pair) -> str:
    commit = pair.commits[0]
    return pair.label or f"{commit.kind}/{commit.name}"
