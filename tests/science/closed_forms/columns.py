"""Records that hold one draw of many replicas at once, and means over replicas.

One record is one draw: of every replica one number, packed in hex. So a single run
of a loop is thousands of loops that share nothing but the runner, and the built-in
`mix` mixes all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lineage.loop.records.shards import read_texts, shards_of, write_shard

if TYPE_CHECKING:
    from pathlib import Path

    from lineage.loop.steps.protocol import Job

Array = np.ndarray[Any, Any]
FLOAT, COUNT = "<f4", "<u2"


def write(path: Path, draws: Array, kind: str = FLOAT) -> None:
    """One record per row of `draws`."""
    rows = enumerate(draws.astype(kind))
    write_shard(path, ({"id": str(n), "text": row.tobytes().hex()} for n, row in rows))


def read(folder: Path, kind: str = FLOAT) -> Array:
    """Rows are records, columns are replicas."""
    rows = [bytes.fromhex(text) for text in read_texts(shards_of(folder))]
    return np.array([np.frombuffer(row, kind) for row in rows])


def keep_all(job: Job) -> None:
    """Check: there is nothing in a number to check."""
    for shard in shards_of(job.inputs["generated"]):
        (job.output / shard.path.name).write_bytes(shard.path.read_bytes())


def mean(values: Array) -> dict[str, Any]:
    """The mean over replicas with its 95 % interval, as a metric."""
    value, n = float(values.mean()), len(values)
    half = 1.96 * float(values.std(ddof=1)) / n**0.5
    return {"value": value, "n": n, "interval": [value - half, value + half]}
