"""Drift: whether the new records are still of the same distribution.

Tokens by the Jensen-Shannon divergence of two samples of one size, in bits (Lin 1991,
IEEE Trans. Inf. Theory 37:145), less what chance makes of samples of this size: the
mean divergence of random halves of both samples' records together, as in a permutation
test (Fisher 1935). Whole records are dealt out, as words come in clusters.

Lengths, in tokens, by the statistic of Kolmogorov and Smirnov: the largest distance
between the two distribution functions (Smirnov 1948, Ann. Math. Stat. 19:279), less
its mean for two samples of n and m records from one source, √(π/2) ln 2 √(1/n + 1/m).
"""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from lineage.loop.gates.base import GateResult
from lineage.loop.measuring.measures import Corpus, unigram_js
from lineage.loop.seeds import order
from lineage.loop.spec.gates import DatasetGateSection
from lineage.wording import apart, fixed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lineage.loop.gates.base import Context
    from lineage.loop.spec import LoopSpec

_SPLITS = 8

Side = Literal["human", "reference"]
_SIDES = {"human": "the human data", "reference": "the reference"}


class DriftSpec(DatasetGateSection):
    """Drift of tokens and lengths, away from human text and the first samples."""

    thresholds: ClassVar[tuple[str, ...]] = ("max_js", "max_ks")
    why: ClassVar[str] = (
        "ours: two samples of one source are 0 apart on average, two without a token "
        "or length in common 1"
    )
    calibrates: ClassVar[Mapping[str, str]] = {"max_js": "max", "max_ks": "max"}
    type: Literal["drift"]
    against: list[Side] = Field(default=["reference"], min_length=1)
    """What it is compared with: what was written first, human text, or both."""
    max_js: float = Field(default=0.05, gt=0, le=1)
    """Bits of divergence between tokens, of 1."""
    max_ks: float = Field(default=0.2, gt=0, le=1)
    """Distance between the distributions of lengths, of 1."""

    def bounded(
        self, value: float | None, details: Mapping[str, Any]
    ) -> Mapping[str, float | None]:
        """Of each distance the larger one, whatever it is to."""
        del value
        sides = details["distances"].values()
        found = {name: [s[name] for s in sides] for name in ("js", "ks")}
        known = {n: [v for v in each if v is not None] for n, each in found.items()}
        return {f"max_{name}": max(each, default=None) for name, each in known.items()}


class Drift:
    """Fails where tokens or lengths have moved by more than is allowed."""

    Section = DriftSpec
    on: Literal["dataset"] = "dataset"

    def __init__(self, section: DriftSpec, _: LoopSpec) -> None:
        self.id = section.id
        self._section = section

    def check(self, context: Context) -> GateResult:
        """Compare the records with human text and with what was written first."""
        section, new = self._section, _corpus(context, context.texts)
        found = {
            side: self._compare(new, _corpus(context, texts), context)
            for side, texts in self._others(context)
        }
        rows = [
            (value / limit, name, side, value, limit)
            for side, each in found.items()
            for name, limit in (("js", section.max_js), ("ks", section.max_ks))
            if (value := each[name]) is not None
        ]
        worst = max(rows, default=None)
        return GateResult(
            id=self.id,
            type=section.type,
            passed=not rows or max(rows)[0] <= 1,
            value=worst[3] if worst else None,
            bounds={"max": worst[4] if worst else section.max_js},
            action=section.action,
            sentence=_sentence(found, section),
            details={
                "n": len(context.records),
                **({"measure": worst[1], "from": worst[2]} if worst else {}),
                "distances": found,
                "limits": {"js": section.max_js, "ks": section.max_ks},
            },
            threshold_from=section.threshold_source,
        )

    def _others(self, context: Context) -> Iterator[tuple[Side, list[str]]]:
        """Human text, and what was written first where these records are not that."""
        for side in self._section.against:
            if side == "human":
                yield side, list(context.human)
            elif context.reference is not None:
                yield side, [record["text"] for record in context.reference]

    def _compare(self, new: Corpus, old: Corpus, context: Context) -> dict[str, Any]:
        size = min(context.sample_size, new.size, old.size)
        if not size:
            return {"js": None, "ks": None, "n": 0}
        ours, theirs = (each.sample(size, context.seed) for each in (new, old))
        lengths = [[len(row) for row in each.tokens] for each in (new, old)]
        return {
            "js": max(
                unigram_js(ours, theirs).value - _chance(ours, theirs, context.seed),
                0.0,
            ),
            "ks": max(
                kolmogorov_smirnov(*lengths) - _by_chance(*map(len, lengths)), 0.0
            ),
            "n": size,
        }


def kolmogorov_smirnov(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The largest distance between two empirical distribution functions."""
    a, b = sorted(ours), sorted(theirs)
    return max(
        abs(bisect_right(a, x) / len(a) - bisect_right(b, x) / len(b)) for x in {*a, *b}
    )


def _chance(ours: Corpus, theirs: Corpus, seed: int) -> float:
    """The mean divergence of random halves of the records of both samples."""
    rows = [*ours.tokens, *theirs.tokens]
    found = []
    for split in range(_SPLITS):
        dealt = [rows[place] for place in order(len(rows), seed, "split", split)]
        tokens = [token for row in dealt for token in row]
        half = len(tokens) // 2
        parts = (Corpus([""], [tokens[:half]]), Corpus([""], [tokens[half:]]))
        found.append(unigram_js(*parts).value)
    return math.fsum(found) / _SPLITS


def _by_chance(n: int, m: int) -> float:
    """The mean of the statistic for large samples of one source."""
    return math.sqrt(math.pi / 2) * math.log(2) * math.sqrt(1 / n + 1 / m)


def _corpus(context: Context, texts: Sequence[str]) -> Corpus:
    return Corpus(texts, context.tokenize(texts))


def _sentence(found: dict[Side, dict[str, Any]], section: DriftSpec) -> str:
    if not found:
        return f"written first with this sampling: the reference for {section.id}"
    most = section.max_js, section.max_ks
    parts = [
        f"{_SIDES[side]} by {apart(fixed, 3, each['js'], most[0])[0]} bits in tokens, "
        f"{apart(fixed, 2, each['ks'], most[1])[0]} in length"
        for side, each in found.items()
        if each["n"]
    ]
    if not parts:
        return "there are no tokens to compare"
    return (
        f"differs from {' and from '.join(parts)}; at most {most[0]:g} and "
        f"{most[1]:g} is allowed"
    )
