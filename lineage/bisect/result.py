"""What bisecting finds, and the way that it searches."""

from collections.abc import Sequence
from dataclasses import dataclass

from lineage.errors import NotFound, UsageError
from lineage.registry import Registry
from lineage.store.objects import BACK
from lineage.walks import is_ancestor


@dataclass(frozen=True, slots=True)
class Probe:
    """One commit on the way: `verdict` is good, bad, undecided or skipped.

    `value` and `interval` are those of the metric; `failures` of `runs` those of the
    command. `more` is how many more samples or runs would likely decide it.
    """

    id: str
    verdict: str
    why: str = ""
    value: float | None = None
    interval: tuple[float, float] | None = None
    runs: int | None = None
    failures: int | None = None
    more: int | None = None


@dataclass(frozen=True, slots=True)
class Bisected:
    """The first bad commit, or those among which it is.

    `probes` are in the order of the way, `length` is how many commits it has. A way
    that goes from good to bad more than once has more `crossings`; the first counts.
    """

    probes: Sequence[Probe]
    length: int
    suspects: Sequence[str]
    crossings: int = 1
    bound: float | None = None

    @property
    def culprit(self) -> str | None:
        """The first bad commit, where nothing else can be."""
        return self.suspects[0] if len(self.suspects) == 1 else None


def way(registry: Registry, good: str, bad: str) -> list[str]:
    """The commits from `good` to `bad`, both included; the shortest way if several.

    Raises:
        UsageError: when `bad` did not come from `good` along the way back.
    """
    after: dict[str, str] = {}
    level = [bad]
    while level and good not in after:
        pairs = [(p, id_) for id_ in level for p in registry.load(id_).ids(*BACK)]
        fresh = {parent: child for parent, child in pairs if parent not in after}
        after |= fresh
        level = list(fresh)
    if good not in after:
        raise _no_way(registry, good, bad)
    found = [good]
    while found[-1] != bad:
        found.append(after[found[-1]])
    return found


def _no_way(registry: Registry, good: str, bad: str) -> UsageError:
    message = f"{bad[:12]} did not come from {good[:12]} along follows and revises"
    if good == bad:
        return UsageError("good and bad are one commit", hint="name an older good one")
    if is_ancestor(registry, bad, good, BACK):
        return UsageError(message, hint="it is the other way round: swap good and bad")
    return UsageError(message, hint="`lineage log REV` shows what REV came from")


def check_ends(good: Probe, bad: Probe) -> None:
    """The ends must be what they are called.

    Raises:
        UsageError: when the good one is bad.
        NotFound: when the bad one is good: nothing broke.
    """
    if good.verdict == "bad":
        message = f"{good.id[:12]} is called good and is bad{_because(good)}"
        raise UsageError(message, hint="name an older commit with --good")
    if bad.verdict == "good":
        message = f"nothing broke: {bad.id[:12]} is good{_because(bad)}"
        raise NotFound(message, hint="name a commit that is bad with --bad")


def _because(probe: Probe) -> str:
    return f": {probe.why}" if probe.why else ""
