"""Two-sided diversity against what was written first with the same sampling.

That is generation 0's own samples, unless a branch has changed the sampling. Not
the human data: a small generation 0 sits far from them to begin with, and the
question is what the loop changes. Two-sided, because a loop can lose
diversity or drift into noise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, model_validator

from lineage.loop.gates.base import Context, GateResult
from lineage.loop.measuring.measures import OF_SAMPLE, Corpus
from lineage.loop.spec.errors import refuse
from lineage.loop.spec.gates import DatasetGateSection
from lineage.wording import apart, fixed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lineage.loop.spec import LoopSpec


class DiversitySpec(DatasetGateSection):
    """Two-sided diversity against generation 0's own samples."""

    thresholds: ClassVar[tuple[str, ...]] = ("min", "max")
    why: ClassVar[str] = "a convention: a fifth less, or a quarter more, is a change"
    calibrates: ClassVar[Mapping[str, str]] = {"min": "min", "max": "max"}
    ratio: ClassVar[bool] = True
    type: Literal["diversity"]
    measure: Literal[
        "distinct_1", "distinct_2", "unigram_entropy", "compression_ratio"
    ] = "distinct_2"
    """What is compared with generation 0's own samples."""
    min: float = Field(default=0.8, ge=0)
    """The smallest ratio."""
    max: float = Field(default=1.25, gt=0)
    """The largest ratio."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min >= self.max:
            refuse(f"min {self.min} must be less than max {self.max}")
        return self


class Diversity:
    """The ratio of a measure to its value on the reference.

    Both are taken on samples of the same size: `evaluation.sample_size` tokens, or
    what the smaller of the two has.
    """

    Section = DiversitySpec
    on: Literal["dataset"] = "dataset"

    def __init__(self, section: DiversitySpec, _: LoopSpec) -> None:
        self.id = section.id
        self._section = section

    def check(self, context: Context) -> GateResult:
        """Compare the records with the reference."""
        section = self._section
        size, value, reference = self._measure(context)
        ratio = value / reference if reference else None
        passed = ratio is not None and section.min <= ratio <= section.max
        return GateResult(
            id=self.id,
            type=section.type,
            passed=passed,
            value=ratio,
            bounds={"min": section.min, "max": section.max},
            action=section.action,
            sentence=self._sentence(ratio, first=context.reference is None),
            threshold_from=section.threshold_source,
            details={
                "measure": section.measure,
                "here": value,
                "reference": reference,
                "n": size,
            },
        )

    def _measure(self, context: Context) -> tuple[int, float, float]:
        texts = context.texts
        new = Corpus(texts, context.tokenize(texts))
        old = new
        if context.reference is not None:
            before = [record["text"] for record in context.reference]
            old = Corpus(before, context.tokenize(before))
        size = min(context.sample_size, new.size, old.size)
        measure = OF_SAMPLE[self._section.measure]
        here, there = (measure(c.sample(size, context.seed)) for c in (new, old))
        return size, here.value, there.value

    def _sentence(self, ratio: float | None, *, first: bool) -> str:
        section = self._section
        if ratio is None:
            return f"the reference has nothing that has a {section.measure}"
        if first:
            return f"written first with this sampling: the reference for {self.id}"
        here, low, high = apart(fixed, 2, ratio, section.min, section.max)
        return (
            f"{section.measure} is {here} times the reference's; "
            f"{low} to {high} is allowed"
        )
