"""JSONL shards: the files that a loop's datasets are made of.

A record is one line of canonical JSON (RFC 8785: sorted keys, no spaces, UTF-8),
so the same records are the same bytes, and a shard that goes into a training set
whole is the same file there.

A record of human text: `{"file", "id", "text"}`, and where it is a prompt with its
answer also `"prompt"` and `"completion"`, or `"messages"`, a chat's turns. One that
a model wrote::

    {"completion": what it wrote, "generator": SHA-256 over the model's files,
     "id": "g002-00000-00017", "prompt": what it was asked,
     "prompt_source": id of the record that the prompt is from,
     "seed": the record's own seed, "shard": 0, "text": prompt and completion}

`text` is what measures and gates read, and what successors train on where there is
nothing more, whoever wrote it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lineage.errors import LineageError, StoreError
from lineage.store.canonical import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shard:
    """One JSONL file and how many records it has."""

    path: Path
    records: int


def shard_name(stem: str, shard: int) -> str:
    """The file name of a dataset's n-th shard: `g002-00000.jsonl`."""
    return f"{stem}-{shard:05d}.jsonl"


def record_id(stem: str, shard: int, row: int) -> str:
    """A record's id, which says where it stands: `g002-00000-00017`."""
    return f"{stem}-{shard:05d}-{row:05d}"


def encode(record: Record) -> bytes:
    """One line, in RFC 8785; text and whole numbers alone take the short way."""
    if "given" in record or any(type(value) is float for value in record.values()):
        return canonical(record) + b"\n"
    line = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return line.encode() + b"\n"


def write_shard(path: Path, records: Iterable[Record]) -> Shard:
    """Write records one by one; the folder is made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with path.open("wb") as file:
        for record in records:
            file.write(encode(record))
            count += 1
    return Shard(path, count)


def write_shards(
    folder: Path, stem: str, records: Sequence[Record], shard_size: int
) -> list[Shard]:
    """Write a dataset: shards of `shard_size` records, the last with what is left."""
    return [
        write_shard(
            folder / shard_name(stem, start // shard_size),
            records[start : start + shard_size],
        )
        for start in range(0, len(records), shard_size)
    ]


def copy_lines(shards: Iterable[Shard], rows: Iterable[int], path: Path) -> Shard:
    """Write the chosen rows, counted across `shards`, as they are byte for byte."""
    chosen = set(rows)
    lines = (line for shard in shards for line in read_lines(shard.path))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.writelines(line for row, line in enumerate(lines) if row in chosen)
    return Shard(path, len(chosen))


def shards_of(folder: Path) -> list[Shard]:
    """A dataset's shards, sub-folders too, in the order of their names.

    Raises:
        LineageError: when something that is called so is no file: a pipe has no end.
    """
    for path in folder.rglob("*.jsonl"):
        if path.is_symlink() or not path.is_file():
            raise LineageError(f"{path.relative_to(folder)} is no regular file")
    return [
        Shard(path, sum(1 for _ in read_lines(path)))
        for path in sorted(folder.rglob("*.jsonl"))
    ]


def read_lines(path: Path) -> Iterator[bytes]:
    """The lines of a shard as they are, blank ones left out, each with its end."""
    with path.open("rb") as file:
        for line in file:
            if line.strip():
                yield line if line.endswith(b"\n") else line + b"\n"


def read_records(path: Path) -> Iterator[Record]:
    """The records of a shard.

    Raises:
        StoreError: names the line that is no record with a `text`.
    """
    for number, line in enumerate(read_lines(path), start=1):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        if not isinstance(record, dict) or not isinstance(record.get("text"), str):
            message = f'{path}: record {number} is not {{"text": "…", …}} in JSON'
            raise StoreError(message)
        yield record


def read_all(shards: Iterable[Shard]) -> Iterator[Record]:
    """The records of several shards, one after the other."""
    for shard in shards:
        yield from read_records(shard.path)


def read_texts(shards: Iterable[Shard]) -> Iterator[str]:
    """The texts of several shards, one after the other."""
    return (record["text"] for record in read_all(shards))
