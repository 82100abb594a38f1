"""What a running loop tells whoever watches it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lineage.store.objects import Metric


@dataclass(frozen=True, slots=True)
class Activity:
    """A step at work: which one, in which generation of how many."""

    loop: str
    generation: int
    num_generations: int
    step: str
    begun: float = field(default_factory=time.monotonic, compare=False)

    @property
    def seconds(self) -> float:
        """How long it has been running."""
        return time.monotonic() - self.begun


@dataclass(frozen=True, slots=True)
class Finished:
    """A generation that is committed."""

    loop: str
    generation: int
    attempt: int
    id: str
    metrics: Mapping[str, Metric]
    gates: Sequence[Mapping[str, Any]]
    seconds: float


class Progress:
    """Told of everything, shows nothing; override what should be seen.

    Steps that an earlier run finished are `recalled`, not started. `remaining` is
    an estimate in seconds, None while there is nothing to base one on.
    """

    def started(self, activity: Activity) -> None:
        """A step begins."""

    def advanced(
        self, activity: Activity, fraction: float, remaining: float | None
    ) -> None:
        """A step has come so far; called often."""

    def finished(self, activity: Activity, circumstances: Mapping[str, Any]) -> None:
        """A step has done its work; tokens, seconds and the like are in there."""

    def recalled(self, activity: Activity) -> None:
        """An earlier run has done this step."""

    def reused(self, activity: Activity, where: str) -> None:
        """A step is not run, as the turn `where` has done the same."""

    def set_aside(self, activity: Activity, branch: str, reason: str) -> None:
        """A try is over and kept on `branch`; the loop goes on (`activity.step`)."""

    def generation(self, finished: Finished) -> None:
        """A generation is committed."""


def remaining(activity: Activity, fraction: float) -> float | None:
    """Seconds to go at the pace so far."""
    if fraction <= 0:
        return None
    return activity.seconds * (1 - min(fraction, 1.0)) / fraction
