"""Fairness of a classifier: what became of each group since generation 0.

Demographic parity alone is a trap. A loop that labels its own data with the likelier
class gives a minority fewer and fewer positives, and the difference between the
groups shrinks with them. So each group is held to what it had in generation 0 (how
many of its true positives are found, and how likely it is to be one at all), and
the differences between groups are looked at beside that: of true-positive rates
(equal opportunity, Hardt et al. 2016, arXiv:1610.02413), of selection rates
(demographic parity), and of both rates of error (equalized odds), by fairlearn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from lineage.errors import LineageError, UsageError
from lineage.loop.functions import identity, load_object, raised
from lineage.loop.gates.base import GateResult, ModelContext
from lineage.loop.gates.predictions import Predictions, Rates, rates, read_predictions
from lineage.loop.measuring.definitions import MEASURES
from lineage.loop.spec.files import parted
from lineage.loop.spec.gates import DatasetGateSection
from lineage.wording import apart, fixed, in_percent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lineage.loop.spec import LoopSpec
    from lineage.store.objects import Metric

_DIFFERENCES = {
    "max_tpr_gap_rise": "tpr_gap",
    "max_parity_rise": "demographic_parity_difference",
    "max_odds_rise": "equalized_odds_difference",
}
_WORDS = {
    "tpr_gap": "the gap of true-positive rates",
    "demographic_parity_difference": "the gap of selection rates",
    "equalized_odds_difference": "the gap of error rates",
}


class FairnessSpec(DatasetGateSection):
    """What a classifier does to each group, against generation 0."""

    files: ClassVar[tuple[str, ...]] = ("predict",)
    thresholds: ClassVar[tuple[str, ...]] = (
        "min_rate_ratio",
        "max_tpr_drop",
        *_DIFFERENCES,
    )
    why: ClassVar[str] = (
        "min_rate_ratio: four fifths (EEOC 1978, 29 CFR 1607.4 D), of a group's own "
        "rate in generation 0; the others: a convention, one in twenty"
    )
    type: Literal["fairness"]
    predict: str = Field(default="predict.py", min_length=1)
    """A file, or `file.py:function`, that classifies."""
    min_rate_ratio: float | None = Field(default=0.8, gt=0, le=1)
    """A group's share of positives over its own in generation 0, at least."""
    max_tpr_drop: float | None = Field(default=0.05, ge=0, le=1)
    """How much less of a group's true positives may be found."""
    max_tpr_gap_rise: float | None = Field(default=0.05, ge=0, le=1)
    """Growth of the largest difference of true-positive rates."""
    max_parity_rise: float | None = Field(default=0.05, ge=0, le=1)
    """Growth of the demographic parity difference."""
    max_odds_rise: float | None = Field(default=0.05, ge=0, le=1)
    """Growth of the equalized odds difference."""


