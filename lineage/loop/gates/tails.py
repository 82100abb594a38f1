"""Tails: what a loop forgets first, while its average still looks well.

A model that trains on what models wrote loses the improbable: it predicts the
least usual texts worse, and writes fewer of the rare words (Shumailov et al. 2024,
Nature 631:755; Dohmatob et al. 2024, arXiv:2402.07043). Two looks at that, both
against generation 0: the 95th percentile of the held-out records' perplexities,
and the share of the human data's rare words that equally many words of a model's
own text have.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from lineage.loop.gates.base import GateResult, ModelContext
from lineage.loop.measuring.measures import tail_coverage, words
from lineage.loop.records.shards import read_texts, shards_of
from lineage.loop.seeds import order
from lineage.loop.spec.gates import DatasetGateSection
from lineage.wording import apart, fixed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lineage.loop.spec import LoopSpec
    from lineage.store.objects import Metric

_MEASURE = "perplexity_p95"


class TailsSpec(DatasetGateSection):
    """The tails of what a model predicts and writes, against generation 0's."""

    thresholds: ClassVar[tuple[str, ...]] = ("max_ratio", "min_coverage")
    why: ClassVar[str] = "a convention: a quarter worse, or a fifth fewer"
    type: Literal["tails"]
    max_ratio: float = Field(default=1.25, gt=0)
    """How much higher `perplexity_p95` may be."""
    min_coverage: float = Field(default=0.8, ge=0)
    """How much of the rare words must be left."""


class Tails:
    """Fails when the worst-predicted texts got worse, or rare words rarer."""

    Section = TailsSpec
    on: Literal["model"] = "model"

    def __init__(self, section: TailsSpec, _: LoopSpec) -> None:
        self.id = section.id
        self._section = section

    def judge(self, context: ModelContext) -> GateResult:
        """Compare both tails with generation 0's."""
        here, there = (each.get(_MEASURE) for each in (context.metrics, context.zero))
        if here is None:
            said = f"the evaluate step has not measured {_MEASURE}"
            return self._result(said, passed=False)
        if not context.zero:
            return self._result(f"{_MEASURE} is {here.value:.4g}: the reference")
        if there is None or not here.comparable(there):
            said = f"generation 0 has no {_MEASURE} to compare with"
            return self._result(said, passed=False)
        ratio = here.value / there.value
        coverage = _coverage(context)
        section, kept = self._section, coverage.get("ratio")
        return self._result(
            self._sentence(ratio, here, kept),
            ratio,
            {
                "here": here.to_json(),
                "reference": there.to_json(),
                "min_coverage": section.min_coverage,
                "coverage": coverage,
            },
            passed=ratio <= section.max_ratio
            and (kept is None or kept >= section.min_coverage),
        )

    def _sentence(self, ratio: float, here: Metric, kept: float | None) -> str:
        section = self._section
        times, most = apart(fixed, 2, ratio, section.max_ratio)
        said = (
            f"the worst-predicted twentieth of the held-out texts starts at a "
            f"perplexity of {here.value:.4g}, {times} times generation 0's; "
            f"at most {most} is allowed"
        )
        if kept is None:
            return said
        left, least = apart(fixed, 2, kept, section.min_coverage)
        return (
            f"{said}; the text has {left} times the rare words of what generation "
            f"0 wrote; at least {least} must be left"
        )

    def _result(
        self,
        sentence: str,
        value: float | None = None,
        details: dict[str, Any] | None = None,
        *,
        passed: bool = True,
    ) -> GateResult:
        section = self._section
        return GateResult(
            id=self.id,
            type=section.type,
            passed=passed,
            value=value,
            bounds={"max": section.max_ratio},
            action=section.action,
            sentence=sentence,
            details=details or {},
            on="model",
            threshold_from=section.threshold_source,
        )


def _coverage(context: ModelContext) -> dict[str, Any]:
    """The rare human words in equally many words of the new text and the first one.

    Nothing, where one of the two is not there or no human word is rare.
    """
    job = context.job
    if not job.inputs.keys() >= {"human", "synthetic", "reference"}:
        return {}
    human, *written = (
        list(read_texts(shards_of(job.inputs[role])))
        for role in ("human", "synthetic", "reference")
    )
    lists = [_shuffled_words(texts, job.spec.seed) for texts in written]
    size = min(map(len, lists))
    here, there = (tail_coverage(islice(each, size), human) for each in lists)
    found = {"here": here.value, "reference": there.value, "words": size}
    return found | ({"ratio": here.value / there.value} if there.value else {})


def _shuffled_words(texts: list[str], seed: int) -> list[str]:
    """The words of records in the seed's order."""
    turns: Iterable[int] = order(len(texts), seed, "tails")
    return list(words(texts[turn] for turn in turns))
