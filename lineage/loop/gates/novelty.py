"""How much of what a model writes is new: neither copied from training nor noise.

The share of runs of words that are in no human record and in nothing that the
generation before was left with, as McCoy et al. 2023 (TACL 11:652) measure what a
model copies; and the longest run that is copied word for word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from lineage.loop.gates.base import GateResult
from lineage.loop.gates.singles import examples, percent
from lineage.loop.gates.sources import texts_of
from lineage.loop.records.runs import Shared, novelty, shared
from lineage.loop.spec.gates import DatasetGateSection
from lineage.wording import apart

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lineage.loop.gates.base import Context
    from lineage.loop.spec import LoopSpec


class NoveltySpec(DatasetGateSection):
    """How much of what is written is new: neither copied from training nor noise."""

    thresholds: ClassVar[tuple[str, ...]] = (
        "min",
        "max_over_reference",
        "max_copied_words",
    )
    why: ClassVar[str] = (
        "ours for the shares; 50 in a row, in tokens, is what Carlini et al. 2023, "
        "arXiv:2202.07646, call memorised"
    )
    calibrates: ClassVar[Mapping[str, str]] = {
        "min": "min",
        "max_over_reference": "max",
    }
    type: Literal["novelty"]
    words: int = Field(default=3, ge=1)
    """Words per run."""
    min: float = Field(default=0.1, ge=0, le=1)
    """The smallest share of new runs."""
    max_over_reference: float = Field(default=0.1, ge=0, le=1)
    """How far the share may be above the reference's."""
    max_copied_words: int = Field(default=50, ge=1)
    """Words that may be copied in a row."""

    def bounded(
        self, value: float | None, details: Mapping[str, Any]
    ) -> Mapping[str, float | None]:
        """The share itself, and how much it is above the reference's."""
        first = details.get("reference")
        over = None if value is None or first is None else value - first
        return {"min": value, "max_over_reference": over}


class Novelty:
    """Fails where too little is new, much more than at first, or too much is copied."""

    Section = NoveltySpec
    on: Literal["dataset"] = "dataset"

    def __init__(self, section: NoveltySpec, _: LoopSpec) -> None:
        self.id = section.id
        self._section = section

    def check(self, context: Context) -> GateResult:
        """Look for the records' runs of words in what the model was trained on."""
        section = self._section
        human = [text for _, text in texts_of(context, "human")]
        previous = [text for _, text in texts_of(context, "previous")]
        here = shared(context.texts, human + previous, section.words)
        value, first = here.novelty, None
        if context.reference is not None:
            before = [record["text"] for record in context.reference]
            first = novelty(before, human, section.words)
        reference = value if first is None else first
        most = min((reference or 0.0) + section.max_over_reference, 1.0)
        return GateResult(
            id=self.id,
            type=section.type,
            passed=value is not None
            and section.min <= value <= most
            and here.longest <= section.max_copied_words,
            value=value,
            bounds={"min": section.min, "max": most},
            action=section.action,
            sentence=self._sentence(here, first, most),
            details={
                "words": section.words,
                "n": here.runs,
                "new": here.new,
                "reference": reference,
                "longest_copy": here.longest,
                "max_copied_words": section.max_copied_words,
                "records": examples(context.records, [here.row] * (here.longest > 0)),
            },
            threshold_from=section.threshold_source,
        )

    def _sentence(self, here: Shared, first: float | None, most: float) -> str:
        section = self._section
        if here.novelty is None:
            return f"no record has {section.words} words"
        then = "" if first is None else f", of the reference's {percent(first)}"
        new, *ends = apart(percent, 3, here.novelty, section.min, most)
        return (
            f"{new} of the runs of {section.words} words are not in "
            f"the training data{then}; {' to '.join(ends)} may be; "
            f"the longest copy has {here.longest} words of at most "
            f"{section.max_copied_words}"
        )
