"""Fuzz every reader for hours, or some for a while, and say what came of it.

    python -m tests.fuzz.run [--seconds N] [--jobs N] [--write FILE] [READER...]

Each reader gets as many seconds; with 0 the table is of the last runs. What reaches new
code is kept below .fuzz/, so that the next run begins there; so are inputs that break a
reader (`fault-1`, with its place in `faults.json`): mend what is wrong, and put the
input on the reader's list `KEPT`.
The table goes to the output and, with --write, between two marks of a page.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.harness import READERS, reader

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".fuzz"
_MARKS = re.compile(r"(<!-- fuzz -->\n).*?(<!-- end -->)", re.DOTALL)


@dataclass(frozen=True)
class Fuzzed:
    """What came of one reader: inputs tried, places of the code reached, faults."""

    name: str
    seconds: int
    tried: int
    reached: int
    faults: dict[str, str]

    @property
    def row(self) -> str:
        kept = len(reader(self.name).KEPT)
        return (
            f"| `{self.name}` | {self.seconds} | {self.tried:,} | {self.reached:,} "
            f"| {kept} | {len(self.faults)} |"
        )


def fuzz(name: str, seconds: int) -> Fuzzed:
    """Fuzz a reader in a process of its own, and say what its log says."""
    folder = HOME / name
    folder.mkdir(parents=True, exist_ok=True)
    log, faults = folder / "log", folder / "faults.json"
    code = 0
    if seconds:
        faults.unlink(missing_ok=True)
        child = [
            sys.executable,
            "-m",
            "tests.fuzz.child",
            name,
            str(seconds),
            str(folder),
        ]
        with log.open("wb") as file:
            done = subprocess.run(
                child, cwd=ROOT, stdout=file, stderr=file, check=False
            )
        code = done.returncode
    said = log.read_text(errors="replace") if log.exists() else ""
    found = json.loads(faults.read_text()) if faults.exists() else {}
    if code:
        found[f"the process ended with {code}"] = said[-300:]
    tried = _last(r"number_of_executed_units: (\d+)", said) or _last(r"#(\d+)\t", said)
    took = _last(r"runs in (\d+) second", said)
    return Fuzzed(name, took, tried, _last(r"cov: (\d+)", said), found)


def _last(form: str, text: str) -> int:
    return int(next(iter(re.findall(form, text)[::-1]), 0))


def table(found: list[Fuzzed]) -> str:
    """What came of all, as Markdown."""
    head = "| reader | seconds | inputs | places reached | kept | faults left |"
    line = "|---|--:|--:|--:|--:|--:|"
    whole = sum(each.tried for each in found)
    kept = sum(len(reader(each.name).KEPT) for each in found)
    left = sum(len(each.faults) for each in found)
    told = f"{whole:,} inputs, {kept} kept, {left} faults left."
    return "\n".join([told, "", head, line, *(each.row for each in found), ""])


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    asked.add_argument("--seconds", type=int, default=60)
    asked.add_argument("--jobs", type=int, default=1)
    asked.add_argument("--write", type=Path)
    asked.add_argument("readers", nargs="*", choices=[*READERS, []], default=[])
    given = asked.parse_args()
    names = given.readers or READERS
    with ThreadPoolExecutor(given.jobs) as crew:
        found = list(crew.map(lambda name: fuzz(name, given.seconds), names))
    made = table(found)
    print(made)
    for each in found:
        for place, what in each.faults.items():
            print(f"{each.name}: {place}: {what}", file=sys.stderr)
    if given.write:
        page = given.write.read_text("utf-8")
        given.write.write_text(_MARKS.sub(rf"\1\n{made}\n\2", page), "utf-8")
    return 1 if any(each.faults for each in found) else 0


if __name__ == "__main__":
    sys.exit(main())
