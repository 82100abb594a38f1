"""Packing objects without `lineage pack`: for tests of what reads packs."""

import hashlib
from collections.abc import Iterable, Sequence

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
            pieces = list(_pieces(data, before))
            writer.add(oid, hashlib.sha256(data).hexdigest(), pieces)
            before = [hashlib.sha256(piece.data).digest() for piece in pieces]
        name = writer.finish()
        writer.path.rename(packs.folder / f"{name}.pack")
    if release:
        with payloads.alone():
            payloads.release(oids)
    return name


def _pieces(data: bytes, before: Sequence[bytes]) -> Iterable[Piece]:
    for number, start in enumerate(range(0, len(data), BLOCK)):
        base = before[number] if number < len(before) else None
        yield Piece(data[start : start + BLOCK], 4, base)
