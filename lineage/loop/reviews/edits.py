"""Corrected records: what a reviewer changes becomes a dataset of its own.

It is derived from the records that were there, and says that a person edited them.
The loop puts it through the check step like any other data, and trains on what is
left: gates and measures are those of the edited records.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lineage.errors import UsageError
from lineage.loop.branches import runs
from lineage.loop.records.shards import encode
from lineage.loop.reviews.records import KEPT
from lineage.store.canonical import normalise
from lineage.store.objects import Edge

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from lineage.loop.reviews.records import Line, Records
    from lineage.registry import Registry

PART = "edited"


@dataclass(frozen=True, slots=True)
class Edit:
    """What a person makes of a dataset: its new lines by file, and how many changed."""

    files: Mapping[str, Sequence[bytes]]
    edited: int
    dropped: int


def edit(
    records: Records,
    changed: Sequence[Mapping[str, Any]],
    drop: Collection[str],
    by: str,
) -> Edit:
    """Replace records by those of the same id, and leave out others.

    A record that is not the same afterwards says who edited it.

    Raises:
        UsageError: a record is not there, was not kept, has no text, is named twice,
            or nothing would change, or nothing would be left.
    """
    kept = {line.id: line for line in records.lines if line.stratum == KEPT}
    new = {_id(record): _checked(record) for record in changed}
    if len(new) < len(changed) or set(new) & set(drop):
        raise UsageError("a record is there twice: each can be edited or dropped once")
    for id_ in (*new, *drop):
        if records.named(id_).id not in kept:
            raise UsageError(f"the record {id_} was dropped by a gate already")
    lines = {line.id: _line(line, new.get(line.id), by) for line in kept.values()}
    edited = sum(raw != _raw(kept[id_]) for id_, raw in lines.items())
    left = [line for line in kept.values() if line.id not in drop]
    if not left:
        raise UsageError("no record would be left to train on", hint="reject it")
    if not edited and not drop:
        raise UsageError("the records are as they were: nothing was edited")
    files: dict[str, list[bytes]] = {}
    for line in left:
        files.setdefault(line.file, []).append(lines[line.id])
    return Edit(files, edited, len(set(drop)))


def _id(record: Mapping[str, Any]) -> str:
    if not isinstance(record, dict) or not isinstance(record.get("id"), str):
        raise UsageError("an edited record needs the id of the record that it replaces")
    return str(record["id"])


def _checked(record: Mapping[str, Any]) -> dict[str, Any]:
    plain: Any = normalise(record, f"record {record['id']}")
    if not isinstance(plain.get("text"), str):
        raise UsageError(f"the record {record['id']} has no text")
    return dict(plain)


def _raw(line: Line) -> bytes:
    return encode(dict(line.record))


def _line(line: Line, new: dict[str, Any] | None, by: str) -> bytes:
    if new is None or encode(new) == _raw(line):
        return _raw(line)
    return encode(new | {"edited_by": by})


def commit(
    registry: Registry, records: Records, made: Edit, place: tuple[str, int], by: str
) -> str:
    """Record edited data as a part of their generation; returns the id."""
    before = registry.load(records.kept)
    loop, generation = place
    wrote = (edge for edge in before.edges if edge.role != "derived_from")
    edges = [Edge(edge.role, edge.id, edge.evidence) for edge in wrote]
    count = sum(map(len, made.files.values()))
    share = {"records": [count - made.edited, count]}
    origin = {
        "type": "mixed" if made.edited else "machine",
        "source": f"records of a model, edited by {by} in a review",
        "by": by,
    }
    counts = {"edited": made.edited, "dropped": made.dropped}
    params = {k: v for k, v in before.params.items() if k in ("generation", "attempt")}
    with tempfile.TemporaryDirectory(dir=registry.home) as folder:
        _write(Path(folder), made.files)
        return registry.commit(
            "dataset",
            f"{loop}-{PART}",
            folder,
            edges=[*edges, Edge("derived_from", records.kept, "declared", share)],
            params={**params, "part": PART, **counts},
            origin=origin,
            ref=f"runs/{runs(loop, generation)}{PART}",
            revise=False,
            message=f"{made.edited} edited, {made.dropped} dropped by {by}",
            circumstances={"loop": loop, "generation": generation, "part": PART},
        ).id


def _write(folder: Path, files: Mapping[str, Iterable[bytes]]) -> None:
    for name, lines in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(lines))
