"""What every actor of a chaos run was told: one line for each command, and counts."""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

CODES = {0, 1, 2, 3, 4, 5, 10, 130}  # those that docs/commands.md lists


@dataclass(frozen=True)
class Done:
    """A command that is over: what it said, and what was done to it meanwhile.

    `harm` is "killed", "hurt" (one of its processes was) or "full" (a disk was), or
    nothing; `code` is negative when a signal ended it.
    """

    actor: str
    place: str
    words: tuple[str, ...]
    code: int
    out: str
    err: str
    harm: str
    seconds: float

    @property
    def name(self) -> str:
        """What it is called in the table: `loop run`, `branch`, `dvc gc`."""
        first, *rest = self.words
        if first in {"dvc", "loop", "review"} and rest:
            return f"{first} {rest[0]}"
        return first

    @property
    def outcome(self) -> str:
        """Done, killed, or refused (for a reason that the command gave)."""
        if self.code < 0:
            return "killed"
        return "done" if self.code == 0 else "refused"

    @property
    def reason(self) -> str:
        """Its error in general terms: without ids, numbers and names of ours."""
        lines = [line for line in self.err.splitlines() if line.strip()]
        said = [line for line in lines if re.match(r"error:|ERROR:", line)]
        text = (said or lines or [""])[-1]
        text = re.sub(r"'[^']*'|/\S+", "…", text)
        text = re.sub(r"\b(?=[0-9a-f]*\d)[0-9a-f]{6,}\b", "ID", text)
        text = re.sub(r"\b(writer|loop|http|shared)[-\w/.@]*", "NAME", text)
        return re.sub(r"\d+", "N", text)[:160]

    def faults(self) -> list[str]:
        """What no command may do, whatever is done to it."""
        found = []
        if "Traceback (most recent call last)" in self.err:
            found.append("a traceback")
        if self.code >= 0 and self.name != "dvc" and not self.name.startswith("dvc "):
            if self.code not in CODES:
                found.append(f"the exit code {self.code}")
            if self.code and not re.search(
                r"^(error|\w+ \d)|: ", self.err, re.MULTILINE
            ):
                found.append("no word of why")
        return found


class Journal:
    """All that was said, in a file of JSON lines; and what must be so at the end."""

    def __init__(self, path: Path) -> None:
        self.began = time.monotonic()
        self.counts: Counter[tuple[str, str]] = Counter()
        self.reasons: Counter[tuple[str, str]] = Counter()
        self.happened: Counter[str] = Counter()
        self.findings: list[str] = []
        self._file = path.open("a", encoding="utf-8")
        self._lock = threading.Lock()

    def add(self, done: Done) -> Done:
        """Write a command down, and what is wrong with how it ended."""
        with self._lock:
            self.counts[done.name, done.outcome] += 1
            if done.outcome == "refused":
                self.reasons[done.name, done.reason] += 1
            self._write({"command": asdict(done)})
            for fault in done.faults():
                self._find(f"{done.place}: {' '.join(done.words)[:120]}: {fault}")
        return done

    def note(self, happened: str, **facts: object) -> None:
        """Count something that happened, and write it down."""
        with self._lock:
            self.happened[happened] += 1
            self._write({"happened": happened, **facts})

    def find(self, what: str) -> None:
        """Say that something is not as it must be."""
        with self._lock:
            self._find(what)

    def close(self) -> None:
        self._file.close()

    def _find(self, what: str) -> None:
        self.findings.append(what)
        self._write({"finding": what})

    def _write(self, facts: dict[str, object]) -> None:
        line = {"at": round(time.monotonic() - self.began, 2), **facts}
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()
