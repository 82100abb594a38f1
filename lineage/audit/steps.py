"""What a turn of a loop took, as the runner recorded it step by step."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from lineage.audit.model import Compute, Gate, Measurement, Step
from lineage.store.objects import Event

_NUMBERS = ("seconds", "cpu_seconds", "peak_memory", "records", "tokens", "flops")
COUNTS = ("generated", "rejected", "kept")  # of records, no measures of a model


class Turn(NamedTuple):
    """One try at one generation of a loop."""

    loop: str
    generation: int
    attempt: int


def turn_of(event: Event) -> Turn | None:
    """The try that an event of the runner belongs to."""
    found = tuple(event.data.get(name) for name in ("loop", "generation", "attempt"))
    loop, generation, attempt = found
    if isinstance(loop, str) and type(generation) is type(attempt) is int:
        return Turn(loop, generation, attempt)
    return None


def noted(event: Event) -> tuple[Turn, Step] | None:
    """The step that an event of the runner tells of, and of which try it is."""
    turn = turn_of(event) if isinstance(event.data.get("step"), str) else None
    return (turn, _step(event)) if turn else None


def _step(event: Event) -> Step:
    """A step as its event tells of it."""
    data = event.data
    failed = event.type.startswith("failed")
    return Step(
        event=event.id,
        step=str(data["step"]),
        part=str(data["part"]) if "part" in data else None,
        commit=None if failed else event.subject,
        reused="reused" in data,
        failed=failed,
        **{name: _number(data.get(name)) for name in _NUMBERS},
    )


def _number(value: object) -> Any:
    given = isinstance(value, int | float) and not isinstance(value, bool)
    return value if given else None


def compute(
    steps: Sequence[Step], metrics: Iterable[Measurement], gates: Iterable[Gate]
) -> Compute | None:
    """What a turn generated and took; None where nothing of it is recorded."""
    counts = {m.name: m.value for m in metrics if m.name in COUNTS}
    by_filter = _by_filter(gates)
    if not (steps or counts or by_filter):
        return None
    done = [one for one in steps if not one.reused]
    return Compute(
        **{name: counts.get(name) for name in COUNTS},
        by_filter=by_filter,
        seconds=_sum(done, "seconds"),
        cpu_seconds=_sum(done, "cpu_seconds"),
        tokens=_sum(done, "tokens"),
        flops=_sum(done, "flops"),
        peak_memory=max((s.peak_memory for s in done if s.peak_memory), default=None),
        reused=len(steps) - len(done),
        steps=tuple(steps),
    )


def _by_filter(gates: Iterable[Gate]) -> Mapping[str, int]:
    """How many records each gate rejected, in the order of the gates."""
    found: dict[str, int] = {}
    for gate in gates:
        if type(gate.rejected) is int:
            name = gate.id or gate.type or "unnamed"
            found[name] = found.get(name, 0) + gate.rejected
    return found


def _sum(steps: Iterable[Step], name: str) -> Any:
    """Over the steps that say it; rounded as the runner rounds, to milliseconds."""
    known = [value for one in steps if (value := getattr(one, name)) is not None]
    return round(sum(known), 3) if known else None
