"""Regression: any measure of a new generation against an earlier one.

A ratio or a difference, with the bounds that the measure's own direction asks for
unless others are given. A verdict is about the value; where the two have intervals
that overlap, its sentence says that chance may be all there is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, model_validator

from lineage.loop.gates.base import GateResult, ModelContext
from lineage.loop.measuring.definitions import MEASURES
from lineage.loop.spec.errors import refuse
from lineage.loop.spec.gates import DatasetGateSection
from lineage.wording import apart, general

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lineage.loop.spec import LoopSpec
    from lineage.store.objects import Metric

WORSE = 1.25  # times as bad, where nothing else is said
_LIMITS = ("min_ratio", "max_ratio", "min_difference", "max_difference")


class RegressionSpec(DatasetGateSection):
    """Any measure against the parent's or generation 0's."""

    thresholds: ClassVar[tuple[str, ...]] = _LIMITS
    why: ClassVar[str] = "a convention: a quarter worse is a change to look at"
    type: Literal["regression"]
    metric: str = Field(default="perplexity", min_length=1)
    """Any measure of the generation."""
    against: Literal["zero", "parent"] = "zero"
    """Generation 0, or the generation before."""
    min_ratio: float | None = Field(default=None, ge=0)
    """The smallest ratio."""
    max_ratio: float | None = Field(default=None, gt=0)
    """The largest ratio."""
    min_difference: float | None = None
    """Instead: the smallest difference."""
    max_difference: float | None = None
    """Instead: the largest difference."""

    @model_validator(mode="after")
    def _one_way_to_compare(self) -> Self:
        given = [name for name in _LIMITS if getattr(self, name) is not None]
        if len({name.partition("_")[2] for name in given}) > 1:
            refuse("compares by a ratio or by a difference, not by both")
        low, high = self.bounds.get("min"), self.bounds.get("max")
        if low is not None and high is not None and low >= high:
            refuse(f"the least allowed, {low:g}, must be less than the most, {high:g}")
        known = MEASURES.get(self.metric)
        if not given and (known is None or known.direction is None):
            what = f"{self.metric} has no direction of its own"
            refuse(f"{what}: say min_ratio, max_ratio or both")
        if self.against == "zero" and known and known.on == "dataset":
            what = f"{self.metric} is measured of what a model wrote"
            refuse(f"{what}, and generation 0 has none: say against: parent", "against")
        return self

    @property
    def by_ratio(self) -> bool:
        """Whether what is compared is a ratio."""
        return self.min_difference is None and self.max_difference is None

    @property
    def bounds(self) -> Mapping[str, float]:
        """The smallest and the largest value that passes, as far as there are such."""
        kind = "ratio" if self.by_ratio else "difference"
        ends = {end: getattr(self, f"{end}_{kind}") for end in ("min", "max")}
        given = {end: value for end, value in ends.items() if value is not None}
        lower = self.metric in MEASURES and MEASURES[self.metric].direction == "lower"
        return given or ({"max": WORSE} if lower else {"min": 1 / WORSE})


class Regression:
    """Fails when a measure moved further than is allowed."""

    Section = RegressionSpec
    on: Literal["model"] = "model"

    def __init__(self, section: RegressionSpec, _: LoopSpec) -> None:
        self.id = section.id
        self._section = section

    def judge(self, context: ModelContext) -> GateResult:
        """Compare the new value with the earlier one."""
        section = self._section
        name, whose = section.metric, _WHOSE[section.against]
        here = context.metrics.get(name)
        there = getattr(context, section.against).get(name)
        if here is None:
            return self._result(None, f"nothing has measured {name}", passed=False)
        if not context.zero:
            return self._result(None, f"{name} is {here.value:.4g}: the reference")
        if there is None:
            first = section.against == "parent" and context.parent == context.zero
            said = f"{whose} has no {name} to compare with"
            return self._result(None, said, passed=first)
        if not here.comparable(there):
            said = f"{name} is not measured as it was in {whose}"
            return self._result(None, said, passed=False)
        value = self._compared(here.value, there.value)
        if value is None:
            said = f"{name} of {whose} is 0, of which nothing is a multiple"
            return self._result(None, said, passed=False)
        return self._result(value, self._sentence(value, here, there), here, there)

    def _compared(self, here: float, there: float) -> float | None:
        if not self._section.by_ratio:
            return here - there
        if there:
            return here / there
        return None if here else 1.0

    def _sentence(self, value: float, here: Metric, there: Metric) -> str:
        section, whose = self._section, _WHOSE[self._section.against]
        shown = apart(general, 4, value, *section.bounds.values())[0]
        sign = "+" if value >= 0 else ""
        how = f"{shown} times" if section.by_ratio else f"{sign}{shown} from"
        what = (
            f"{section.metric} is {here.value:.4g}, {how} {whose}'s {there.value:.4g}"
        )
        chance = ""
        if not within(value, section.bounds) and _overlap(here, there):
            chance = "; their 95 % intervals overlap, so it may be chance"
        return f"{what}; {allowed(section.bounds)}{chance}"

    def _result(
        self,
        value: float | None,
        sentence: str,
        here: Metric | None = None,
        there: Metric | None = None,
        *,
        passed: bool = True,
    ) -> GateResult:
        section = self._section
        ends = {"here": here, "reference": there}
        return GateResult(
            id=self.id,
            type=section.type,
            passed=passed if value is None else within(value, section.bounds),
            value=value,
            bounds=section.bounds,
            action=section.action,
            sentence=sentence,
            details={
                "metric": section.metric,
                "against": section.against,
                **{name: m.to_json() for name, m in ends.items() if m is not None},
            },
            on="model",
            threshold_from=section.threshold_source,
        )


_WHOSE = {"zero": "generation 0", "parent": "the generation before"}


def within(value: float, bounds: Mapping[str, float]) -> bool:
    """Whether a value is inside its bounds, ends included."""
    return bounds.get("min", value) <= value <= bounds.get("max", value)


def allowed(bounds: Mapping[str, float]) -> str:
    """`at most 1.25 is allowed`."""
    low, high = bounds.get("min"), bounds.get("max")
    if low is None or high is None:
        ends = {"at least": low, "at most": high}
        words = (f"{word} {end:.4g}" for word, end in ends.items() if end is not None)
        return f"{next(words)} is allowed"
    return f"{low:.4g} to {high:.4g} is allowed"


def _overlap(here: Metric, there: Metric) -> bool:
    if here.interval is None or there.interval is None:
        return False
    return (
        here.interval[0] <= there.interval[1] and there.interval[0] <= here.interval[1]
    )
