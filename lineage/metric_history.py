"""A metric along a branch: what it was at each commit, and how it came there.

A branch is walked as git walks it, along `follows` and `revises`. A value is the
commit's own, recorded or attested later, or else that of its only part that has one.
Where the metric is missing or its definition changes, there is a gap.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from lineage.diff.metrics import MetricChange
from lineage.errors import NotFound
from lineage.history import Entry, Names, entry
from lineage.loop.measuring.definitions import direction_of
from lineage.measured import attested, metrics
from lineage.registry import Registry
from lineage.resolving import read
from lineage.revisions import newest_first
from lineage.store.objects import Metric
from lineage.walks import back, heads


class Measured(NamedTuple):
    """A value: whose it is, and the event that attests it where one does."""

    metric: Metric
    of: str
    event: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """One commit of a branch; `number` counts those before it.

    `change` is what the metric did since the commit `since`, the last one before it
    that has a value.
    """

    entry: Entry
    number: int
    measured: Measured | None = None
    change: MetricChange | None = None
    since: str | None = None

    @property
    def begins(self) -> bool:
        """Whether nothing leads from the value before to this one."""
        return self.change is None or not self.change.comparable


@dataclass(frozen=True, slots=True)
class Course:
    """A metric along one branch, which is called `label`; the newest step is first."""

    label: str
    name: str
    steps: tuple[Step, ...]

    def newest(self, count: int | None) -> "Course":
        """The same with so many steps at most."""
        return replace(self, steps=self.steps[:count])

    def stretches(self) -> list[list[Step]]:
        """The steps with a value, oldest first, apart wherever there is a gap."""
        found: list[list[Step]] = []
        for step in reversed(self.steps):
            if step.measured is None:
                continue
            joined = found and found[-1][-1].number == step.number - 1
            if joined and not step.begins:
                found[-1].append(step)
            else:
                found.append([step])
        return found


def definitions(courses: Iterable[Course]) -> list[Metric]:
    """A metric of each definition and version there is, in order of appearance."""
    values = (s.measured.metric for c in courses for s in c.steps if s.measured)
    found: dict[tuple[str | None, int | None], Metric] = {}
    for metric in values:
        found.setdefault((metric.definition, metric.version), metric)
    return list(found.values())


def meaning(name: str, metric: Metric) -> str:
    """What a value is, and which way is better: ``loss: cross_entropy v1, lower …``."""
    version = "" if metric.version is None else f" v{metric.version}"
    own = metric.definition in (None, name)
    called = f"{name}{version}" if own else f"{name}: {metric.definition}{version}"
    direction = direction_of(metric)
    return f"{called}, {direction} is better" if direction else called


def along(
    registry: Registry, name: str, tips: Iterable[tuple[str, str]]
) -> tuple[list[Course], list[NotFound]]:
    """The metric `name` along each of some branches; why others have no course."""
    found: list[Course] = []
    lacking: list[NotFound] = []
    for label, id_ in tips:
        try:
            found.append(course(registry, id_, name, label))
        except NotFound as error:
            lacking.append(error)
    return found, lacking


def course(registry: Registry, id_: str, name: str, label: str) -> Course:
    """The metric `name` along the branch that ends in the commit `id_`.

    Raises:
        NotFound: when no commit on it has the metric.
    """
    names, steps, last = Names.of(registry), list[Step](), None
    for number, each in enumerate(reversed([*back(registry, id_)])):
        step = Step(entry(registry, each, names), number)
        if found := measured(registry, each, name):
            step = _led_to(replace(step, measured=found), last, name)
            last = step
        steps.append(step)
    if last is None:
        raise _unknown(registry, [step.entry.id for step in steps], name, label)
    return Course(label, name, tuple(reversed(steps)))


def measured(registry: Registry, id_: str, name: str) -> Measured | None:
    """The metric `name` of a commit, or of its only part that has it.

    ``model/tutor/loss`` is the loss of the part called so.
    """
    if own := _own(registry, id_, name):
        return own
    found = []
    for part in registry.load(id_).ids("includes"):
        commit = registry.load(part)
        inner = name.removeprefix(f"{commit.kind}/{commit.name}/")
        if of_part := _own(registry, part, inner):
            found.append(of_part)
    return found[0] if len(found) == 1 else None


def _own(registry: Registry, id_: str, name: str) -> Measured | None:
    metric = metrics(registry, id_).get(name)
    if metric is None:
        return None
    said = attested(registry, id_).get(name)
    return Measured(metric, id_, said.event.id if said else None)


def _led_to(step: Step, last: Step | None, name: str) -> Step:
    if last is None or last.measured is None or step.measured is None:
        return step
    events = last.measured.event, step.measured.event
    values = last.measured.metric, step.measured.metric
    change = MetricChange(name, *values, events=events)
    return replace(step, change=change, since=last.entry.id)


def _unknown(registry: Registry, ids: Iterable[str], name: str, label: str) -> NotFound:
    from difflib import get_close_matches

    known = sorted({known for id_ in ids for known in metrics(registry, id_)})
    near = get_close_matches(name, known, 1)
    hint = f"did you mean {near[0]}?" if near else f"there is {', '.join(known)}"
    message = f"no commit on {label} has a metric {name}"
    return NotFound(message, hint=hint if known else "`lineage show` lists metrics")


def tips(
    registry: Registry, revisions: Sequence[str], *, everything: bool = False
) -> Iterator[tuple[str, str]]:
    """The branches that `revisions` mean: a label and the id where each ends.

    Of a set, those are the commits that nothing else of it came from; where one has no
    branch, its id is the label. Without any it is HEAD; `everything` is every branch.
    """
    branches = registry.branches()
    if everything and branches:
        yield from sorted(branches.items())
        return
    named = {id_: label for label, id_ in branches.items()}
    for text in revisions or ("HEAD",):
        found = read(registry, text)
        if found.is_revision:
            label = registry.head if text == "HEAD" else text
            yield label or text, found.ids[0]
        else:
            for id_ in newest_first(registry, heads(registry, found.ids)):
                yield named.get(id_, id_), id_
