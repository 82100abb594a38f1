"""What a gate gets and what it says."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

from lineage.loop.spec.gates import GATES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from lineage.loop.records.shards import Record
    from lineage.loop.steps.protocol import Job
    from lineage.store.objects import Metric


@dataclass(frozen=True, slots=True)
class Context:
    """What a gate on data can look at.

    `records` are the new ones that no gate has dropped yet; `human` are the texts
    of the human training records; `reference` are the records that were written
    first with the same sampling, less those that the same gates drop, or None
    where these very records are those. `sample_size` counts tokens; `seed` is the
    loop's. `inputs` are the folders of the check step, by role: `generated`,
    `human`, `held_out`, `base`, and where there are such `reference` and
    `previous`, what the generation before was left with.
    """

    records: Sequence[Record]
    human: Sequence[str]
    reference: Sequence[Record] | None
    tokenize: Callable[[Sequence[str]], Sequence[Sequence[int]]]
    sample_size: int
    seed: int
    inputs: Mapping[str, Path] = field(default_factory=dict)

    @property
    def texts(self) -> list[str]:
        """The texts of the records."""
        return [record["text"] for record in self.records]

    def only(self, rows: Sequence[int]) -> Context:
        """The same with some of the records."""
        return replace(self, records=[self.records[row] for row in rows])


@dataclass(frozen=True, slots=True)
class ModelContext:
    """What a gate on a model can look at.

    `metrics` are all that is measured of the new generation, `parent` and `zero`
    those of the generation before and of generation 0; both are empty in generation
    0 itself. `job` has the folders `model`, `held_out`, `human` and, from generation
    1 on, `base`, `parent`, `synthetic` and, from generation 2 on, `reference`, what
    was written first with the same sampling; it has the step's seed.
    """

    metrics: Mapping[str, Metric]
    parent: Mapping[str, Metric]
    zero: Mapping[str, Metric]
    job: Job


@dataclass(frozen=True, slots=True)
class GateResult:
    """A gate's verdict, recorded whichever way it goes.

    `value` is what was compared with `bounds` ("min", "max"), None where there was
    nothing to compare; `threshold_from` is where the bounds come from; `rejected`
    maps rows of the context's records to reasons; `details` are more facts, as
    reproducible as the value. `metrics` become the generation's, so that later ones
    can be compared with them.
    """

    id: str
    type: str
    passed: bool
    value: float | None
    bounds: Mapping[str, float]
    action: str
    sentence: str
    rejected: Mapping[int, str] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    on: Literal["dataset", "model"] = "dataset"
    threshold_from: str | None = None

    @property
    def verdict(self) -> str:
        """`pass` or `fail`."""
        return "pass" if self.passed else "fail"

    def to_json(self) -> dict[str, Any]:
        """The verdict as a manifest's `gates` hold it: reproducible facts only."""
        facts = {
            "id": self.id,
            "type": self.type,
            "from": GATES.origin(self.type),
            "on": self.on,
            "verdict": self.verdict,
            "action": self.action,
            "value": self.value,
            "rejected": len(self.rejected),
            "sentence": self.sentence,
            **self.bounds,
            "threshold_from": self.threshold_from,
            **self.details,
        }
        return {key: value for key, value in facts.items() if value is not None}


class Gate(Protocol):
    """A check that new records must pass.

    Made once per run from its section of the spec, so that a lexicon or a checks
    file that cannot be used is found before anything is generated. Its class has a
    `Section`, which checks the fields of `loop.yaml`.
    """

    id: str
    on: Literal["dataset"]

    def check(self, context: Context) -> GateResult:
        """Judge the records; never raises for what a record holds."""


class ModelGate(Protocol):
    """A check that a new model must pass, once it has been evaluated."""

    id: str
    on: Literal["model"]

    def judge(self, context: ModelContext) -> GateResult:
        """Judge the model; the result is `on` a model."""
