"""The generations of a loop, and its measures over them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lineage.audit.artifacts import said_with
from lineage.audit.facts import Facts, Told
from lineage.audit.known import Known, Signed, actor
from lineage.audit.model import (
    Against,
    Artifact,
    Field,
    Gate,
    Generation,
    Measure,
    Measurement,
    Point,
    Statement,
)
from lineage.audit.steps import compute
from lineage.keys.signatures import Signature
from lineage.loop.measuring.definitions import MEASURES
from lineage.loop.measuring.definitions import Measure as Meant
from lineage.store.objects import Event

_GATE = ("id", "type", "on", "verdict", "action", "sentence")
_BOUNDS = ("min", "max")


def generation(
    known: Known,
    artifacts: Mapping[str, Artifact],
    statements: Mapping[str, list[Statement]],
    facts: Facts,
    told: Told,
) -> Generation:
    """One generation with its parts, its verdicts and what was said of it.

    What only a whole loop or the whole report can say of it is left to these.
    """
    edges = sorted(
        artifacts[known.id].sources, key=lambda edge: facts.commits[edge.id].number
    )
    parts = tuple(edge for edge in edges if edge.role == "includes")
    refused = told.refused.get(known.id)
    spoken_of = (known.id, *(part.id for part in parts))
    before = {i for id_ in known.commit.ids("follows") for i in _parts(facts, id_)}
    new = [artifacts[part.id] for part in parts if part.id not in before]
    metrics = _metrics(artifacts[known.id], new)
    gates = tuple(gate(known.id, data) for data in known.commit.gates or ())
    return Generation(
        id=known.id,
        number=artifacts[known.id].generation,
        status="rejected" if refused else "accepted",
        follows=known.commit.ids("follows"),
        reason=_reason(refused) if refused else None,
        parts=parts,
        held_out=tuple(edge for edge in edges if edge.role == "evaluated_on"),
        metrics=metrics,
        gates=gates,
        made_of=None,
        compute=compute(facts.steps.get(known.id, ()), metrics, gates),
        against_start=(),
        statements=tuple(s for id_ in spoken_of for s in statements.get(id_, ())),
    )


def _parts(facts: Facts, id_: str) -> tuple[str, ...]:
    return facts.commits[id_].commit.ids("includes")


def _reason(refused: Signed) -> Field[str]:
    """Why a generation was rejected, as the event says that put it aside."""
    if not refused.event.message:
        return Field("not provided")
    return said_with(*refused)


def _metrics(own: Artifact, new: Iterable[Artifact]) -> tuple[Measurement, ...]:
    """A generation's metrics, then those that exactly one of its new parts has."""
    others = [metric for part in new for metric in part.metrics]
    times = Counter(metric.name for metric in others)
    found = {metric.name: metric for metric in others if times[metric.name] == 1}
    found |= {metric.name: metric for metric in own.metrics}
    return tuple(found[name] for name in sorted(found))


def gate(commit: str, data: Mapping[str, Any]) -> Gate:
    """A verdict as the manifest of `commit` has it, whatever fields it has."""
    left = dict(data)
    known = {name: _text(left.pop(name, None)) for name in _GATE}
    bounds = {name: left.pop(name) for name in _BOUNDS if name in left}
    value, rejected = left.pop("value", None), left.pop("rejected", None)
    return Gate(
        **known,
        value=value,
        bounds=bounds,
        rejected=rejected,
        details=left,
        commit=commit,
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def statement(event: Event, signature: Signature) -> Statement:
    """An event that speaks of a commit, as the report has it."""
    return Statement(
        event=event.id,
        type=event.type,
        time=event.time,
        by=actor(event.actor),
        signature=signature,
        subject=event.subject,
        message=event.message,
        data=dict(event.data),
    )


def against_start(turns: Sequence[Generation]) -> Iterator[Generation]:
    """The turns, accepted ones in order first, with their measures as of the start."""
    first: dict[tuple[Any, ...], tuple[int, Measurement]] = {}
    for turn in turns:
        if turn.status == "accepted":
            for metric in turn.metrics:
                first.setdefault(_same(metric), (turn.number, metric))
    for turn in turns:
        yield replace(turn, against_start=tuple(_against(turn, first)))


def _against(
    turn: Generation, first: Mapping[tuple[Any, ...], tuple[int, Measurement]]
) -> Iterator[Against]:
    for metric in turn.metrics:
        since, start = first.get(_same(metric), (turn.number, metric))
        meant = known_measure(metric.definition, metric.version)
        if since < turn.number and (meant is None or meant.about):
            about = meant.about if meant else None
            yield Against(
                metric.name, about, since, start.value, metric.value, metric.commit
            )


def known_measure(definition: str | None, version: int | None) -> Meant | None:
    """What lineage means by a definition at a version."""
    meant = MEASURES.get(definition or "")
    return meant if meant and meant.version == version else None


def measures(generations: Iterable[Generation]) -> tuple[Measure, ...]:
    """Every metric over the generations; a new one wherever its definition changes."""
    found: dict[tuple[Any, ...], list[tuple[Generation, Measurement]]] = {}
    for turn in generations:
        for metric in turn.metrics:
            found.setdefault(_same(metric), []).append((turn, metric))
    names = sorted(found, key=lambda key: tuple(str(part) for part in key))
    return tuple(_measure(found[key]) for key in names)


def _same(metric: Measurement) -> tuple[Any, ...]:
    """What two values must share to be compared."""
    return metric.name, metric.definition, metric.version, metric.direction


def _measure(values: list[tuple[Generation, Measurement]]) -> Measure:
    metric = values[0][1]
    meant = known_measure(metric.definition, metric.version)
    return Measure(
        name=metric.name,
        definition=metric.definition,
        version=metric.version,
        direction=metric.direction,
        meaning=meant.definition if meant else None,
        reference=meant.source if meant else None,
        points=tuple(
            Point(turn.id, turn.number, value.value, value.n, value.interval)
            for turn, value in values
        ),
    )
