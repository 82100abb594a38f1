"""Datasets in packs build on their parents', in whichever pack and order those lie."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

import pytest

from lineage import Edge
from lineage.packing.packer import pack
from lineage.packing.unpacking import unpack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lineage import Registry


def records(count: int, seed: int) -> list[bytes]:
    """Lines of JSON that hardly compress."""
    draw = random.Random(seed)  # noqa: S311 - no secret
    return [
        json.dumps({"id": n, "text": draw.randbytes(60).hex()}).encode() + b"\n"
        for n in range(count)
    ]


HUMAN, WRITTEN = records(1500, 1), records(1500, 2)
MIXED = random.Random(3).sample([*HUMAN, *WRITTEN], 3000)  # noqa: S311 - no secret


def commit(repo: Registry, name: str, files: dict[str, bytes], *parents: str) -> str:
    """Record a folder of these files."""
    folder = repo.root / name
    folder.mkdir()
    for path, data in files.items():
        (folder / path).write_bytes(data)
    edges = [Edge("derived_from", parent) for parent in parents]
    return repo.commit("dataset", name, folder, edges=edges).id


def came_out(repo: Registry, id_: str, files: dict[str, bytes]) -> bool:
    """Whether a commit's files are what they were."""
    target = repo.root.parent / "out"
    repo.get(id_, target, force=True)
    return {path.name: path.read_bytes() for path in target.iterdir()} == files


@pytest.mark.parametrize("parents", [["human"], ["human", "written"]])
def test_a_dataset_mixed_of_others(repo: Registry, parents: Sequence[str]) -> None:
    """Records that were shuffled are found in a parent, under whatever name."""
    sets = {"human": HUMAN, "written": WRITTEN}
    ids = [
        commit(repo, name, {f"{name}.jsonl": b"".join(sets[name])}) for name in parents
    ]
    alone = pack(repo, "all()").packed
    mixed = {"mixed.jsonl": b"".join(MIXED if parents[1:] else MIXED[:1500])}
    id_ = commit(repo, "mixed", mixed, *ids)
    made = pack(repo, "all()")
    assert made.kinds["text"].delta == made.whole == len(mixed["mixed.jsonl"])
    assert made.packed < alone * 0.8
    assert came_out(repo, id_, mixed)


def test_small_files_of_a_parent(repo: Registry) -> None:
    """A folder of small files is kept as what differs from its parent's."""
    files = {f"{n:03}.json": line for n, line in enumerate(HUMAN[:150])}
    first = commit(repo, "first", files)
    alone = pack(repo, "all()").packed
    changed = {name: data.replace(b"text", b"said") for name, data in files.items()}
    second = commit(repo, "second", changed, first)
    made = pack(repo, "all()")
    assert made.files == 150
    assert made.kinds["small"].delta == made.whole
    assert made.packed < alone * 0.8
    assert came_out(repo, first, files)
    assert came_out(repo, second, changed)
    assert unpack(repo, "all()").files == 300
    assert came_out(repo, second, changed)
