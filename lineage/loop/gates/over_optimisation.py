"""Over-optimisation: the reward goes up while what it stands for goes down.

A reward is a proxy. Selected or trained for it, records first become better by any
measure, then better by the proxy alone (Gao, Schulman and Hilton 2023,
arXiv:2210.10760: proxy against gold). So both are measured, on the new records and on
those that were written first with the same sampling, and compared by Welch's statistic
(1947, Biometrika 34:28)::

    z = (mean - mean_0) / √(s²/n + s_0²/n_0)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from lineage.loop.functions import load_function
from lineage.loop.gates.base import GateResult
from lineage.loop.measuring.intervals import NORMAL_95
from lineage.loop.records.rewards import as_number
from lineage.loop.spec.errors import refuse
from lineage.loop.spec.gates import DatasetGateSection
from lineage.wording import apart, fixed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lineage.loop.functions import RecordFunction
    from lineage.loop.gates.base import Context
    from lineage.loop.records.shards import Record
    from lineage.loop.spec import LoopSpec

Both = tuple["Scores | None", "Scores | None"]  # of the reward and of gold

_MOST = 1000.0  # standard errors, where there is no spread at all


class OverOptimisationSpec(DatasetGateSection):
    """The reward goes up while what it stands for goes down."""

    files: ClassVar[tuple[str, ...]] = ("reward", "gold")
    thresholds: ClassVar[tuple[str, ...]] = ("max_rise", "max_fall")
    why: ClassVar[str] = (
        "2 standard errors each way: by chance 5 in 10,000 where they are independent"
    )
    type: Literal["over_optimisation"]
    reward: str | None = Field(default=None, min_length=1)
    """`file.py` or `file.py:function`; else the records' own `reward`."""
    gold: str = Field(default="checks.py:verify_record", min_length=1)
    """What the reward stands for."""
    max_rise: float = Field(default=2.0, gt=0)
    """Standard errors that the reward may rise while the other falls."""
    max_fall: float = Field(default=2.0, gt=0)
    """Standard errors that the other may fall while the reward rises."""

    @model_validator(mode="after")
    def _two_measures(self) -> Self:
        if self.reward == self.gold:
            refuse("must be another function than reward", "gold")
        return self


@dataclass(frozen=True, slots=True)
class Scores:
    """What a function says of records: mean, squared standard error, how many."""

    mean: float
    error: float
    n: int

    @property
    def interval(self) -> list[float]:
        """95 %, by the normal approximation."""
        half = NORMAL_95 * math.sqrt(self.error)
        return [self.mean - half, self.mean + half]

    def to_json(self) -> dict[str, Any]:
        """As a verdict has it."""
        return {"mean": self.mean, "n": self.n, "interval": self.interval}


class OverOptimisation:
    """Fails where the reward rose and the gold measure fell, both beyond chance."""

    Section = OverOptimisationSpec
    on: Literal["dataset"] = "dataset"

    def __init__(self, section: OverOptimisationSpec, spec: LoopSpec) -> None:
        self.id = section.id
        self._section = section
        self._reward = (
            load_function(spec, section.reward, "score") if section.reward else None
        )
        self._gold = load_function(spec, section.gold, "verify_record")

    def check(self, context: Context) -> GateResult:
        """Score the records and those that were written first."""
        section, broken = self._section, list[str]()
        here = self._both(context.records, broken)
        first = (
            here if context.reference is None else self._both(context.reference, broken)
        )
        rise, fall = _z(here[0], first[0]), -_z(here[1], first[1])
        return GateResult(
            id=self.id,
            type=section.type,
            passed=not broken
            and None not in here
            and not (rise > section.max_rise and fall > section.max_fall),
            value=min(rise / section.max_rise, fall / section.max_fall),
            bounds={"max": 1.0},
            action=section.action,
            sentence=_nothing(here, first, broken)
            or _compared(here, first, (rise, fall), section),
            details={
                "n": len(context.records),
                "rise": rise,
                "fall": fall,
                "max_rise": section.max_rise,
                "max_fall": section.max_fall,
                "reward": _shown(here[0]),
                "gold": _shown(here[1]),
                "reference": {"reward": _shown(first[0]), "gold": _shown(first[1])},
                "broken": len(broken),
                "code": self._code(),
            },
            threshold_from=section.threshold_source,
        )

    def _both(self, records: Sequence[Record], broken: list[str]) -> Both:
        return (
            scores(records, self._reward, broken),
            scores(records, self._gold, broken),
        )

    def _code(self) -> dict[str, Any]:
        functions = {"reward": self._reward, "gold": self._gold}
        return {name: dict(f.code) for name, f in functions.items() if f}


def scores(
    records: Sequence[Record],
    function: RecordFunction | None,
    broken: list[str],
) -> Scores | None:
    """The mean of what a function says, or of the field `reward`; None for nothing.

    True counts as 1, False and an assertion that fails as 0, None as nothing said.
    What else is raised, or is no finite number (text is none), goes to `broken`.
    """
    found = [
        s for record in records if (s := _score(record, function, broken)) is not None
    ]
    if not found:
        return None
    mean = math.fsum(found) / len(found)
    spread = math.fsum((each - mean) ** 2 for each in found) / max(len(found) - 1, 1)
    return Scores(mean, spread / len(found), len(found))


def _score(
    record: Record,
    function: RecordFunction | None,
    broken: list[str],
) -> float | None:
    try:
        said = function(record) if function else record.get("reward")
        score = None if said is None else as_number(said)
    except AssertionError:
        return 0.0
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  (a user's code)
        broken.append(function.raised(error) if function else "a reward is no number")
        return None
    if score is not None and not math.isfinite(score):
        broken.append(f"a score is {score}")
        return None
    return score


def _z(here: Scores | None, first: Scores | None) -> float:
    """By how many standard errors a mean has risen."""
    if here is None or first is None or here.mean == first.mean:
        return 0.0
    error = math.sqrt(here.error + first.error)
    rise = here.mean - first.mean
    return (
        max(-_MOST, min(_MOST, rise / error)) if error else math.copysign(_MOST, rise)
    )


def _shown(scores: Scores | None) -> dict[str, Any] | None:
    return scores.to_json() if scores else None


def _nothing(here: Both, first: Both, broken: list[str]) -> str:
    """Why nothing was compared; empty where it was."""
    if broken:
        reason = min(broken, key=lambda why: (-broken.count(why), why))
        return f"on {len(broken)} records the reward or gold itself broke: {reason}"
    if None in here:
        what = "reward" if here[0] is None else "gold"
        return f"no record has a {what}, so nothing can be compared"
    if here is first:
        return "written first with this sampling: the reference for reward and gold"
    return ""


def _compared(
    here: Both, first: Both, z: tuple[float, float], section: OverOptimisationSpec
) -> str:
    reward = _moved(here[0], first[0], z[0], section.max_rise)
    gold = _moved(here[1], first[1], -z[1], section.max_fall)
    return (
        f"the reward {reward} while what it stands for {gold}; up by at most "
        f"{section.max_rise:g} or down by at most {section.max_fall:g} is allowed"
    )


def _moved(here: Scores | None, first: Scores | None, z: float, most: float) -> str:
    """`rose from 0.31 to 0.52, by 6.2 standard errors`."""
    assert here is not None
    how = "rose" if z > 0 else "fell" if z < 0 else "stayed"
    was, by = first.mean if first else here.mean, apart(fixed, 1, abs(z), most)[0]
    return f"{how} from {was:.3g} to {here.mean:.3g}, by {by} standard errors"
