"""CPU seconds of each gate on data. Numbers are in docs/gates.md.

New records, human ones, the reference and what the generation before was left with
are as many, held-out ones a twentieth; each is 40 words of the standard library.

    python tests/bench/gates.py [RECORDS] [TYPE …]
"""

from __future__ import annotations

import random
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lineage.loop.gates import Context, load_gates
from lineage.loop.records.shards import Record, write_shards
from lineage.loop.spec import LoopSpec

if TYPE_CHECKING:
    from collections.abc import Sequence

GATES: list[dict[str, Any]] = [
    {"type": "schema", "fields": {"text": {"type": "string", "pattern": "[a-z]"}}},
    {"type": "near_duplicates"},
    {"type": "contamination"},
    {"type": "drift"},
    {"type": "pii"},
    {"type": "toxicity"},
    {"type": "novelty"},
    {"type": "fabrication", "verifier": "checks.py"},
    {"type": "over_optimisation"},
]
ROLES = ("new", "reference", "human", "previous", "held_out")


def records(role: str, count: int, source: Sequence[str]) -> list[Record]:
    """Random pieces of a text."""
    draw, made = random.Random(role), []  # noqa: S311
    for number in range(count):
        start = draw.randrange(len(source) - 40)
        text = " ".join(source[start : start + 40])
        right, reward = number % 9 > 0, number % 7 / 7
        id_ = f"{role}-{number}"
        made.append({"id": id_, "text": text, "right": right, "reward": reward})
    return made


def situation(count: int, folder: Path) -> Context:
    """What a check step shows its gates."""
    files = sorted(Path(sysconfig.get_path("stdlib")).rglob("*.py"))[:1200]
    source = [w for f in files for w in f.read_text("utf-8", "replace").split()]
    made = {
        role: records(role, count // 20 if role == "held_out" else count, source)
        for role in ROLES
    }
    for role in ROLES[2:]:
        write_shards(folder / role, role, made[role], 256)
    numbers: dict[str, int] = {}
    return Context(
        records=made["new"],
        human=[record["text"] for record in made["human"]],
        reference=made["reference"],
        tokenize=lambda texts: [
            [numbers.setdefault(word, len(numbers)) for word in text.split()]
            for text in texts
        ],
        sample_size=10000,
        seed=0,
        inputs={role: folder / role for role in ROLES[2:]},
    )


def main() -> None:
    count, types = int((sys.argv[1:] or ["100000"])[0]), sys.argv[2:]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        context = situation(count, folder)
        verifier = "def verify_record(record):\n    return record['right']\n"
        (folder / "checks.py").write_text(verifier)
        spec: dict[str, Any] = {
            "name": "bench",
            "num_generations": 1,
            "model": {"model_name_or_path": "model/none"},
            "dataset": {"train_file": "none.txt"},
            "gates": [g for g in GATES if not types or g["type"] in types],
        }
        for gate in load_gates(LoopSpec.parse(spec, folder)):
            start = time.process_time()
            result = gate.check(context)
            seconds = time.process_time() - start
            print(f"{gate.id:18} {seconds:6.1f} s  {result.sentence}", flush=True)


if __name__ == "__main__":
    main()
