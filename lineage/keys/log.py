"""Where the key events of a log are, and which events come before which of them.

A key event's git commit has a trailer ``Lineage-Key``, so that git finds them all
without reading any event; a file remembers them as of a tip.
"""

import json
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from lineage.errors import StoreError
from lineage.store.disk import write_atomically
from lineage.store.event_commit import KEY_TRAILER
from lineage.store.events import EventLog
from lineage.store.git import GitRepository
from lineage.store.settings import Settings

_NONE: frozenset[str] = frozenset()


class KeyLog:
    """The git oids of a log's key events, by its newest event."""

    def __init__(self, git: GitRepository, log: EventLog, home: Path) -> None:
        self._git = git
        self._log = log
        self._file = home / "keys"
        self._tip: str | None = None
        self._known: list[str] = []

    def oids(self) -> list[str]:
        """The key events before the newest event and that itself, in no set order."""
        tip = self._log.tip()
        if tip is None or tip == self._tip:
            return self._known if tip else []
        if self._tip is None:
            self._tip, self._known = self._remembered()
        if self._tip != tip:
            self._follow(tip)
        return self._known

    def _follow(self, tip: str) -> None:
        """Look for those between the tip that is known and `tip`."""
        known = self._tip if self._tip and self._log.follows(self._tip) else None
        few = self._log.recent(tip, known) if known else None
        new = self._among(few) if few else self._searched(tip, known)
        self._known = [*(self._known if known else ()), *new]
        self._tip = tip
        if (new or not few) and self._log.at is None:
            self._remember()

    def _among(self, oids: list[str]) -> list[str]:
        found = zip(oids, self._git.read_many(oids), strict=True)
        mark = f"\n{KEY_TRAILER}".encode()
        return [oid for oid, item in found if item and mark in item[1].data]

    def _searched(self, tip: str, known: str | None) -> list[str]:
        limits = [f"^{known}"] if known else []
        words = ("--fixed-strings", f"--grep={KEY_TRAILER}")
        try:
            return self._git.run("rev-list", *words, tip, *limits).decode().split()
        except StoreError:
            message = "an event of the log is missing or damaged"
            raise StoreError(message, hint=self._git.mend()) from None

    def _remembered(self) -> tuple[str | None, list[str]]:
        with suppress(OSError, ValueError, TypeError, LookupError):
            data = json.loads(self._file.read_bytes())
            oids = [*map(str, data["keys"])]
            if all(self._git.read_many(oids)):
                return str(data["tip"]), oids
        return None, []

    def check(self) -> bool:
        """Whether what is remembered is what the log says; forget it if not."""
        tip, known = self._remembered()
        right = not self._file.exists() or (
            tip is not None
            and self._log.follows(tip)
            and sorted(known) == sorted(self._searched(tip, None))
        )
        if not right:
            self._file.unlink(missing_ok=True)
        return right

    def _remember(self) -> None:
        data = {"tip": self._tip, "keys": self._known}
        with suppress(OSError):
            write_atomically(self._file, json.dumps(data).encode())


class Keyed(Protocol):
    """A repository, as far as keys go: its log, the key events in it, its settings."""

    root: Path
    git: GitRepository
    settings: Settings
    events_log: EventLog
    key_log: KeyLog


def around(
    git: GitRepository, tips: list[str], keys: list[str]
) -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]]]:
    """Of every event up to `tips`, the `keys` before it and those after it.

    `tips` are, or know, all of `keys`.
    """
    words = ("rev-list", "--topo-order", "--reverse", "--parents", *tips)
    lines = [line.split() for line in git.run(*words).decode().splitlines()]
    marks = {oid: frozenset([oid]) for oid in keys}
    before: dict[str, frozenset[str]] = {}
    for oid, *parents in lines:
        before[oid] = _joined(before, marks, parents)
    after: dict[str, frozenset[str]] = {}
    for oid, *parents in reversed(lines):
        own = after.setdefault(oid, _NONE) | marks.get(oid, _NONE)
        for parent in parents:
            present = after.get(parent)
            same = present is None or present == own
            after[parent] = own if same or present is None else present | own
    return before, after


def _joined(
    before: dict[str, frozenset[str]],
    marks: dict[str, frozenset[str]],
    parents: list[str],
) -> frozenset[str]:
    """What is before any of `parents`, and they; shared as long as it is the same."""
    joined = _NONE
    for parent in parents:
        own = before[parent]
        if parent in marks:
            own |= marks[parent]
        joined = joined | own if joined and joined != own else own
    return joined
