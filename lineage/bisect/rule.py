"""When runs of a command that sometimes fails are enough to judge a commit.

Run `repeats` times, the ends give two rates of failure, each (k + 1) / (n + 2) by
Laplace's rule of succession; Fisher's exact test must tell them apart. Then a commit
is run until its runs are 19 times likelier at one rate than at the other: Wald's
sequential probability ratio test (1945) with both errors at 1 in 20. A command that is
run once is taken at its word.
"""

import math
from typing import NamedTuple

ERROR = 0.05
_ENOUGH = math.log((1 - ERROR) / ERROR)


class Rates(NamedTuple):
    """How often the command fails on a good commit and on a bad one."""

    good: float
    bad: float

    @classmethod
    def of(cls, good: int, bad: int, runs: int) -> "Rates":
        return cls((good + 1) / (runs + 2), (bad + 1) / (runs + 2))

    def verdict(self, failures: int, runs: int) -> str:
        """What the runs of one commit say: good, bad or undecided."""
        evidence = self._evidence(failures, runs)
        if abs(evidence) < _ENOUGH - 1e-9:
            return "undecided"
        return "bad" if evidence > 0 else "good"

    def more(self, failures: int, runs: int) -> int:
        """Runs that would likely decide it, if it is what it looks like."""
        evidence = self._evidence(failures, runs)
        rate = self.bad if evidence > 0 else self.good
        gain = abs(rate * self._failed() + (1 - rate) * self._passed())
        return max(math.ceil((_ENOUGH - abs(evidence)) / gain), 1)

    def _evidence(self, failures: int, runs: int) -> float:
        """Log of how much likelier the runs are on a bad commit."""
        return failures * self._failed() + (runs - failures) * self._passed()

    def _failed(self) -> float:
        return math.log(self.bad / self.good)

    def _passed(self) -> float:
        return math.log((1 - self.bad) / (1 - self.good))


def told_apart(good: int, bad: int, runs: int) -> bool:
    """Whether the bad end fails more often than chance: Fisher's exact test."""
    total = good + bad
    ways = [
        math.comb(runs, k) * math.comb(runs, total - k)
        for k in range(bad, min(runs, total) + 1)
    ]
    return sum(ways) / math.comb(2 * runs, total) <= ERROR


def repeats_to_tell(good: int, bad: int, runs: int) -> int | None:
    """Runs of each end that would tell them apart, if they go on like this."""
    if bad <= good:
        return None
    for factor in range(1, 65):
        wanted = runs + factor
        scaled = [round(end * wanted / runs) for end in (good, bad)]
        if told_apart(scaled[0], scaled[1], wanted):
            return wanted
    return None
