"""Commits as a report has them."""

from collections.abc import Mapping
from dataclasses import dataclass

from lineage.audit.model.fields import Field
from lineage.keys.signatures import Signature
from lineage.store.canonical import Json


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
    makes of data (see `Source`). `stated` is what people said of it later, by field.
    The rest is None where there is nothing. `signature` is that of `event`.
    """

    id: str
    git: str
    kind: str
    name: str
    generation: int
    event: str
    time: str
    by: str
    signature: Signature
    branches: tuple[str, ...]
    tags: tuple[str, ...]
    message: Field[str] | None
    bytes: Field[Mapping[str, Json]]
    origin_class: str | None
    origin: Mapping[str, Field[Json]]
    stated: Mapping[str, Field[str]]
    sources: tuple[Source, ...]
    params: Field[Mapping[str, Json]] | None
    metrics: tuple[Measurement, ...]
    code: Field[Mapping[str, Json]] | None
    circumstances: Field[Mapping[str, Json]] | None
    further: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Portion:
    """A share of records: rounded, and exactly, as ``numerator/denominator``.

    `exact` is None where that would be longer than anybody reads.
    """

    share: float
    exact: str | None


@dataclass(frozen=True, slots=True)
class Hops:
    """How often a model wrote between human data and what is made of them.

    On the `shortest` way and on the `longest`; `certain` where something came along
    one of these ways, however what nobody counted was mixed.
    """

    shortest: int
    longest: int
    certain: bool


@dataclass(frozen=True, slots=True)
class MadeOf:
    """What the training data of `model` are made of, through every generation.

    `human` and `machine` are what certainly is; `unknown` may be either. All count
    `unit`, of which there are `count`, None where nobody counted. `hops` is None where
    no way leads to human data.
    """

    model: str
    unit: str
    count: int | None
    human: Portion
    machine: Portion
    unknown: Portion
    hops: Hops | None


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
class Generator:
    """A model that wrote data of this report, by its content.

    `root` is the hash over its files (`digest` over those that lie elsewhere), `wrote`
    the datasets that are its own, `made_of` what its training data come from, None
    where nobody said: then `Artifact.origin` of `model` has what is stated.
    """

    model: str
    name: str
    root: str | None
    wrote: tuple[str, ...]
    made_of: MadeOf | None


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that is not recorded, and the commits that lack it."""

    what: str
    where: tuple[str, ...]
