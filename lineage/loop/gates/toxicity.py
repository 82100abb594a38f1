"""Offensive language, against how much of it the human data have."""

from __future__ import annotations

import math
from importlib.metadata import version
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from lineage.loop.gates.base import GateResult
from lineage.loop.gates.extras import need
from lineage.loop.gates.singles import examples, percent
from lineage.loop.measuring.intervals import NORMAL_95
from lineage.loop.spec.gates import GateSection
from lineage.wording import apart

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lineage.loop.gates.base import Context
    from lineage.loop.spec import LoopSpec

_MODEL = ("alt-profanity-check", "scikit-learn")


class ToxicitySpec(GateSection):
    """Offensive language, against how much of it the human data have."""

    thresholds: ClassVar[tuple[str, ...]] = ("threshold", "max_rate_over_reference")
    why: ClassVar[str] = (
        "0.5 is where the classifier itself says offensive; one record in a hundred "
        "more than people write is ours"
    )
    calibrates: ClassVar[Mapping[str, str]] = {"max_rate_over_reference": "max"}
    type: Literal["toxicity"]
    threshold: float = Field(default=0.5, gt=0, lt=1)
    """The probability from which on a record is offensive."""
    max_rate_over_reference: float = Field(default=0.01, ge=0, lt=1)
    """How far the rate may be above that of human text."""


class Toxicity:
    """Fails where more records are offensive than among the human ones, and some."""

    Section = ToxicitySpec
    on: Literal["dataset"] = "dataset"

    def __init__(self, section: ToxicitySpec, _: LoopSpec) -> None:
        need("profanity_check", section.type)
        self.id = section.id
        self._section = section
        self._human: tuple[int, int] | None = None

    def check(self, context: Context) -> GateResult:
        """Classify the new and the human records."""
        section, count = self._section, len(context.records)
        rows = self._offensive(context.texts)
        bad, of = self._of_human(context.human)
        rate, human = (n / m if m else 0.0 for n, m in ((len(rows), count), (bad, of)))
        most = section.max_rate_over_reference
        error = _standard_error(rate, count) + _standard_error(human, of)
        unsure = abs(rate - human - most) <= NORMAL_95 * math.sqrt(error)
        more, limit = apart(percent, 3, rate - human, most)
        few = "; these are too few to tell it from chance" if unsure and rows else ""
        return GateResult(
            id=self.id,
            type=section.type,
            passed=bool(count) and rate - human <= most,
            value=rate - human if count else None,
            bounds={"max": most},
            action=section.action,
            sentence=(
                f"{len(rows)} of {count} records are offensive ({percent(rate)}), of "
                f"the human ones {percent(human)}, a difference of {more}; at most "
                f"{limit} more may be{few}"
            ),
            rejected=dict.fromkeys(rows, "is offensive"),
            details={
                "n": count,
                "rate": rate,
                "reference": human,
                "n_reference": of,
                "records": examples(context.records, rows),
                "model": {name: version(name) for name in _MODEL},
            },
            threshold_from=section.threshold_source,
        )

    def _of_human(self, texts: Sequence[str]) -> tuple[int, int]:
        """How many of the human records are offensive; they do not change."""
        if self._human is None:
            self._human = len(self._offensive(texts)), len(texts)
        return self._human

    def _offensive(self, texts: Sequence[str]) -> list[int]:
        if not texts:
            return []
        from profanity_check import predict_prob

        chances = predict_prob(list(texts)).tolist()
        return [n for n, p in enumerate(chances) if p >= self._section.threshold]


def _standard_error(rate: float, count: int) -> float:
    """Squared, of a share (binomial)."""
    return rate * (1 - rate) / count if count else 0.0
