"""Moments: which event a date, a date-time or an event's id means.

A moment is a date or date-time of ISO 8601 (UTC unless it says otherwise), ``now``,
``today``, ``yesterday`` or ``2 weeks ago``. Where one moment is meant, a bare day is
its end. What is written without a ``-`` is a prefix (at least 4 digits) of an event's
id or git oid.
"""

import re
from collections import deque
from datetime import UTC, date, datetime, time, timedelta

from lineage.errors import Ambiguous, NotFound, UsageError
from lineage.repository import Repository
from lineage.store.event_reading import Logged

SHORTEST = 4
_HEX = re.compile(rf"[0-9a-f]{{{SHORTEST},64}}\Z")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_AGO = re.compile(r"(\d{1,6}) (minute|hour|day|week)s? ago\Z")
_DAYS = {"today": 0, "yesterday": 1}
_HINT = "write 2026-11-03, 2026-11-03T14:30, yesterday or '2 weeks ago'"


def event_at(registry: Repository, text: str) -> str:
    """The git oid of the event that `text` names, or that was the newest at a moment.

    At a moment: of the events on this registry's own chain (first parents), the
    newest whose own time is not later. Clocks may go backwards; one that was ahead
    for a while then hides its own events only, not all that came after them.

    Raises:
        NotFound: when there is no such event, or none so early.
        Ambiguous: when a prefix is that of several events.
        UsageError: for text that is neither a moment nor a prefix.
    """
    if _HEX.match(text):
        return find_event(registry, text).git
    log = registry.events_log
    oid = log.newest(moment_of(text, time.max))
    if oid is None:
        first = [log.event(oid).time for oid, _ in deque(log.chain(), maxlen=1)]
        hint = "".join(f"the first one is of {time}" for time in first)
        raise NotFound(f"there is no event at or before {text}", hint=hint)
    return oid


def find_event(registry: Repository, prefix: str) -> Logged:
    """The event whose id or git oid starts with `prefix`.

    Raises:
        NotFound: when there is none.
        Ambiguous: when there are several; they are listed.
        UsageError: when `prefix` is not hexadecimal or shorter than 4 digits.
    """
    if not _HEX.match(prefix):
        hint = "`lineage events` lists them; 4 digits of an id are enough"
        raise UsageError(f"{prefix!r} is not the id of an event", hint=hint)
    found = registry.events_log.find(prefix)
    if not found:
        hint = "`lineage events` lists them"
        raise NotFound(f"there is no event {prefix}", hint=hint)
    if len(found) > 1:
        lines = [f"{e.event.id[:12]} ({e.event.type})" for e in found]
        raise Ambiguous(f"{prefix!r} could be {len(found)} events", lines)
    return found[0]


def moment_of(text: str, of_day: time) -> str:
    """A moment as events write their times; a bare day means `of_day` on it.

    Raises:
        UsageError: when `text` is no moment.
    """
    try:
        moment = _read(text, of_day)
        if moment.tzinfo:
            moment = moment.astimezone(UTC)
    except (OverflowError, ValueError) as error:
        message = f"{text!r} is not a date{_why(text, error)}"
        raise UsageError(message, hint=_HINT) from None
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _why(text: str, error: Exception) -> str:
    """What Python finds wrong, where somebody wrote a date; else it only guesses."""
    about = _DATE.match(text) and "isoformat" not in str(error)
    return f": {error}" if about else ""


def _read(text: str, of_day: time) -> datetime:
    now = datetime.now(UTC)
    if text == "now":
        return now
    if text in _DAYS:
        day = now.date() - timedelta(days=_DAYS[text])
        return datetime.combine(day, of_day)
    if ago := _AGO.match(text):
        return now - timedelta(**{f"{ago[2]}s": int(ago[1])})
    if len(text) <= len("2026-01-31"):
        return datetime.combine(date.fromisoformat(text), of_day)
    return datetime.fromisoformat(text.removesuffix(" UTC"))
