"""Loops as a report has them: turns, checks, what they took, who looked after them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from lineage.audit.model.commits import MadeOf, Measurement, Source
from lineage.audit.model.events import Override, Statement
from lineage.audit.model.fields import Field
from lineage.store.canonical import Json


@dataclass(frozen=True, slots=True)
class Gate:
    """A check of a generation and its verdict; `bounds` are its thresholds."""

    id: str | None
    type: str | None
    on: str | None
    verdict: str | None
    value: Json
    bounds: Mapping[str, Json]
    action: str | None
    sentence: str | None
    rejected: Json
    details: Mapping[str, Json]
    commit: str


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a turn as the runner recorded it in `event`; None: it did not say.

    `part` is what it made, `commit` that or the model that it measured. A `reused` one
    was done in another turn, and took nothing here. `failed` ones made nothing.
    `seconds` are those of a clock, `cpu_seconds` of all cores, `peak_memory` bytes.
    """

    event: str
    step: str
    part: str | None
    commit: str | None
    reused: bool
    failed: bool
    seconds: float | None
    cpu_seconds: float | None
    peak_memory: int | None
    records: int | None
    tokens: int | None
    flops: int | None


@dataclass(frozen=True, slots=True)
class Compute:
    """What a turn generated, and what it took.

    `generated`, `rejected` and `kept` count records, those of all datasets that were
    written in it; `by_filter` says how many each gate rejected, by its id. Where two
    gates reject one record, each counts it. The rest are sums over the `steps` that
    were done in this turn; of `reused` ones nothing is added. None: nobody recorded it.
    """

    generated: float | None
    rejected: float | None
    kept: float | None
    by_filter: Mapping[str, int]
    seconds: float | None
    cpu_seconds: float | None
    tokens: int | None
    flops: int | None
    peak_memory: int | None
    reused: int
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Against:
    """A measure now and in generation `since`, where both mean the same by it.

    That is generation 0, or else the first that has it: what a model writes is measured
    from generation 1 on.

    `about` is ``diversity``, ``bias`` or ``quality``: what lineage's own definition
    of the measure is about; None for measures that it does not know.
    """

    name: str
    about: str | None
    since: int
    start: float
    now: float
    commit: str


@dataclass(frozen=True, slots=True)
class Generation:
    """One turn of the loop; `id` is its artifact's, `reason` why it was rejected.

    `metrics` are its own, and those of its new parts that leave no doubt which.
    `made_of` is what its model learned from, `compute` what the turn took, and
    `against_start` how its measures stand to those of generation 0.
    """

    id: str
    number: int
    status: Literal["accepted", "rejected"]
    follows: tuple[str, ...]
    reason: Field[str] | None
    parts: tuple[Source, ...]
    held_out: tuple[Source, ...]
    metrics: tuple[Measurement, ...]
    gates: tuple[Gate, ...]
    made_of: MadeOf | None
    compute: Compute | None
    against_start: tuple[Against, ...]
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Oversight:
    """What people saw of a loop, and what they let it do.

    Of the `generations` after generation 0, `reviewed` have a verdict that counts.
    Of the `generated` records `shown` were in packets that somebody decided on and
    `labelled` have a label. `seconds` are those from each request to its verdict.
    `budgets` are ``{name: {"spent", "limit"}}`` since the newest approval.
    `fallbacks` are generations with their parent's model; `reused` steps were taken
    over from another turn.
    """

    generations: int
    reviewed: int
    generated: int
    shown: int
    labelled: int
    seconds: tuple[float, ...]
    budgets: Mapping[str, Json]
    overrides: tuple[Override, ...]
    fallbacks: tuple[str, ...]
    reused: int


@dataclass(frozen=True, slots=True)
class Point:
    """A measure's value at one generation."""

    generation: str
    number: int
    value: float
    n: int | None
    interval: list[float] | None


@dataclass(frozen=True, slots=True)
class Measure:
    """A metric over the generations, as far as it is the same measure.

    `meaning` and `reference` are what lineage itself means by `definition` at
    `version`, None when it does not know it.
    """

    name: str
    definition: str | None
    version: int | None
    direction: str | None
    meaning: str | None
    reference: str | None
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop that a subject is part of, as far as the report goes.

    `generations` come in order, oldest first, up to the newest subject of this loop;
    `rejected` are the turns that were not followed. `later` generations follow the
    last one that the report covers; the subjects are included in the generations
    `also_in` as well.
    """

    name: str
    branches: tuple[str, ...]
    later: int
    also_in: tuple[str, ...]
    oversight: Oversight
    generations: tuple[Generation, ...]
    rejected: tuple[Generation, ...]
    measures: tuple[Measure, ...]

    @property
    def turns(self) -> tuple[Generation, ...]:
        """All generations, rejected ones last."""
        return (*self.generations, *self.rejected)
