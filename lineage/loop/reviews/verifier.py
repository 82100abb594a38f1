r"""The audit of the filter: does what keeps records still tell right from wrong?

A person labels some records of both strata, kept and dropped, as right or wrong.
With R and W the right and wrong records of each stratum,

    phi = P(keep | right) = R_kept / (R_kept + R_dropped)
    psi = P(keep | wrong) = W_kept / (W_kept + W_dropped)
    p   = (W_kept + W_dropped) / all            the error rate of what was written
    p*  = 1 / (1 + psi / phi)                   the break-down point

Above p* filtered data lead a model astray, below it they help (Feng et al. 2024,
arXiv:2406.07515). Where that comes from: p < p* is p psi < (1 - p) phi, which says
that fewer wrong records are kept than right ones.

Labels are drawn by stratum, so a share of the labels is no share of the records:
each stratum is estimated from its own labels and weighs as many records as it has.
Of n labels r right, in a stratum of N records, the unlabelled ones hold
BetaBinomial(N - n, r + 1/2, n - r + 1/2) right ones: Jeffreys' prior (Brown, Cai and
DasGupta 2001, Statistical Science 16:101), for a stratum of finite size. Intervals
are equal-tailed, 95 %, over all pairs of quantiles of the two strata; nothing is
drawn by chance, so the same labels give the same numbers.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import accumulate
from math import exp, lgamma, log
from typing import TYPE_CHECKING, Literal, NamedTuple

from lineage.wording import in_percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

State = Literal["safe", "unsure", "gone", "unknown"]
_NODES = 100  # quantiles of each stratum
_FINEST = 20_000  # records that a stratum's distribution is resolved to
_TAIL = 0.025


class Stratum(NamedTuple):
    """So many records, so many of them labelled, so many of those right.

    Of several generations together the labels are as many as a simple random sample
    would need to tell as much: no whole number then.
    """

    records: int
    labelled: float
    right: float


class Estimate(NamedTuple):
    """A value and its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Audit:
    """What labels say of a filter; the estimates are None where they say nothing.

    `state` is ``safe`` when the whole interval of the margin p* - p is above 0,
    ``unsure`` when it reaches 0, ``gone`` when the margin itself is not above 0, and
    ``unknown`` without labels in each stratum that has records.
    """

    kept: Stratum
    dropped: Stratum
    keeps_right: Estimate | None = None
    keeps_wrong: Estimate | None = None
    error_rate: Estimate | None = None
    break_down: Estimate | None = None
    margin: Estimate | None = None

    @property
    def state(self) -> State:
        if self.margin is None:
            return "unknown"
        if self.margin.value <= 0:
            return "gone"
        return "unsure" if self.margin.low <= 0 else "safe"

    @property
    def sentence(self) -> str:
        """The state in words."""
        return _WORDS[self.state].format(*self._figures())

    def _figures(self) -> Sequence[str]:
        if self.error_rate is None or self.break_down is None:
            return ()
        return [in_percent(one.value, 0) for one in (self.error_rate, self.break_down)]


_WORDS: dict[State, str] = {
    "safe": "{} of what the model writes is wrong; the filter copes with up to {}",
    "unsure": "{} of what the model writes is wrong and the filter copes with up to "
    "{}, as far as so few labels can tell",
    "gone": "{} of what the model writes is wrong, and the filter copes with {} only: "
    "it no longer keeps more right records than wrong ones",
    "unknown": "too few labels: kept and dropped records, drawn at random, need some",
}


class _Figures(NamedTuple):
    keeps_right: float
    keeps_wrong: float
    error_rate: float
    break_down: float
    margin: float


def audit(kept: Stratum, dropped: Stratum) -> Audit:
    """Judge a filter by its labels."""
    strata = (kept, dropped)
    if not kept.records or any(s.records and not s.labelled for s in strata):
        return Audit(kept, dropped)
    records = kept.records, dropped.records
    point = _figures(*records, *(_share(s) * s.records for s in strata))
    nodes = [_nodes(s) for s in strata]
    found = [_figures(*records, a, b) for a in nodes[0] for b in nodes[1]]
    columns = zip(point, zip(*found, strict=True), strict=True)
    return Audit(kept, dropped, *(_estimate(value, all_) for value, all_ in columns))


def _share(stratum: Stratum) -> float:
    return stratum.right / stratum.labelled if stratum.labelled else 0.0


def _figures(kept: int, dropped: int, right: float, lost: float) -> _Figures:
    """All figures where so many of the kept records are right, and of the dropped."""
    false, wrong = kept - right, (kept - right) + (dropped - lost)
    phi = right / (right + lost) if right + lost else 0.0
    psi = false / wrong if wrong else 0.0
    rate = wrong / (kept + dropped)
    star = phi / (phi + psi)
    return _Figures(phi, psi, rate, star, star - rate)


def _estimate(value: float, found: Iterable[float]) -> Estimate:
    ordered = sorted(found)
    last = len(ordered) - 1
    low, high = ordered[round(_TAIL * last)], ordered[round((1 - _TAIL) * last)]
    return Estimate(value, min(low, value), max(high, value))


def _nodes(stratum: Stratum) -> list[float]:
    """How many right records a stratum may have: equally likely numbers."""
    left = stratum.records - stratum.labelled
    if left < 0.5:  # every record has a label
        return [_share(stratum) * stratum.records]
    draws = min(max(round(left), 1), _FINEST)
    a, b = stratum.right + 0.5, stratum.labelled - stratum.right + 0.5
    total = list(accumulate(_beta_binomial(draws, a, b)))
    marks = ((number + 0.5) / _NODES * total[-1] for number in range(_NODES))
    counts = (bisect_left(total, mark) for mark in marks)
    return [stratum.right + left * count / draws for count in counts]


def _beta_binomial(draws: int, a: float, b: float) -> list[float]:
    """The probabilities of 0 … `draws` successes, up to a common factor."""
    start = lgamma(draws + b) - lgamma(draws + a + b)
    logs = [start]
    for k in range(draws):
        up = log(draws - k) + log(a + k) - log(k + 1) - log(b + draws - k - 1)
        logs.append(logs[-1] + up)
    highest = max(logs)
    return [exp(one - highest) for one in logs]


def together(strata: Sequence[Stratum]) -> Stratum:
    """The same stratum of several generations, as one.

    Each label stands for as many records as its generation has for each label; that
    they are not equally many costs labels (Kish 1965, Survey Sampling, 11.7).
    """
    records = sum(s.records for s in strata)
    weights = [(s.records / s.labelled, s) for s in strata if s.labelled]
    if not weights:
        return Stratum(records, 0, 0)
    total = sum(w * s.labelled for w, s in weights)
    effective = total**2 / sum(w**2 * s.labelled for w, s in weights)
    share = sum(w * s.right for w, s in weights) / total
    return Stratum(records, effective, effective * share)
