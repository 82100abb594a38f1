"""Checking time stamps: is each one of an event before it, and whose is it?"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from lineage.errors import LineageError
from lineage.registry import Registry
from lineage.timestamps import Stamped, faults, is_stamp, stamp_of
from lineage.verify.problem import Problem

_MINUTE = timedelta(minutes=1)  # no clock is better, and a TSA may count in seconds


class Stamps:
    """One walk over the log, for its time stamps; `roots` are certificates in PEM."""

    def __init__(self, registry: Registry, roots: bytes | None) -> None:
        self._registry = registry
        self._roots = roots
        self._good: list[Stamped] = []
        self._ahead: list[Stamped] = []
        self._left = ""

    def problems(self) -> Iterator[Problem]:
        """Those that do not hold; what could not be looked at is among the notes."""
        times: dict[str, str] = {}
        try:
            for _, event in self._registry.events_log.iterate(oldest_first=True):
                if is_stamp(event):
                    wrong = [*self._wrong(stamp_of(event), times)]
                    yield from (Problem(event.id, "", what) for what in wrong)
                times[event.id] = event.time
        except LineageError as error:
            self._left = f"time stamps were not checked: {error}: {error.hint}"

    def _wrong(self, stamp: Stamped | None, times: dict[str, str]) -> Iterator[str]:
        if stamp is None:
            yield "the time stamp is not formed as it should be"
            return
        wrong = [*faults(stamp, self._roots)]
        if stamp.of not in times:
            wrong.append(f"the time stamp is of {stamp.of[:12]}, no event before it")
        yield from wrong
        if not wrong:
            self._good.append(stamp)
            if _moment(times[stamp.of]) - _moment(stamp.time) > _MINUTE:
                self._ahead.append(stamp)

    def notes(self) -> Iterator[str]:
        """What the time stamps prove, and what they do not."""
        if self._left:
            yield self._left
        if self._good:
            newest = max(reversed(self._good), key=lambda stamp: stamp.time)
            by = f"by {newest.time[:19]}Z, says {newest.tsa}"
            yield f"{newest.of[:12]} and what came before it was there {by}"
            if self._roots is None:
                yield "nobody checked whose the time stamps are: --tsa-ca FILE does"
        for stamp in self._ahead:
            of = stamp.of[:12]
            yield f"a clock is wrong: {of} claims a later time than its time stamp"


def _moment(time: str) -> datetime:
    return datetime.fromisoformat(time)
