"""How long it takes to blame a record of a mix of half a generated dataset.

    python tests/bench/blame.py [RECORDS]

RECORDS (default 200,000) are written in eight shards; every other one is mixed. The
last record is asked by number, id and text, and proven; reading all is beside it.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import lineage
from lineage.blame import blame
from lineage.blame.proof import prove
from lineage.loop.records.shards import write_shard
from lineage.records import rows
from lineage.store.objects import Edge

if TYPE_CHECKING:
    from collections.abc import Callable

SHARDS = 8
WORDS = [
    "the",
    "quick",
    "brown",
    "fox",
    "jumps",
    "over",
    "a",
    "lazy",
    "dog",
    "größe",
    "and",
    "other",
    "words",
]


def record(shard: int, row: int) -> dict[str, Any]:
    """A record of about half a kilobyte, as the generate step writes them."""
    text = " ".join(random.choices(WORDS, k=30))  # noqa: S311
    return {
        "completion": text,
        "generator": "ab" * 32,
        "id": f"g001-{shard:05d}-{row:07d}",
        "prompt": "the",
        "prompt_source": f"human-{shard}-{row}",
        "seed": shard * 10**7 + row,
        "shard": shard,
        "text": f"the {text}",
    }


def main(count: int) -> None:
    random.seed(0)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        mixed = []
        for shard in range(SHARDS):
            made = [record(shard, row) for row in range(count // SHARDS)]
            write_shard(root / "generated" / f"g001-{shard:05d}.jsonl", made)
            mixed += made[1::2]
        write_shard(root / "mixed" / "selected.jsonl", mixed)
        with closing(lineage.init(root / "repo")) as registry:
            first = registry.commit("dataset", "generated", root / "generated").id
            edges = [Edge("derived_from", first)]
            id_ = registry.commit("dataset", "mixed", root / "mixed", edges=edges).id
            blame(registry, id_, "1")  # makes the index
            last = mixed[-1]
            asked = {
                "by number": lambda: blame(registry, id_, str(len(mixed))),
                "by id": lambda: blame(registry, id_, last["id"]),
                "by text": lambda: blame(registry, id_, last["text"]),
                "by a piece of it": lambda: blame(registry, id_, last["text"][9:]),
                "prove": lambda: prove(registry, id_, len(mixed)),
                "read all rows": lambda: sum(1 for _ in rows(registry, id_)),
            }
            print(f"{len(mixed):,} records of {count:,}; {json.dumps(last)[:40]}…")
            for name, ask in asked.items():
                print(f"{name:<18}{timed(ask):8.3f} s")


def timed(ask: Callable[[], object]) -> float:
    """Seconds that it takes."""
    start = perf_counter()
    ask()
    return perf_counter() - start


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
