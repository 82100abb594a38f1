"""Packing objects without `lineage pack`: for tests of what reads packs."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence

from lineage.store.packed.writer import Piece, Writer
from lineage.store.payloads import Payloads

BLOCK = 1 << 12  # bytes, so that small files have several


def pack(payloads: Payloads, oids: Iterable[str], *, release: bool = True) -> str:
    """Pack loose objects, each block on that of the file before; the pack's name."""
    packs = payloads.packs
    packs.folder.mkdir(parents=True, exist_ok=True)
    oids = list(oids)
    before: list[bytes] = []
    with payloads.workspace() as work, Writer(packs, work / "pack") as writer:
        for oid in oids:
            with payloads.open(oid) as file:
                data = file.read()
            made = list(pieces(data, before, BLOCK))
            writer.add(oid, hashlib.sha256(data).hexdigest(), made)
            before = [hashlib.sha256(piece.data).digest() for piece in made]
        name = writer.finish()
        writer.path.rename(packs.folder / f"{name}.pack")
    if release:
        with payloads.alone():
            payloads.release(oids)
    return name


def pieces(data: bytes, before: Sequence[bytes], block: int) -> Iterator[Piece]:
    """The blocks of a file of floats, each on that of the file before."""
    for number, start in enumerate(range(0, len(data), block)):
        base = before[number] if number < len(before) else None
        yield Piece(data[start : start + block], 4, base)
