"""Facts: what the report is on, its versions, and where it was released."""

from collections.abc import Iterator

from lineage.audit.model import Change, Field
from lineage.audit.obligations.scope import (
    Found,
    Scope,
    joined,
    named,
    of,
    recorded,
    rejected,
)
from lineage.audit.words import amount
from lineage.store.canonical import Json
from lineage.wording import spaced


def subject(scope: Scope) -> Found:
    """Which commits the report is on."""
    for made in scope.subjects:
        what = f"{made.kind} {made.name}"
        yield f"{what}, content", recorded(f"sha256:{made.id}", made.id)
        yield f"{what}, recorded", Field("recorded", made.time, event=made.event)


def versions(scope: Scope) -> Found:
    """The number, the tags and the predecessor of each."""
    for made in scope.about:
        if made.kind in ("generation", "model"):
            yield f"{named(made)}, number", recorded(made.generation, made.id)
            if made.tags:
                yield f"{named(made)}, tags", scope.now(joined(made.tags))
            for edge in of(made, "follows", "revises", "fine_tuned_from"):
                label = f"{named(made)}, {spaced(edge.role)}"
                yield label, recorded(scope.name(edge.id), made.id)


def generations(scope: Scope) -> Found:
    """How many generations there are, and whether the loop went on."""
    for loop in scope.report.loops:
        last = loop.generations[-1]
        told = f"{len(loop.generations):,}, the last is number {last.number}"
        yield f"loop {loop.name}, generations", recorded(told, last.id)
        yield f"loop {loop.name}, later generations", scope.now(loop.later)
        if turned_down := len(rejected(loop)):
            yield f"loop {loop.name}, rejected generations", scope.now(turned_down)


def releases(scope: Scope) -> Found:
    """What was live, where, from when until when."""
    for one in scope.report.releases:
        until = f"until {one.until}" if one.until else "still"
        yield (
            f"{scope.name(one.subject)} in {one.environment}",
            Field(
                "stated",
                f"since {one.since}, {until}",
                event=one.event,
                by=one.by,
                time=one.since,
                signature=one.signature,
            ),
        )


def changes(scope: Scope) -> Found:
    """What changed from one release to the next, or else since the first turn."""
    for change in scope.report.changes:
        between = f"{scope.name(change.before)} to {scope.name(change.after)}"
        for what, told in _changed(change):
            yield f"{between}, {what}", recorded(told, change.after)


def _changed(change: Change) -> Iterator[tuple[str, str]]:
    for metric in change.metrics:
        yield metric.name, _pair(metric.before, metric.after)
    for param in change.params:
        if param.before is not None or param.after is not None:
            yield param.name, _pair(param.before, param.after)
    for what in ("changed", "new", "gone"):
        if names := getattr(change, what):
            yield f"parts {what}", joined(names)


def _pair(before: Json, after: Json) -> str:
    """A value before and after; None is where there is none."""
    if before is None or after is None:
        return f"new: {amount(after)}" if before is None else f"gone: {amount(before)}"
    return f"{amount(before)} to {amount(after)}"
