"""The bytes of packs, from two sides; and packs that lie, or are damaged.

`Second` is a second implementation, written from FORMAT.md with struct, hashlib and
zstandard alone.
"""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from lineage.errors import VerificationError
from lineage.store.packed.codec import SORTED
from lineage.store.packed.elements import RUN
from lineage.store.packed.packs import Packs
from lineage.store.packed.reading_back import read_back
from lineage.store.packed.writer import Piece, Writer
from tests.store.packed.making import contents, md5, sha256

DATA = Path(__file__).parents[2] / "data" / "packs"
FILES = json.loads((DATA / "files.json").read_text())
PACKS = {path.stem: path.read_bytes() for path in sorted(DATA.glob("*.pack"))}
MAGIC = b"lineage pack 1\n\0"


# a second implementation


class Second:
    """The files of packs, as FORMAT.md says."""

    def __init__(self, packs: list[bytes]) -> None:
        self.blocks: dict[bytes, list[tuple[bytes, tuple[int, ...], bytes]]] = {}
        self.files: dict[bytes, tuple[bytes, int, list[tuple[bytes, int, int]]]] = {}
        for pack in packs:
            self._read(pack)

    def _read(self, pack: bytes) -> None:
        begin, blocks, files, parts, digest, magic = struct.unpack(
            ">QIIQ32s16s", pack[-72:]
        )
        tables = pack[begin:-72]
        assert magic == pack[:16] == MAGIC
        assert hashlib.sha256(tables).digest() == digest
        assert len(tables) == 84 * blocks + 68 * files + 40 * parts
        at = 84 * blocks
        for row in struct.iter_unpack(">32s32sQIIBBBB", tables[:at]):
            id_, base, offset, length, *how = row
            data = pack[offset : offset + length]
            self.blocks.setdefault(id_, []).append((base, tuple(how), data))
        table = tables[at + 68 * files :]
        segments = list(struct.iter_unpack(">32sII", table))
        for row in struct.iter_unpack(">16s32sQQI", tables[at : at + 68 * files]):
            oid, sha256, size, first, count = row
            self.files[oid] = sha256, size, segments[first : first + count]

    def file(self, oid: str) -> bytes:
        sha256, size, segments = self.files[bytes.fromhex(oid)]
        parts = (self.block(id_, 9)[at : at + n] for id_, at, n in segments)
        data = b"".join(parts)
        assert hashlib.sha256(data).digest() == sha256
        assert len(data) == size
        return data

    def block(self, id_: bytes, below: int) -> bytes:
        rows = [row for row in self.blocks[id_] if row[1][3] < below]
        base, (size, method, width, depth, zero), data = rows[0]
        built_on = self.block(base, depth) if any(base) else b""
        assert zero == 0
        block = self.decode(data, size, method, width, built_on)
        assert hashlib.sha256(block).digest() == id_
        return block

    def decode(
        self, data: bytes, size: int, method: int, width: int, base: bytes
    ) -> bytes:
        if method < 2:
            return self.inflate(data, base) if method else data
        count = size // width
        planes, at = [], 5 * width
        for how, length in struct.iter_unpack("<BI", data[:at]):
            planes.append(self.plane(data[at : at + length], how, count))
            at += length
        made = [
            int.from_bytes(column, "little") for column in zip(*planes, strict=True)
        ]
        others = numbers(base, width)
        if method == 5:
            made = self.unsorted(made, others, width)
        top, limit = 8 * width - 1, 1 << 8 * width
        if method == 2:
            made = [n >> 1 | (n & 1) << top for n in made]
        elif method == 3:
            made = [n ^ other for n, other in zip(made, others, strict=False)]
        else:
            steps = [-(n + 1) // 2 if n & 1 else n // 2 for n in made]
            made = [
                (n + other) % limit for n, other in zip(steps, others, strict=False)
            ]
        return b"".join(n.to_bytes(width, "little") for n in made) + data[at:]

    def plane(self, data: bytes, how: int, count: int) -> bytes:
        if how == 0:
            return self.small(data, count)
        [length] = struct.unpack_from("<I", data)
        zeros = self.small(data[4 : 4 + length], -(-count // 8))
        bits = f"{int.from_bytes(zeros, 'little'):0{8 * len(zeros)}b}"[::-1]
        values = iter(self.small(data[4 + length :], bits.count("1")))
        return bytes(next(values) if bit == "1" else 0 for bit in bits[:count])

    def small(self, data: bytes, size: int) -> bytes:
        return data if len(data) == size else self.inflate(data)

    @staticmethod
    def unsorted(made: list[int], others: list[int], width: int) -> list[int]:
        found = [0] * len(made)
        for start in range(0, len(made), 524_288):
            run = others[start : start + 524_288]
            keys = [
                n << 1 & 255 if width == 1 else n >> 8 * width - 9 & 255 for n in run
            ]
            order = sorted(range(len(run)), key=keys.__getitem__)
            for place, number in zip(order, made[start:], strict=False):
                found[start + place] = number
        return found

    @staticmethod
    def inflate(frame: bytes, base: bytes = b"") -> bytes:
        held = zstandard.ZstdCompressionDict(base, zstandard.DICT_TYPE_RAWCONTENT)
        return zstandard.ZstdDecompressor(dict_data=held).decompress(frame)


def numbers(data: bytes, width: int) -> list[int]:
    ends = range(width, len(data) + 1, width)
    return [int.from_bytes(data[end - width : end], "little") for end in ends]


def test_the_packs_of_earlier_versions(tmp_path: Path) -> None:
    """Both implementations read the files of the packs in tests/data, all methods."""
    packs = Packs(tmp_path, "r")
    packs.folder.mkdir(parents=True)
    for name, data in PACKS.items():
        assert hashlib.sha256(data).hexdigest() == name
        packs.path(name).write_bytes(data)
    second = Second(list(PACKS.values()))
    methods = {row[1][1] for rows in second.blocks.values() for row in rows}
    assert methods == set(range(6))
    assert {file["md5"] for file in FILES} == {oid.hex() for oid in second.files}
    for file in FILES:
        stream = packs.open(file["md5"])
        assert stream
        with stream:
            data = stream.read()
        assert second.file(file["md5"]) == data
        assert (sha256(data), len(data)) == (file["sha256"], file["size"])


def test_a_pack_of_today_by_a_second_implementation(tmp_path: Path) -> None:
    """A difference that is sorted in two runs is read by both."""
    packs = Packs(tmp_path, "r")
    rng = np.random.default_rng(0)
    base = rng.integers(0, 1 << 16, RUN + 5000, dtype=np.uint16)
    steps = rng.integers(0, 1 << 16, base.size, dtype=np.uint16)
    steps *= base >> 14 & 1  # half of them stay as they are
    files = [base.tobytes(), (base + steps).tobytes() + b"!"]
    with Writer(packs, tmp_path / "pack") as writer:
        whole, child = files
        writer.add(md5(whole), sha256(whole), [Piece(whole, 2)])
        like = hashlib.sha256(whole).digest()
        parts = [Piece(child[:-1], 2, like), Piece(child[-1:], 2)]
        writer.add(md5(child), sha256(child), parts)
        name = writer.finish()
    pack = packs.publish(tmp_path / "pack", name)

    assert SORTED in {block.method for block in pack.tables.all_blocks()}
    assert contents(packs, files) == files
    second = Second([pack.path.read_bytes()])
    assert [second.file(md5(data)) for data in files] == files


# packs that lie

X, Y = b"x" * 100, b"y" * 100
NONE = bytes(32)


def id_of(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def block(data: bytes = X, **other: Any) -> dict[str, Any]:
    """Give the row of a block that is right unless told otherwise."""
    row = {"id": id_of(data), "base": NONE, "offset": 16, "stored": 100}
    return {**row, "size": 100, "method": 0, "width": 1, "depth": 0, "zero": 0, **other}


def file(**other: Any) -> dict[str, Any]:
    row = {"md5": bytes.fromhex(md5(X)), "sha256": id_of(X), "size": 100}
    return {**row, "first": 0, "parts": 1, **other}


def part(**other: Any) -> dict[str, Any]:
    return {"block": id_of(X), "start": 0, "length": 100, **other}


def forged(
    *rows: dict[str, Any], body: bytes = X, digest: bytes = b"", **trailer: int
) -> bytes:
    """Put a pack together of which everything may be wrong."""
    layout = {"offset": ">32s32sQIIBBBB", "md5": ">16s32sQQI", "start": ">32sII"}
    tables, counts = b"", dict.fromkeys(layout, 0)
    for row in rows:
        kind = next(key for key in layout if key in row)
        tables += struct.pack(layout[kind], *row.values())
        counts[kind] += 1
    fields = {"begin": 16 + len(body), **counts, **trailer}
    digest = digest or hashlib.sha256(tables).digest()
    return (
        MAGIC
        + body
        + tables
        + struct.pack(">QIIQ32s16s", *fields.values(), digest, MAGIC)
    )


def frame(size: int) -> bytes:
    return zstandard.ZstdCompressor().compress(bytes(size))


TWO = sorted([block(), block(Y, offset=116)], key=lambda row: row["id"])
HONEST = forged(block(), file(), part())
LIES = {
    "nothing": b"",
    "no pack": bytes(500),
    "only a trailer": HONEST[-72:],
    "another beginning": b"M" + HONEST[1:],
    "more rows than bytes": forged(block(), file(), part(), offset=2**32 - 1),
    "tables beyond the end": forged(block(), file(), part(), begin=2**63),
    "tables before the blocks": forged(block(), file(), part(), begin=0),
    "another digest": forged(block(), file(), part(), digest=NONE),
    "a block of nothing": forged(block(size=0, stored=0), file(), part(), body=b""),
    "a block too large": forged(
        block(method=1, stored=len(frame(64 << 20)), size=64 << 20),
        file(size=64 << 20), part(length=64 << 20), body=frame(64 << 20),
    ),
    "a frame larger than it says": forged(
        block(method=1, stored=len(frame(4 << 20)), size=2 << 20),
        file(size=2 << 20), part(length=2 << 20), body=frame(4 << 20),
    ),
    "longer than its block": forged(block(size=99), file(size=99), part(length=99)),
    "a block beyond the end": forged(block(offset=10**12), file(), part()),
    "a block before the beginning": forged(block(offset=0), file(), part()),
    "no such method": forged(block(method=9), file(), part()),
    "no such width": forged(block(method=2, width=3), file(), part()),
    "its own base": forged(block(method=3, base=id_of(X), depth=1), file(), part()),
    "two that build on one another": forged(
        *sorted([block(method=3, base=id_of(Y), depth=1),
                 block(Y, method=3, base=id_of(X), depth=2, offset=116)],
                key=lambda row: row["id"]),
        file(), part(), body=X + Y,
    ),
    "a base that is nowhere": forged(
        block(method=3, base=id_of(b""), depth=1), file(), part()
    ),
    "a chain too long": forged(block(method=3, base=id_of(Y), depth=9), file(), part()),
    "deep without a base": forged(block(depth=1), file(), part()),
    "a delta without a base": forged(block(method=3), file(), part()),
    "a part beyond its block": forged(block(), file(), part(start=1)),
    "a part far beyond it": forged(block(), file(), part(start=2**32 - 100)),
    "a part of nothing": forged(block(), file(size=0), part(length=0)),
    "a part of no block": forged(block(), file(), part(block=NONE)),
    "parts shorter than the file": forged(block(), file(size=101), part()),
    "parts beyond the table": forged(block(), file(first=2**63, parts=2), part()),
    "parts of no file": forged(block(), file(), part(), part()),
    "bytes of no block": forged(block(), file(), part(), body=X + b"?"),
    "blocks out of order": forged(*TWO[::-1], file(), part(), body=X + Y),
    "a block twice": forged(block(), block(), file(), part()),
    "a file twice": forged(block(), file(), file(first=1), part(), part()),
    "another SHA-256": forged(block(), file(sha256=NONE), part()),
    "another block": forged(block(), file(), part(), body=Y),
}  # fmt: skip


def test_an_honest_pack_is_taken(tmp_path: Path) -> None:
    """What the lies are told about is right without them."""
    (tmp_path / "pack").write_bytes(HONEST)
    read_back(tmp_path / "pack", Packs(tmp_path, "r"))


@pytest.mark.parametrize("lie", LIES)
def test_a_pack_that_lies(lie: str, tmp_path: Path) -> None:
    """It is refused in one sentence, and nothing false is ever read from it."""
    packs = Packs(tmp_path, "r")
    packs.folder.mkdir(parents=True)
    packs.path("lie").write_bytes(LIES[lie])
    with pytest.raises(VerificationError) as caught:
        read_back(packs.path("lie"), packs)
    assert "\n" not in str(caught.value)
    assert read(packs, md5(X)) in (None, X)


def read(packs: Packs, oid: str) -> bytes | None:
    """Read a file; None where that is refused."""
    try:
        stream = packs.open(oid)
        if stream is None:
            return None
        with stream:
            return stream.read()
    except VerificationError:
        return None


@given(st.sampled_from(sorted(PACKS)), st.data())
def test_damage_anywhere_is_noticed(
    tmp_path_factory: pytest.TempPathFactory, name: str, given: st.DataObject
) -> None:
    """With any byte changed, or cut off, no file comes out wrong from a pack.

    It is refused unless they all come out right: a zstd frame has bits of no meaning.
    """
    packs = Packs(tmp_path_factory.mktemp("damaged"), "r")
    packs.folder.mkdir(parents=True)
    for other, data in PACKS.items():
        packs.path(other).write_bytes(data)  # the damaged one too: that does not help
    data = PACKS[name]
    begin = int.from_bytes(data[-72:-64])
    at = given.draw(st.integers(0, len(data) - 1))
    change = given.draw(st.integers(0, 255))
    end = bytes([data[at] ^ change]) + data[at + 1 :] if change else b""
    staged = packs.folder / "staged"
    staged.write_bytes(data[:at] + end)
    try:
        read_back(staged, packs)
        sound = True
    except VerificationError:
        sound = False
    staged.replace(packs.path(name))
    found = [read(packs, one["md5"]) for one in FILES]
    assert not sound or None not in found
    assert not sound or (begin > at >= len(MAGIC) and change)
    for back, one in zip(found, FILES, strict=True):
        assert back is None or sha256(back) == one["sha256"]
