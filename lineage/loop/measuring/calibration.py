"""Thresholds from what chance alone does: generation 0 writes K times.

Nothing has changed between those K draws but the seed, so how much a gate's value
varies among them is noise. A threshold stands where 99 % of such draws pass, with
a confidence of 95 %: at mean -+ k s, with the tolerance factor k of `intervals`
beside this module. It is a two-sided factor, so a one-sided threshold errs on the
wide side. Where a gate compares with a reference, each draw is compared with
the next, the last with the first. Nothing is trained: how models vary is not seen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lineage.errors import UsageError
from lineage.loop.measuring.draws import draw
from lineage.loop.measuring.intervals import deviation, tolerance_factor
from lineage.loop.running import changes, journal, runner
from lineage.loop.running.progress import Progress
from lineage.loop.spec import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lineage.loop.measuring.draws import Verdict
    from lineage.loop.spec import LoopSpec
    from lineage.loop.spec.gates import GateSection
    from lineage.registry import Registry

COVERAGE, CONFIDENCE = 0.99, 0.95
FEWEST = 3
_DIGITS = 3


class Proposal(NamedTuple):
    """A threshold, what it bounds in each draw, and where it would stand.

    `proposed` is None, with a reason, where the draws do not say.
    """

    gate: str
    type: str
    field: str
    end: str
    values: list[float]
    mean: float | None
    sd: float | None
    current: float | None
    proposed: float | None
    why: str


@dataclass(frozen=True, slots=True)
class Calibration:
    """What came of it: the generation that wrote, the event, a line per threshold."""

    loop: str
    generation: str
    seeds: int
    event: str
    proposals: list[Proposal]

    @property
    def source(self) -> str:
        """What `threshold_from` says."""
        return (
            f"calibrated: {self.seeds} seeds of generation 0, event {self.event[:12]}"
        )

    def changes(self) -> dict[str, dict[str, Any]]:
        """What would change in `loop.yaml`, by the gate's id."""
        found: dict[str, dict[str, Any]] = {}
        for each in self.proposals:
            if each.proposed is not None:
                found.setdefault(each.gate, {})[each.field] = each.proposed
        return {gate: f | {"threshold_from": self.source} for gate, f in found.items()}


def calibrate(
    registry: Registry,
    spec_path: str | Path,
    *,
    seeds: int = 5,
    progress: Progress | None = None,
) -> Calibration:
    """Let generation 0 write `seeds` times and see how the gates' values vary.

    Generation 0 is made where the loop has none. An event `calibration` about it
    has every value; no dataset is kept.

    Raises:
        UsageError: no gate can be calibrated, or the spec is not the branch's.
        LineageError: the generate step failed, or another runner has the loop.
    """
    if seeds < FEWEST:
        message = f"{seeds} seeds say too little of how values vary"
        raise UsageError(message, hint=f"take {FEWEST} or more")
    spec = load(Path(spec_path))
    sections = {s.id: s for s in spec.gates if s.calibrates}
    if not sections:
        message = f"{spec_path} has no gate whose threshold chance could set"
        raise UsageError(message, hint="diversity, drift or group_rate are some")
    first = _generation_0(registry, spec, spec_path, progress)
    verdicts = draw(registry, spec, first, seeds, progress or Progress())
    lines = [
        proposal
        for id_, section in sections.items()
        for proposal in _proposals(section, verdicts[id_])
    ]
    data = {"loop": spec.name, "generation": 0, "seeds": seeds}
    data |= {"coverage": COVERAGE, "confidence": CONFIDENCE}
    rows = [{k: v for k, v in x._asdict().items() if v is not None} for x in lines]
    message = f"{seeds} draws of generation 0 of {spec.name}"
    event = registry.attest(
        "calibration",
        subject=first.id,
        message=message,
        data=data | {"thresholds": rows},
    )
    return Calibration(spec.name, first.id, seeds, event, lines)


def _generation_0(
    registry: Registry,
    spec: LoopSpec,
    path: str | Path,
    progress: Progress | None,
) -> journal.Parts:
    """Generation 0 of the loop's branch, made where there is none."""
    known = journal.read(registry, spec.name).generations
    if not known:
        runner.run(registry, path, progress=progress, generations=0)
        known = journal.read(registry, spec.name).generations
    past = [journal.parts(registry, id_) for id_ in known]
    changes.check(registry, spec, past)
    return past[0]


def _proposals(section: GateSection, verdicts: Sequence[Verdict]) -> Iterable[Proposal]:
    """A line for each threshold of a gate."""
    rows = [section.bounded(value, details) for value, details in verdicts]
    for field, end in section.calibrates.items():
        values = [value for row in rows if (value := row.get(field)) is not None]
        proposed, why = None, "not every draw has a value"
        mean = sd = None
        if len(values) == len(rows):
            mean, sd = math.fsum(values) / len(values), deviation(values)
            proposed, why = _proposed(section, field, end, values)
        yield Proposal(
            gate=section.id,
            type=section.type,
            field=field,
            end=end,
            values=values,
            mean=mean,
            sd=sd,
            current=getattr(section, field),
            proposed=proposed,
            why=why,
        )


def _proposed(
    section: GateSection, field: str, end: str, values: list[float]
) -> tuple[float | None, str]:
    """Where a threshold would stand; a ratio varies by factors, so in its logarithm."""
    logs = section.ratio and all(value > 0 for value in values)
    row = list(map(math.log, values)) if logs else values
    spread = tolerance_factor(len(row), COVERAGE, CONFIDENCE) * deviation(row)
    if not spread:
        return None, "every draw has the same value"
    mean = math.fsum(row) / len(row)
    bound = mean - spread if end == "min" else mean + spread
    limit = _outward(math.exp(bound) if logs else bound, end)
    fitting = _inside(limit, type(section).model_fields[field].metadata)
    if fitting is None:
        return None, f"draws vary so much that {field} would be {limit:g}"
    return fitting, ""


def _outward(value: float, end: str) -> float:
    """Three digits, rounded to the side that lets more pass."""
    if not value:
        return value
    digits = _DIGITS - 1 - math.floor(math.log10(abs(value)))
    rounding = math.floor if end == "min" else math.ceil
    scale = 10.0**digits
    return round(rounding(value * scale) / scale, max(digits, 0))


def _inside(value: float, limits: Iterable[Any]) -> float | None:
    """A value moved to where the field's own limits are; None past an open one."""
    for limit in limits:
        value = max(value, getattr(limit, "ge", value))
        value = min(value, getattr(limit, "le", value))
        above, below = getattr(limit, "gt", None), getattr(limit, "lt", None)
        if (above is not None and value <= above) or (
            below is not None and value >= below
        ):
            return None
    return value


def write(path: Path, changes_: Mapping[str, Mapping[str, Any]]) -> bool:
    """Put thresholds into `loop.yaml`, comments and all else as they were.

    Returns:
        Whether it could; the file is as it was where its form is too unusual.
    """
    from lineage.loop.spec.edit import edited
    from lineage.store.disk import write_atomically

    before = path.read_bytes()
    after = edited(before, path, changes_)
    if after is None:
        return False
    write_atomically(path, after)
    return True
