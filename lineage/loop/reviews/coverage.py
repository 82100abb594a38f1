"""How much of a loop people looked at, and how long a loop waited for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from lineage.loop.reviews.ballots import REQUEST
from lineage.loop.reviews.labels import labelling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from lineage.loop.reviews.ballots import Ballot
    from lineage.store.event_reading import Logged
    from lineage.store.objects import Commit

    Load = Callable[[str], Commit]


@dataclass(frozen=True, slots=True)
class Coverage:
    """Counts of a loop: generations after generation 0, and what they wrote.

    `reviewed` generations have a verdict, on them or on their data. Of the
    `generated` records `shown` were in packets that somebody decided on, `labelled`
    have a label. `seconds` are those from each request to the verdict that decided.
    """

    generations: int
    reviewed: int
    generated: int
    shown: int
    labelled: int
    seconds: Sequence[float] = ()

    @property
    def mean_seconds(self) -> float | None:
        """The mean time from request to verdict."""
        return sum(self.seconds) / len(self.seconds) if self.seconds else None


def coverage(
    load: Load,
    loop: str,
    generations: Sequence[str],
    log: Sequence[Logged],
    found: Mapping[str, Ballot],
) -> Coverage:
    """What was looked at of `generations`, oldest first, of a loop.

    `load` gives commits, `log` are all events, newest first, `found` the ballots among
    them. What was decided in another loop counts where it was on data of these.
    """
    turns = [set(_parts(load, id_)) for id_ in generations[1:]]
    written = {id_ for turn in turns for id_ in turn}
    decided = (ballot for ballot in found.values() if ballot.decided and ballot.request)
    mine = [
        (ballot, subjects)
        for ballot in decided
        for subjects in [_judged(load, ballot.subject)]
        if written & subjects or _loop(ballot) == loop
    ]
    shown = {
        sample["sha256"]
        for ballot, _ in mine
        if ballot.subject in written and ballot.packet
        for sample in ballot.packet["samples"]
    }
    judged = set[str]().union(*(subjects for _, subjects in mine))
    return Coverage(
        len(turns),
        sum(1 for turn in turns if turn & judged),
        sum(_generated(load, id_) for id_ in generations[1:]),
        len(shown),
        len(_labelled(loop, log, written)),
        [seconds(ballot) for ballot, _ in mine],
    )


def _parts(load: Load, generation: str) -> Iterator[str]:
    """A generation and the data in it, back to what was written."""
    yield generation
    for id_ in load(generation).ids("includes"):
        yield from _made(load, id_)


def _made(load: Load, id_: str) -> Iterator[str]:
    """A dataset of the generation, and what it was filtered from."""
    commit = load(id_)
    if commit.params.get("part") in ("mixed", "synthetic", "edited", "generated"):
        yield id_
    if commit.params.get("part") in ("synthetic", "edited"):
        yield from _made(load, commit.ids("derived_from")[0])


def _loop(ballot: Ballot) -> object:
    return ballot.request and ballot.request.data.get("loop")


def _judged(load: Load, subject: str) -> set[str]:
    """What a verdict is on: of a generation that was stopped, its data as well."""
    is_generation = load(subject).kind == "generation"
    return set(_parts(load, subject)) if is_generation else {subject}


def _generated(load: Load, generation: str) -> int:
    metric = load(generation).metrics.get("generated")
    return int(metric.value) if metric else 0


def _labelled(loop: str, log: Iterable[Logged], written: set[str]) -> set[str]:
    """The hashes of records that have a label."""
    return {
        label.sha256
        for _, said in labelling(loop, log)
        if written & {*said.datasets.values()}
        for label in said.labels
    }


def seconds(ballot: Ballot) -> float:
    """From the request to the verdict that decided."""
    assert ballot.request is not None
    assert ballot.decided is not None
    assert ballot.request.type == REQUEST
    ends = (ballot.request.time, ballot.decided.time)
    asked, decided = (datetime.fromisoformat(time) for time in ends)
    return round((decided - asked).total_seconds(), 3)
