"""Generations of the report: their parts, their gates, and curves over them."""

from collections.abc import Iterator
from typing import Any

from lineage.bundle_check.source import Source
from lineage.bundle_check.values import items, mapping, same, without_nothing

_GATE = ("id", "type", "on", "verdict", "action", "sentence", "value", "rejected")


def turn_faults(report: dict[str, Any], source: Source) -> Iterator[tuple[str, str]]:
    """What is not as the commits of the generations have it."""
    for number, loop in enumerate(items(report.get("loops"))):
        turns = items(loop.get("generations"))
        for key in ("generations", "rejected"):
            for place, turn in enumerate(items(loop.get(key))):
                for what in _turn_faults(turn, source):
                    yield f"loops[{number}].{key}[{place}]", what
        for place, measure in enumerate(items(loop.get("measures"))):
            for what in _measure_faults(measure, turns):
                yield f"loops[{number}].measures[{place}]", what
    yield from _training_faults(report, source)


def _turn_faults(turn: dict[str, Any], source: Source) -> Iterator[str]:
    id_ = str(turn.get("id"))
    commit = source.commits.get(id_)
    if commit is None:
        yield f"{id_} is no commit of this bundle"
        return
    if turn.get("number") != source.turn(id_):
        yield f"number is not that of the commit {id_}"
    if not same(turn.get("follows"), commit.ids("follows")):
        yield f"follows is not that of the manifest {id_}"
    for key, role in (("parts", "includes"), ("held_out", "evaluated_on")):
        said = sorted(str(one.get("id")) for one in items(turn.get(key)))
        if said != sorted(commit.ids(role)):
            yield f"{key} are not those of the manifest {id_}"
    gates = [*map(_gate, items(turn.get("gates")))]
    if not same(gates, [without_nothing(_text(gate)) for gate in commit.gates or ()]):
        yield f"gates are not those of the manifest {id_}"
    for against in items(turn.get("against_start")):
        yield from _against_faults(against, turn)


def _gate(gate: dict[str, Any]) -> dict[str, Any]:
    """A gate with its fields where the manifest has them."""
    own = {key: gate.get(key) for key in _GATE}
    bounds, details = mapping(gate.get("bounds")), mapping(gate.get("details"))
    return without_nothing({**own, **bounds, **details})


def _text(gate: Any) -> dict[str, Any]:
    """Words of a manifest's gate are text, as the report has them."""
    words = set(_GATE) - {"value", "rejected"}
    return {
        key: str(value) if key in words and value is not None else value
        for key, value in gate.items()
    }


def _against_faults(against: dict[str, Any], turn: dict[str, Any]) -> Iterator[str]:
    name = against.get("name")
    now = [m.get("value") for m in items(turn.get("metrics")) if m.get("name") == name]
    if not any(same(against.get("now"), value) for value in now):
        yield f"{name!r} is not measured so in this generation"


def _measure_faults(
    measure: dict[str, Any], turns: list[dict[str, Any]]
) -> Iterator[str]:
    """The points of a curve are the measurements of its generations, all of them."""
    meant = ("name", "definition", "version", "direction")
    wanted = [
        [
            turn.get("id"),
            turn.get("number"),
            *map(metric.get, ("value", "n", "interval")),
        ]
        for turn in turns
        for metric in items(turn.get("metrics"))
        if all(same(metric.get(key), measure.get(key)) for key in meant)
    ]
    keys = ("generation", "number", "value", "n", "interval")
    said = [[*map(point.get, keys)] for point in items(measure.get("points"))]
    if not same(said, wanted):
        yield f"the points of {measure.get('name')!r} are not what was measured"


def _training_faults(
    report: dict[str, Any], source: Source
) -> Iterator[tuple[str, str]]:
    """Counted records add up from the shares on the edges of the commit `made`."""
    for number, training in enumerate(items(report.get("training"))):
        made = source.commits.get(str(training.get("made")))
        edges = (
            [e for e in made.edges if e.role == training.get("role")] if made else []
        )
        pairs = [(edge.share or {}).get("records") for edge in edges]
        counts = training.get("counts")
        if counts is None:
            continue
        known = [pair for pair in pairs if pair is not None]
        parts = sum(pair[0] for pair in known)
        whole = {pair[1] for pair in known}
        said = sum(mapping(counts).values())
        if (
            len(known) < len(pairs)
            or said != parts
            or {training.get("records")} != whole
        ):
            yield f"training[{number}]", "does not add up from the edges' shares"
