"""Fabrication: how many of the claims that can be checked are wrong.

Where a verifier or ground truth exists, this is a hallucination rate, not an estimate
of one. Its 95 % interval is Wilson's (1927, J. Am. Stat. Assoc. 22:209).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from lineage.loop.gates.base import GateResult
from lineage.loop.gates.singles import examples, percent
from lineage.loop.gates.verifying import Truth, Verified, Verifier
from lineage.loop.measuring.definitions import MEASURES
from lineage.loop.measuring.intervals import wilson
from lineage.loop.spec.errors import refuse
from lineage.loop.spec.gates import GateSection
from lineage.wording import apart

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lineage.loop.gates.base import Context
    from lineage.loop.records.shards import Record
    from lineage.loop.spec import LoopSpec

_NAME = "fabrication_rate"


class FabricationSpec(GateSection):
    """How many of the claims that can be checked are wrong."""

    files: ClassVar[tuple[str, ...]] = ("verifier", "truth")
    thresholds: ClassVar[tuple[str, ...]] = ("max", "max_over_reference")
    why: ClassVar[str] = (
        "data of which half are wrong are worth nothing even to a filter that does not "
        "err (Feng et al. 2024, arXiv:2406.07515); the rise is ours"
    )
    calibrates: ClassVar[Mapping[str, str]] = {"max_over_reference": "max"}
    type: Literal["fabrication"]
    verifier: str | None = Field(default=None, min_length=1)
    """A file whose function says what is true of a record."""
    truth: str | None = Field(default=None, min_length=1)
    """Instead: a `.jsonl` of right answers."""
    key: str = Field(default="prompt", min_length=1)
    """The field that has the question."""
    answer: str = Field(default="completion", min_length=1)
    """The field that has the answer."""
    max: float = Field(default=0.5, ge=0, le=1)
    """The largest rate of wrong claims."""
    max_over_reference: float = Field(default=0.1, ge=0, le=1)
    """How far the rate may be above that of what was written first."""

    @model_validator(mode="after")
    def _one_of_the_two(self) -> Self:
        if (self.verifier is None) == (self.truth is None):
            refuse("needs either a verifier or a file of truth")
        given = [k for k in ("key", "answer") if k in self.model_fields_set]
        if self.verifier and given:
            refuse("is for truth; a verifier looks at the whole record", given[0])
        return self

    def bounded(
        self, value: float | None, details: Mapping[str, Any]
    ) -> Mapping[str, float | None]:
        """The share how much it is above the reference's."""
        first = details.get("reference")
        over = None if value is None or first is None else value - first
        return {"max_over_reference": over}


class Fabrication:
    """Fails where too many claims are wrong, or more than at first."""

    Section = FabricationSpec
    on: Literal["dataset"] = "dataset"

    def __init__(self, section: FabricationSpec, spec: LoopSpec) -> None:
        self.id = section.id
        self._section = section
        self._verify = _verifier(section, spec)

    def check(self, context: Context) -> GateResult:
        """Check every claim of the new records, and of those written first."""
        here = self._verify(context.records)
        first = None if context.reference is None else self._verify(context.reference)
        rate, before = _rate(here), _rate(first) if first else None
        most = self._section.max
        if before is not None:
            most = min(most, before + self._section.max_over_reference)
        interval = _interval(here)
        return GateResult(
            id=self.id,
            type=self._section.type,
            passed=not here.broken and (rate is None or rate <= most),
            value=rate,
            bounds={"max": most},
            action=self._section.action,
            sentence=_sentence(here, rate, before, most, interval),
            rejected=dict.fromkeys(here.wrong, "is wrong"),
            details=self._details(context.records, here, first, interval),
            metrics={}
            if rate is None
            else {_NAME: MEASURES[_NAME].metric(rate, here.claims, interval)},
            threshold_from=self._section.threshold_source,
        )

    def _details(
        self,
        records: Sequence[Record],
        here: Verified,
        first: Verified | None,
        interval: list[float] | None,
    ) -> dict[str, Any]:
        return {
            "n": len(records),
            "claims": here.claims,
            "wrong": len(here.wrong),
            **({"interval": interval} if interval else {}),
            **(
                {"reference": _rate(first), "reference_claims": first.claims}
                if first
                else {}
            ),
            "records": examples(records, here.wrong),
            "broken": sum(here.broken.values()),
            "code": self._verify.code,
        }


def _verifier(section: FabricationSpec, spec: LoopSpec) -> Verifier | Truth:
    if section.verifier:
        return Verifier(spec, section.verifier)
    file = section.truth or ""
    return Truth(spec.content(file), spec.path(file), section.key, section.answer)


def _rate(verified: Verified) -> float | None:
    return len(verified.wrong) / verified.claims if verified.claims else None


def _interval(verified: Verified) -> list[float] | None:
    return wilson(len(verified.wrong), verified.claims) if verified.claims else None


def _sentence(
    here: Verified,
    rate: float | None,
    before: float | None,
    most: float,
    interval: list[float] | None,
) -> str:
    count = len(here.answers)
    if here.broken:
        reason = min(here.broken, key=lambda why: (-here.broken[why], why))
        broken = sum(here.broken.values())
        return f"the verifier itself broke on {broken} of {count} records: {reason}"
    if rate is None or interval is None:
        return f"none of {count} records makes a claim that can be checked"
    low, high = map(percent, interval)
    wrong, limit = apart(percent, 3, rate, most)
    first = "" if before is None else f", the reference's {percent(before)}"
    return (
        f"{len(here.wrong)} of {here.claims} claims are wrong: {wrong} "
        f"({low} to {high}){first}; at most {limit} is allowed"
    )