class Fairness:
    """Fails when a group lost, or the differences between groups grew."""

    Section = FairnessSpec
    on: Literal["model"] = "model"

    def __init__(self, section: FairnessSpec, spec: LoopSpec) -> None:
        self.id = section.id
        self._section = section
        file, name = parted(section.predict)
        self._path, source = spec.path(file), spec.content(file)
        self._code = identity(source, self._path)
        self._predict = load_object(source, self._path, name or "predict")
        if not callable(self._predict):
            message = f"{self._path} has no function {name or 'predict'}"
            hint = "define: def predict(model, held_out): …"
            raise UsageError(f"{message}(model, held_out)", hint=hint)

    def judge(self, context: ModelContext) -> GateResult:
        """Compare every group's rates with what they were in generation 0."""
        inputs = context.job.inputs
        here = rates(self._predictions(inputs["model"], inputs["held_out"]))
        if "base" not in inputs:
            return self._result(here, {}, f"{_listed(here)}: the reference")
        there = rates(self._predictions(inputs["base"], inputs["held_out"]))
        looked = self._looked(here, there)
        faults = [each["said"] for each in looked.values() if not each["passed"]]
        said = "; ".join(faults) or f"{_listed(here)}, as in generation 0"
        return self._result(here, looked, said, there)

    def _predictions(self, model: Path, held_out: Path) -> Predictions:
        """What the user's function says, checked."""
        try:
            said = self._predict(model, held_out)
        except (LineageError, KeyboardInterrupt):
            raise
        except BaseException as error:
            raise LineageError(raised(self._path, error)) from error
        return read_predictions(said, self._path.name)

    def _looked(self, here: Rates, there: Rates) -> dict[str, dict[str, Any]]:
        """Each look at the groups that the section asks for, by its threshold."""
        section = self._section
        found = dict(self._group_looks(here, there))
        for field, name in _DIFFERENCES.items():
            most: float | None = getattr(section, field)
            now, then = here.differences[name], there.differences[name]
            if most is not None and now is not None and then is not None:
                more, allowed = apart(fixed, 3, now - then, most)
                said = f"{_WORDS[name]} went from {then:.3f} to {now:.3f}, "
                said += f"a rise of {more}; at most {allowed} is allowed"
                found[field] = _look(now - then, said, passed=now - then <= most)
        return found

    def _group_looks(
        self, here: Rates, there: Rates
    ) -> list[tuple[str, dict[str, Any]]]:
        """The group that lost most of its true positives, and of its share."""
        section, looks = self._section, []
        if section.max_tpr_drop is not None and (drops := _drops(here, there)):
            group = max(drops, key=lambda name: (drops[name], name))
            now, then = here.groups[group].tpr, there.groups[group].tpr
            fewer, most = apart(in_percent, 1, drops[group], section.max_tpr_drop)
            found, were = in_percent(now, 1), in_percent(then, 1)
            said = f"of the positives of {group} {found} are found, {were} were"
            said += f", a drop of {fewer}; at most {most} is allowed"
            passed = drops[group] <= section.max_tpr_drop
            looks.append(("max_tpr_drop", _look(drops[group], said, passed=passed)))
        least = section.min_rate_ratio
        if least is not None and (moved := _ratios(here, there)):
            group, what = min(moved, key=lambda key: (_inward(moved[key]), key))
            ratio = moved[group, what]
            times, *ends = apart(fixed, 2, ratio, least, 1 / least)
            said = f"the {what} of {group} is {times} times what it was; "
            said += f"{' to '.join(ends)} is allowed"
            passed = _inward(ratio) >= least
            looks.append(("min_rate_ratio", _look(ratio, said, passed=passed)))
        return looks

    def _result(
        self,
        here: Rates,
        looked: Mapping[str, Mapping[str, Any]],
        sentence: str,
        there: Rates | None = None,
    ) -> GateResult:
        section = self._section
        failed = sum(not each["passed"] for each in looked.values())
        return GateResult(
            id=self.id,
            type=section.type,
            passed=not failed,
            value=float(failed) if there else None,
            bounds={"max": 0.0},
            action=section.action,
            sentence=sentence,
            details={
                "code": self._code,
                "looked": {name: dict(each) for name, each in looked.items()},
                "groups": here.to_json(),
                **({"reference": there.to_json()} if there else {}),
            },
            metrics=self._metrics(here),
            on="model",
            threshold_from=section.threshold_source,
        )

    def _metrics(self, here: Rates) -> dict[str, Metric]:
        """The differences, called after the gate where it has an id of its own."""
        prefix = "" if self.id == self._section.type else f"{self.id}_"
        n = sum(group.n for group in here.groups.values())
        return {
            f"{prefix}{name}": MEASURES[name].metric(value, n)
            for name, value in here.differences.items()
            if value is not None
        }


def _look(value: float, said: str, *, passed: bool) -> dict[str, Any]:
    return {"value": value, "passed": passed, "said": said}


def _drops(here: Rates, there: Rates) -> dict[str, float]:
    """By how much the true-positive rate of each group fell."""
    return {
        name: there.groups[name].tpr - group.tpr
        for name, group in here.groups.items()
        if name in there.groups and group.positives and there.groups[name].positives
    }


def _ratios(here: Rates, there: Rates) -> dict[tuple[str, str], float]:
    """How each group's selection rate and mean score compare with what they were."""
    found = {}
    for name in here.groups.keys() & there.groups.keys():
        now, then = here.groups[name], there.groups[name]
        found[name, "share of positives"] = _ratio(now.selected, then.selected)
        if now.score is not None and then.score is not None:
            found[name, "mean score"] = _ratio(now.score, then.score)
    return found


def _ratio(now: float, then: float) -> float:
    """Of two rates; one that was 0 and is not any more is without end."""
    if then:
        return now / then
    return 1.0 if not now else 1e9


def _inward(ratio: float) -> float:
    """A ratio and its inverse are as far away: the one of them that is below 1."""
    return min(ratio, 1 / ratio) if ratio else 0.0


def _listed(here: Rates) -> str:
    """`F 6.7 %, M 22.1 % are predicted positive`."""
    groups = (
        f"{name} {in_percent(group.selected, 1)}" for name, group in here.groups.items()
    )
    return f"{', '.join(groups)} are predicted positive"
