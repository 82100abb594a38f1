"""Older data that a gate compares new records with, by role of the check step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.loop.records.shards import read_records, shards_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lineage.loop.gates.base import Context


def texts_of(context: Context, role: str) -> Iterator[tuple[str, str]]:
    """The ids and texts of an input's records; none where there is no such input."""
    folder = context.inputs.get(role)
    for shard in shards_of(folder) if folder else ():
        for row, record in enumerate(read_records(shard.path)):
            yield str(record.get("id", f"{shard.path.stem}-{row:05d}")), record["text"]
