"""What a gate gets and what it says."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lineage.loop.shards import Record


@dataclass(frozen=True, slots=True)
class Context:
    """What a gate can look at.

    `records` are the new ones that no gate has dropped yet; `human` are the texts
    of the human training records; `reference` are the records that were written
    first with the same sampling, less those that the same gates drop, or None
    where these very records are those. `sample_size` counts tokens; `seed` is the
    loop's.
    """

    records: Sequence[Record]
    human: Sequence[str]
    reference: Sequence[Record] | None
    tokenize: Callable[[Sequence[str]], Sequence[Sequence[int]]]
    sample_size: int
    seed: int

    @property
    def texts(self) -> list[str]:
        """The texts of the records."""
        return [record["text"] for record in self.records]

    def only(self, rows: Sequence[int]) -> Context:
        """The same with some of the records."""
        return replace(self, records=[self.records[row] for row in rows])


@dataclass(frozen=True, slots=True)
class GateResult:
    """A gate's verdict, recorded whichever way it goes.

    `value` is what was compared with `bounds` ("min", "max"), None where there was
    nothing to compare; `rejected` maps rows of the context's records to reasons;
    `details` are more facts, as reproducible as the value.
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

    @property
    def verdict(self) -> str:
        """`pass` or `fail`."""
        return "pass" if self.passed else "fail"

    def to_json(self) -> dict[str, Any]:
        """The verdict as a manifest's `gates` hold it: reproducible facts only."""
        facts = {
            "id": self.id,
            "type": self.type,
            "on": "dataset",
            "verdict": self.verdict,
            "action": self.action,
            "value": self.value,
            "rejected": len(self.rejected),
            "sentence": self.sentence,
            **self.bounds,
            **self.details,
        }
        return {key: value for key, value in facts.items() if value is not None}


class Gate(Protocol):
    """A check that new records must pass.

    Made once per run from its section of the spec, so that a lexicon or a checks
    file that cannot be used is found before anything is generated.
    """

    id: str

    def check(self, context: Context) -> GateResult:
        """Judge the records; never raises for what a record holds."""
