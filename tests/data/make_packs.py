"""Make tests/data/packs, which later versions must still read: two packs of a registry.

`python -m tests.data.make_packs`; again only for a new format.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from lineage.store.packed.format import Segment
from lineage.store.packed.packs import Packs
from lineage.store.packed.reading_back import read_back
from lineage.store.packed.writer import TEXT, Piece, Writer
from tests.store.packed.making import drifted, md5, pieces, sha256, weights

HERE = Path(__file__).parent / "packs"
CUT = 4096

Files = dict[str, tuple[bytes, list[Piece]]]


def ancestors(rng: np.random.Generator) -> Files:
    """Give files of floats, numbers, noise and text, and one of which bits changed."""
    floats = weights(1, 1500) + b"end"
    flipped = drifted(floats[:-3], 2)
    counts = rng.integers(0, 1 << 40, 400).astype("<u8").tobytes()
    halves = rng.integers(0, 1 << 16, 1000).astype("<u2").tobytes()
    text = b"".join(b"%d is not %d\n" % (i, i * i) for i in range(150))
    return {
        "floats": (floats, list(pieces(floats, size=CUT))),
        "flipped": (flipped, list(pieces(flipped, floats, CUT))),
        "counts": (counts, [Piece(counts, 8)]),
        "halves": (halves, [Piece(halves, 2)]),
        "noise": (rng.bytes(200), []),
        "text": (text, [Piece(text, TEXT)]),
        "empty": (b"", []),
    }


def children(rng: np.random.Generator, old: Files) -> Files:
    """Give what came of these: trained, counted on, edited, put together."""
    floats, counts, text = (old[name][0] for name in ("floats", "counts", "text"))
    numbers = np.frombuffer(floats[:-3], "<f4")
    noise = rng.standard_normal(numbers.size) / 100_000
    tuned = (numbers + noise).astype("<f4").tobytes()
    steps = np.frombuffer(counts, "<i8") + rng.integers(-9, 9, 400)
    more = steps.astype("<i8").tobytes()
    half = np.frombuffer(old["halves"][0], "<u2")
    other = rng.integers(0, 1 << 16, half.size).astype("<u2")
    half_new = np.where(half & 0x4000, other, half).tobytes()
    edited = text.replace(b"7 is not 49\n", b"7 is 7\n")
    both = floats[:CUT] + tuned
    return {
        "tuned": (tuned, list(pieces(tuned, floats[:-3], CUT))),
        "more": (more, [Piece(more, 8, id_of(counts))]),
        "half new": (half_new, [Piece(half_new, 2, id_of(half.tobytes()))]),
        "edited": (edited, [Piece(edited, TEXT, id_of(text))]),
        "both": (both, list(pieces(both, size=CUT))),
    }


def id_of(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def write(packs: Packs, work: Path, files: Files, *more: tuple[bytes, Segment]) -> None:
    with Writer(packs, work / "pack") as writer:
        for data, parts in files.values():
            writer.add(md5(data), sha256(data), parts or [Piece(data, 8)] * bool(data))
        for data, part in more:
            writer.add_file(md5(data), sha256(data), [part, part])
        name = writer.finish()
    read_back(work / "pack", packs)
    packs.publish(work / "pack", name)


def main() -> None:
    """Write the packs and what is in them."""
    rng = np.random.default_rng(5)
    HERE.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder:
        packs = Packs(Path(folder), "packs")
        old = ancestors(rng)
        write(packs, Path(folder), old)
        new = children(rng, old)
        text = old["text"][0]
        twice = Segment(id_of(text), 3, 40)
        write(packs, Path(folder), new, (text[3:43] * 2, twice))
        used = {row.method for pack in packs for row in pack.tables.all_blocks()}
        assert used == set(range(6)), used
        for pack in packs:
            (HERE / pack.path.name).write_bytes(pack.path.read_bytes())
    contents = [data for data, _ in [*old.values(), *new.values()]] + [text[3:43] * 2]
    rows = [{"md5": md5(d), "sha256": sha256(d), "size": len(d)} for d in contents]
    (HERE / "files.json").write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
