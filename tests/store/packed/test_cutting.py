"""Cuts of text: the same bytes fall into the same pieces, wherever they stand."""

from __future__ import annotations

import io
import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lineage.store.packed.cutting import GAP, LEAST, LINE, MOST, cut, pieces
from lineage.store.packed.format import BLOCK

if TYPE_CHECKING:
    from collections.abc import Sequence

WORDS = [b"model", b"data", b"loop", b"seed", b"human", b"step", b"gate"]


def records(count: int, seed: int = 0) -> list[bytes]:
    """Lines of JSON of about 240 bytes, no two the same."""
    draw = random.Random(seed)  # noqa: S311 - no secret
    return [
        b'{"id": %d, "text": "%s", "score": %.4f}\n'
        % (draw.getrandbits(40), b" ".join(draw.choices(WORDS, k=38)), draw.random())
        for _ in range(count)
    ]


LINES = records(60_000)  # 14 MB
TEXT = b"".join(LINES)


def parts(data: bytes) -> list[bytes]:
    """The pieces of `data`."""
    rest = io.BytesIO(data)
    return [rest.read(length) for length in cut(data)]


PARTS = parts(TEXT)


def lost(old: Sequence[bytes], new: Sequence[bytes]) -> int:
    """How many of the new pieces are none of the old."""
    return len(set(new) - set(old))


@settings(deadline=None, max_examples=20)
@given(
    st.lists(
        st.tuples(st.binary(min_size=1, max_size=40), st.integers(1, 30_000)),
        max_size=5,
    )
)
@example([(b"\0", 3 * MOST)])
@example([(bytes(range(256)), 9000)])
@example([(b"no end of line ", 200_000)])
@example([(b"x" * 63, 1)])
@example([(b"x" * 64, 1)])
def test_any_bytes(runs: list[tuple[bytes, int]]) -> None:
    """Pieces of any bytes make them again, and have lengths within the limits."""
    data = b"".join(unit * count for unit, count in runs)
    lengths = cut(data)
    assert sum(lengths) == len(data)
    assert all(LEAST <= length <= MOST + LINE for length in lengths[:-1])
    assert all(0 < length <= MOST + LINE for length in lengths[-1:])


def test_pieces_are_lines() -> None:
    """Each piece of a text of lines is whole lines, near the size that is meant."""
    assert b"".join(PARTS) == TEXT
    assert all(piece.endswith(b"\n") for piece in PARTS)
    assert LEAST < len(TEXT) / len(PARTS) < LEAST + 3 * GAP


@settings(deadline=None, max_examples=10)
@given(st.integers(0, len(LINES)), st.integers(0, 3), st.integers(0, 3))
def test_an_edit_is_local(at: int, removed: int, added: int) -> None:
    """Lines that are replaced, removed or inserted change the pieces around them."""
    edited = [*LINES[:at], *records(added, seed=1), *LINES[at + removed :]]
    assert lost(PARTS, parts(b"".join(edited))) <= 3


def test_what_is_added_at_the_end() -> None:
    """Of a text that another begins with, all pieces but the last are in the other."""
    old, new = parts(TEXT[:9_000_001]), PARTS
    assert old[:-1] == new[: len(old) - 1]


def test_a_part_of_another_text() -> None:
    """What is taken out of a text falls into its pieces, but for the ends."""
    new = parts(TEXT[1_234_567:13_210_123])
    assert len(new) > 8
    assert lost(PARTS, new) <= 4


class Trickle(io.BytesIO):
    """A file that gives less than it is asked for."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size or 0, 3_333_333))


@pytest.mark.parametrize("file", [io.BytesIO, Trickle])
@pytest.mark.parametrize("data", [b"", TEXT, TEXT[: 9 << 20]])
def test_reading_bit_by_bit(file: type[io.BytesIO], data: bytes) -> None:
    """A file that is read bit by bit falls into the pieces of the whole."""
    assert [piece.data for piece in pieces(file(data))] == parts(data)


@pytest.mark.parametrize("file", [io.BytesIO, Trickle])
@pytest.mark.parametrize("size", [1, LEAST, BLOCK])
def test_what_fits_into_a_block(file: type[io.BytesIO], size: int) -> None:
    """A file that fits into a block is one piece."""
    assert [piece.data for piece in pieces(file(TEXT[:size]))] == [TEXT[:size]]
    assert len(list(pieces(file(TEXT[: BLOCK + 1])))) > 1


def test_cuts_stay_where_they_are() -> None:
    """Cuts are the same in every version and on every machine, or nothing is shared."""
    assert cut(TEXT)[:4] == [2412559, 801578, 2230664, 2382789]
