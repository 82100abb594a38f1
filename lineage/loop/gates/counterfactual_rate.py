"""Counterfactual pairs in data: which group stands where either could.

`group_rate` counts whom data speak of. This one looks where one word of a pair
follows the same word in the new data and in the human data, and asks which of the
two it is: what changes when the subject does not. Each pair and the word before it
are a stratum of a 2 x 2 table (new or human, first group or second);
the log of their common odds ratio is the shift (Mantel & Haenszel 1959, J. Natl.
Cancer Inst. 22:719; its standard error: Robins, Breslow & Greenland 1986, Biometrics
42:311). One stratum of one half in each cell is added, so that it is always a number.
"""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from pydantic import Field

from lineage.loop.gates.base import Context, GateResult
from lineage.loop.gates.swaps import Swaps, parse_swaps
from lineage.loop.measuring.intervals import NORMAL_95
from lineage.loop.measuring.measures import words
from lineage.loop.spec.gates import DatasetGateSection
from lineage.wording import apart, fixed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lineage.loop.spec import LoopSpec

Place = tuple[str, str]  # the pair's first word, and the word before


class CounterfactualRateSpec(DatasetGateSection):
    """Which group stands where either could, against the human data."""

    files: ClassVar[tuple[str, ...]] = ("lexicon",)
    thresholds: ClassVar[tuple[str, ...]] = ("max_logit_shift",)
    why: ClassVar[str] = "a convention: odds that change by a factor of 1.5"
    calibrates: ClassVar[Mapping[str, str]] = {"max_logit_shift": "max"}
    type: Literal["counterfactual_rate"]
    lexicon: str = Field(min_length=1)
    """The file of groups and their words."""
    max_logit_shift: float = Field(default=0.4, gt=0)
    """How far the log odds may move; 0.4 is a factor of 1.5."""


class Table(NamedTuple):
    """One stratum: the first and the second group, in new and in human data."""

    new_first: float
    new_second: float
    human_first: float
    human_second: float


class CounterfactualRate:
    """Fails when the groups' odds in shared places moved by more than allowed."""

    Section = CounterfactualRateSpec
    on: Literal["dataset"] = "dataset"

    def __init__(self, section: CounterfactualRateSpec, spec: LoopSpec) -> None:
        self.id = section.id
        self._section = section
        name = section.lexicon
        self._swaps = parse_swaps(spec.content(name), spec.path(name))

    def check(self, context: Context) -> GateResult:
        """Compare who stands in the places that both kinds of data have."""
        tables = shared_places(self._swaps, context.texts, context.human)
        shift, error = common_log_odds(tables)
        new, human = (sum(map(sum, part)) for part in _halves(tables))
        most = self._section.max_logit_shift
        moved, allowed = apart(fixed, 2, abs(shift), most)
        gained = self._swaps.groups[0 if shift >= 0 else 1]
        few = abs(shift) > most and error * NORMAL_95 > abs(shift)
        chance = "; these are too few to tell it from chance" if few else ""
        return GateResult(
            id=self.id,
            type=self._section.type,
            passed=abs(shift) <= most,
            value=abs(shift),
            bounds={"max": most},
            action=self._section.action,
            sentence=(
                f"where either could stand, {new} times here and {human} times in the "
                f"human data, the log-odds moved by {moved} towards {gained}; "
                f"at most {allowed} is allowed{chance}"
            )
            if tables
            else "no word of a pair follows the same word here and in the human data",
            details={
                "groups": list(self._swaps.groups),
                "towards": gained,
                "standard_error": error,
                "places": len(tables),
                "mentions": new,
                "human_mentions": human,
            },
            threshold_from=self._section.threshold_source,
        )


def _halves(tables: Sequence[Table]) -> tuple[list[tuple[int, int]], ...]:
    return (
        [(int(t.new_first), int(t.new_second)) for t in tables],
        [(int(t.human_first), int(t.human_second)) for t in tables],
    )


def shared_places(
    swaps: Swaps, new: Iterable[str], human: Iterable[str]
) -> list[Table]:
    """The strata: places that both kinds of data have, in the places' order."""
    ours, theirs = (_places(swaps, texts) for texts in (new, human))
    places = {place for place, _ in ours} & {place for place, _ in theirs}
    return [
        Table(ours[p, 1], ours[p, -1], theirs[p, 1], theirs[p, -1])
        for p in sorted(places)
    ]


def _places(swaps: Swaps, texts: Iterable[str]) -> Counter[tuple[Place, int]]:
    found: Counter[tuple[Place, int]] = Counter()
    for text in texts:
        for before, word in pairwise(["", *words([text])]):
            side = swaps.side.get(word)
            if side:
                first = word if side > 0 else swaps.counterpart[word]
                found[(first, before), side] += 1
    return found


def common_log_odds(tables: Sequence[Table]) -> tuple[float, float]:
    """The log of the common odds ratio of 2 x 2 tables, and its standard error.

    Positive where the first group gained.
    """
    rows = [_terms(table) for table in (*tables, Table(0.5, 0.5, 0.5, 0.5))]
    r, s = (math.fsum(column) for column in list(zip(*rows, strict=True))[:2])
    variance = (
        math.fsum(p * a for a, _, p, _ in rows) / (2 * r * r)
        + math.fsum(p * b + q * a for a, b, p, q in rows) / (2 * r * s)
        + math.fsum(q * b for _, b, _, q in rows) / (2 * s * s)
    )
    return math.log(r / s), math.sqrt(variance)


def _terms(table: Table) -> tuple[float, float, float, float]:
    """R, S, P and Q of Robins, Breslow & Greenland."""
    a, b, c, d = table
    total = a + b + c + d
    return a * d / total, b * c / total, (a + d) / total, (b + c) / total
