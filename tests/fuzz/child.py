"""Fuzz one reader with libFuzzer: python -m tests.fuzz.child NAME SECONDS FOLDER.

Atheris follows which lines of lineage an input reaches, and keeps what reaches new
ones. A fault ends nothing: its input is kept, once for each place, and it goes on.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from hashlib import sha256
from pathlib import Path

import atheris

ROOT = Path(__file__).parents[2]


def main(name: str, seconds: str, where: str) -> None:
    with atheris.instrument_imports(include=["lineage"]):
        from tests.fuzz.harness import Broken, attempt, reader

        found = reader(name)
    folder = Path(where).resolve()
    scratch, corpus = folder / "scratch", folder / "corpus"
    for each in (scratch, corpus):
        each.mkdir(parents=True, exist_ok=True)
    os.chdir(scratch)
    with atheris.instrument_imports(include=["lineage"]):
        seeds = found.seeds(scratch)
    for data in (*seeds, *found.KEPT):
        (corpus / sha256(data).hexdigest()).write_bytes(data)
    for data in seeds:  # what they import is no work of theirs
        found.attack(data, scratch)
    faults: dict[str, str] = {}

    def one(data: bytes) -> None:
        try:
            attempt(found, data, scratch)
        except Broken as error:
            place = _place(error.__cause__ or error)
            if place not in faults:
                faults[place] = str(error)[:300]
                (folder / f"fault-{len(faults)}").write_bytes(data)
                (folder / "faults.json").write_text(json.dumps(faults, indent=1))

    options = [f"-max_total_time={seconds}", "-print_final_stats=1", "-timeout=300",
               "-rss_limit_mb=0", "-max_len=20000", "-len_control=20",
               f"-artifact_prefix={folder}/"]  # fmt: skip
    atheris.Setup([sys.argv[0], *options, str(corpus)], one)
    atheris.Fuzz()


def _place(error: BaseException) -> str:
    """The kind of error, and the last lines of ours that it went through."""
    frames = traceback.extract_tb(error.__traceback__)
    names = [(f.filename.removeprefix(f"{ROOT}/"), f.lineno) for f in frames]
    ours = [f"{n}:{line}" for n, line in names if not n.startswith(("/", ".venv"))]
    lines = ours[-2:]
    return " ".join([type(error).__name__, *lines])


if __name__ == "__main__":
    main(*sys.argv[1:])
