"""Steps that are done already, in whatever loop: found by key, and taken over.

``<registry.home>/steps.sqlite`` maps the key of a step to the events that tell of
its end. It is derived: each look takes in the events that came since the last one,
and where the file is missing, damaged, or of another log, it is made again.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lineage.checkout import get
from lineage.errors import LineageError
from lineage.loop.branches import branch_of
from lineage.loop.running.journal import result_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lineage.loop.steps.protocol import Result
    from lineage.registry import Registry
    from lineage.store.objects import Event

_SCHEMA = """
CREATE TABLE IF NOT EXISTS steps (key TEXT, event TEXT, UNIQUE (key, event));
CREATE TABLE IF NOT EXISTS known (tip TEXT);
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """A step of another turn: its result, and where that is told."""

    result: Result
    source: dict[str, Any]

    @property
    def where(self) -> str:
        """The turn that did it."""
        branch = branch_of(self.source["loop"])
        return f"{branch} generation {self.source['generation']}"


class Reuse:
    """The steps that a registry's log tells of."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._path = registry.home / "steps.sqlite"

    def take(self, key: str, output: Path) -> Taken | None:
        """What the step of this key did, its files in the empty folder `output`.

        None where nobody did it, or none of its files can be had any more: erased,
        gone, changed, or at a remote that does not give them.
        """
        for event_id, event in self._found(key):
            if self._bring(event, output):
                names = ("loop", "generation")
                source = {name: event.data[name] for name in names}
                source |= {"event": event_id, "subject": event.subject}
                return Taken(result_of(event.data["result"]), source)
        return None

    def _found(self, key: str) -> Iterator[tuple[str, Event]]:
        """The events of a key, with their ids, the oldest first: that one did it."""
        for oid in self._look_up(key):
            with suppress(LineageError):
                event = self._registry.events_log.event(oid)
                if event.data.get("key") == key and event.subject:
                    yield event.id, event

    def _look_up(self, key: str) -> list[str]:
        """Again once the file was removed; no second time, as a disk may be full."""
        for _ in range(2):
            try:
                with closing(sqlite3.connect(self._path, timeout=10)) as steps:
                    self._catch_up(steps)
                    asked = "SELECT event FROM steps WHERE key = ? ORDER BY rowid"
                    return [oid for (oid,) in steps.execute(asked, (key,))]
            except sqlite3.Error:
                self._forget()
        return []

    def _catch_up(self, steps: sqlite3.Connection) -> None:
        """Take in the events that came since."""
        log = self._registry.events_log
        tip = log.tip()
        with steps:
            steps.executescript(_SCHEMA)
            known = next((row[0] for row in steps.execute("SELECT tip FROM known")), "")
            if known == tip:
                return
            if not known or not log.follows(known):
                known = ""
                steps.execute("DELETE FROM steps")
            rows = (
                (event.data["key"], oid)
                for oid, event in log.iterate(since=known or None, oldest_first=True)
                if event.subject and "key" in event.data and "result" in event.data
            )
            steps.executemany("INSERT OR IGNORE INTO steps VALUES (?, ?)", rows)
            steps.execute("DELETE FROM known")
            steps.execute("INSERT INTO known VALUES (?)", (tip,))

    def _forget(self) -> None:
        for end in ("", "-journal"):
            with suppress(OSError):
                self._path.with_name(self._path.name + end).unlink()

    def _bring(self, event: Event, output: Path) -> bool:
        """Whether the files that an event tells of are in `output` now, verified."""
        if "part" not in event.data:
            return True
        output.rmdir()
        try:
            get(self._registry, str(event.subject), output)
        except LineageError:
            output.mkdir(exist_ok=True)
            return False
        return True
