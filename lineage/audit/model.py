"""The report as typed data: what every format renders and none adds to.

Every `Field` is ``recorded`` (the registry holds it: `commit` or `event` says
where), ``stated`` (a person said so: `by` and `time` say who and when) or
``not provided``. A None elsewhere means not provided as well. docs/report.md
describes the same shape as JSON.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Generic, Literal, TypeVar

from lineage.store.canonical import Json

SCHEMA_VERSION = 1

T = TypeVar("T")
Status = Literal["recorded", "stated", "not provided"]
STATUSES: tuple[Status, ...] = ("recorded", "stated", "not provided")


@dataclass(frozen=True, slots=True)
class Field(Generic[T]):
    """One value and how the report comes to know it."""

    status: Status
    value: T | None = None
    commit: str | None = None
    event: str | None = None
    by: str | None = None
    time: str | None = None


NOT_PROVIDED: Field[Json] = Field("not provided")


@dataclass(frozen=True, slots=True)
class AsOf:
    """The newest event that the report knows of."""

    event: str
    time: str
    type: str


@dataclass(frozen=True, slots=True)
class Source:
    """An edge from an artifact to what it came from.

    `share` is ``{"records": [a, b]}`` and/or ``{"tokens": [a, b]}``: a of the b
    that the artifact has came from here. `origin` is what the source's own commit
    says: ``human``, ``machine``, ``mixed``, ``unknown``, or ``derived`` for data
    made from other data. Where records do not travel, `share` is None.
    """

    role: str
    id: str
    kind: str
    name: str
    origin: str | None
    evidence: Field[str]
    share: Field[Mapping[str, list[int]]] | None


@dataclass(frozen=True, slots=True)
class Measurement:
    """A metric as the commit `commit` records it."""

    name: str
    value: float
    definition: str | None
    version: int | None
    direction: str | None
    n: int | None
    interval: list[float] | None
    commit: str


@dataclass(frozen=True, slots=True)
class Artifact:
    """One commit with everything that is recorded or stated of it.

    `bytes` is ``{"state", …}``: ``stored``, ``hashed only``, ``erased`` or ``erased in
    part`` with count, size and hashes (and who erased them as ``told``), ``elsewhere``
    with what is known of the place, or ``no files``. `origin`
    says where data or a model from outside come from, `origin_class` what that
    makes of data (see `Source`). The rest is None where there is nothing.
    """

    id: str
    git: str
    kind: str
    name: str
    generation: int
    event: str
    time: str
    by: str
    branches: tuple[str, ...]
    tags: tuple[str, ...]
    message: Field[str] | None
    bytes: Field[Mapping[str, Json]]
    origin_class: str | None
    origin: Mapping[str, Field[Json]]
    sources: tuple[Source, ...]
    params: Field[Mapping[str, Json]] | None
    metrics: tuple[Measurement, ...]
    code: Field[Mapping[str, Json]] | None
    circumstances: Field[Mapping[str, Json]] | None
    further: Mapping[str, Json]


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
class Statement:
    """What somebody said of a commit later: a review, a failure, another attestation.

    A review's `data` has ``verdict``, ``by``, ``note`` and ``override``.
    """

    event: str
    type: str
    time: str
    by: str
    subject: str | None
    message: str
    data: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Training:
    """What `model` was trained on, its records counted by origin.

    `counts` adds up, exactly, the shares on the edges `role` of the commit `made`:
    the one dataset that was mixed for the model, or else the model itself. It is
    None when one of them has no share, or when they do not speak of the same
    total. `unaccounted` is the part of `records` that no source covers.
    """

    model: str
    made: str
    role: str
    records: int | None
    counts: Mapping[str, int] | None
    unaccounted: int | None


@dataclass(frozen=True, slots=True)
class Written:
    """A dataset that a model wrote: by which model, and how much of it was kept."""

    dataset: str
    generators: tuple[Source, ...]
    generated: Field[float]
    rejected: Field[float]
    kept: Field[float]


@dataclass(frozen=True, slots=True)
class Generation:
    """One turn of the loop; `id` is its artifact's, `reason` why it was rejected.

    `metrics` are its own, and those of its new parts that leave no doubt which.
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
    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """The loop that the subject is part of, as far as the report goes.

    `later` generations follow the last one that the report covers; the subject is
    included in the generations `also_in` as well.
    """

    name: str
    branches: tuple[str, ...]
    later: int
    also_in: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Override:
    """An approval of what the gates `failed` had against it, or past `budgets`."""

    event: str
    subject: str
    by: str
    time: str
    reason: str
    failed: tuple[str, ...]
    budgets: Mapping[str, Json]


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
class Gap:
    """Something that is not recorded, and the commits that lack it."""

    what: str
    where: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a report says.

    `generations` come in order, oldest first; `rejected` are the turns of the loop
    that were not followed; `artifacts` are all commits that the report speaks of,
    in the order in which they were recorded.
    """

    as_of: AsOf
    subject: str
    loop: Loop | None
    oversight: Oversight | None
    generations: tuple[Generation, ...]
    rejected: tuple[Generation, ...]
    measures: tuple[Measure, ...]
    training: tuple[Training, ...]
    written: tuple[Written, ...]
    artifacts: tuple[Artifact, ...]
    statements: tuple[Statement, ...]
    gaps: tuple[Gap, ...]
    schema_version: int = SCHEMA_VERSION

    @property
    def coverage(self) -> dict[Status, int]:
        """How many fields of the artifacts are recorded, stated and not provided."""
        counts = dict.fromkeys(STATUSES, 0)
        for field in _fields(self.artifacts):
            counts[field.status] += 1
        return counts


def _fields(value: object) -> Iterator[Field[object]]:
    if isinstance(value, Field):
        yield value
    elif is_dataclass(value):
        for field in fields(value):
            yield from _fields(getattr(value, field.name))
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _fields(item)
    elif isinstance(value, tuple):
        for item in value:
            yield from _fields(item)
