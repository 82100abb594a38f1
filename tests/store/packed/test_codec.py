"""Blocks come back bit for bit, and what is no coded block is refused."""

import struct
import subprocess
import sys

import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lineage.errors import VerificationError
from lineage.store.packed.codec import (
    DELTAS,
    PLAIN,
    RAW,
    SORTED,
    SUB,
    XOR,
    ZSTD,
    Coded,
    _elements,
    _packed,
    decode,
    encode,
    encode_text,
)
from lineage.store.packed.elements import RUN
from lineage.store.packed.format import BLOCK

WIDTHS = (1, 2, 4, 8)
EDGES = np.array(
    [0, 1, 0x7FC00001, 0xFFC12345, 0x7F800000, 0xFF800000, 0x80000000, 0x807FFFFF],
    dtype=np.uint32,
)  # zeros, denormals, NaNs with payloads, infinities


@st.composite
def blocks(draw: st.DrawFn) -> bytes:
    """Noise, runs, small steps, and what floats have at their edges."""
    kinds = ("bytes", "run", "normal", "edges", "noise", "sparse")
    kind = draw(st.sampled_from(kinds))
    size = draw(st.integers(0, 5000))
    rng = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    made = {
        "bytes": lambda: draw(st.binary(max_size=64)),
        "run": lambda: draw(st.binary(min_size=1, max_size=9)) * size,
        "normal": lambda: weights(rng, size).tobytes(),
        "edges": lambda: rng.choice(EDGES, size).tobytes(),
        "noise": lambda: rng.bytes(size),
        "sparse": lambda: (rng.integers(0, 9, size) // 7).astype("u1").tobytes(),
    }[kind]()
    return made[: draw(st.integers(max(0, len(made) - 9), len(made)))]


def weights(
    rng: np.random.Generator, count: int
) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    return (rng.standard_normal(count) / 50).astype(np.float32)


def bf16(values: NDArray[np.float32]) -> bytes:
    return (values.view(np.uint32) >> 16).astype(np.uint16).tobytes()


def nearby(block: bytes, seed: int) -> bytes:
    """The same with a few low bits changed."""
    noise = np.random.default_rng(seed).integers(0, 4, len(block), dtype=np.uint8)
    return (np.frombuffer(block, np.uint8) ^ noise).tobytes()


def decoded(coded: Coded, size: int, base: bytes | None = None) -> bytes:
    return bytes(decode(coded.data, coded.method, coded.width, size, base))


def reference_plane(how: int, data: bytes, count: int) -> bytes:
    if how == 0:
        return small(data, count)
    [length] = struct.unpack("<I", data[:4])
    zeros = small(data[4 : 4 + length], (count + 7) // 8)
    places = [i for i in range(count) if zeros[i // 8] >> i % 8 & 1]
    values = small(data[4 + length :], len(places))
    plane = bytearray(count)
    for i, value in zip(places, values, strict=True):
        plane[i] = value
    return bytes(plane)


def small(data: bytes, size: int) -> bytes:
    return data if len(data) == size else zstandard.decompress(data)


def reference(coded: Coded, size: int, base: bytes = b"") -> bytes:
    """As the docstring of the codec has it, number by number."""
    method, width, data = coded
    if method == RAW:
        return data
    if method == ZSTD:
        return zstandard.decompress(data)
    count = size // width
    heads, data = data[: 5 * width], data[5 * width :]
    planes = []
    for how, length in struct.iter_unpack("<BI", heads):
        planes.append(reference_plane(how, data[:length], count))
        data = data[length:]
    numbers = [
        sum(b << 8 * i for i, b in enumerate(row)) for row in zip(*planes, strict=True)
    ]
    bits = 8 * width
    others = [
        int.from_bytes(base[i : i + width], "little")
        for i in range(0, count * width, width)
    ]
    made = [0] * count
    order = list(range(count))
    if method == SORTED:
        keys = [(2 * other % 2**bits) >> (bits - 8) for other in others]
        order.sort(key=lambda i: (i // RUN, keys[i]))
    for i, number in zip(order, numbers, strict=True):
        if method == PLAIN:
            made[i] = number >> 1 | (number & 1) << (bits - 1)
        elif method == XOR:
            made[i] = number ^ others[i]
        else:
            step = -(number + 1) // 2 if number % 2 else number // 2
            made[i] = (others[i] + step) % 2**bits
    return b"".join(number.to_bytes(width, "little") for number in made) + data


kin = st.none() | st.integers(0, 99)


@given(blocks(), st.sampled_from(WIDTHS), kin)
def test_any_block_comes_back(block: bytes, width: int, seed: int | None) -> None:
    """Whatever the bytes, the width and the base, they come back, and never longer.

    A second decoder, written from the description, says the same.
    """
    base = None if seed is None else nearby(block, seed)
    coded = encode(block, width, base)
    assert decoded(coded, len(block), base) == block
    assert reference(coded, len(block), base or b"") == block
    assert len(coded.data) <= len(block)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("method", sorted(DELTAS | {PLAIN}))
def test_each_way_of_coding_goes_back(method: int, width: int) -> None:
    """Each method, also where `encode` would not take it, and over several runs."""
    rng = np.random.default_rng(width)
    for count in (0, 1, 1000, RUN + 7 if width < 4 else 77):
        base = rng.bytes(count * width)
        block = nearby(base, count) if method == XOR else rng.bytes(count * width)
        data = _packed(method, _elements(block, width), _elements(base, width))
        tail = b"end"[: width - 1]
        coded = Coded(method, width, data + tail)
        size = len(block + tail)
        assert decoded(coded, size, base + tail) == block + tail
        if count <= 1000:
            assert reference(coded, size, base + tail) == block + tail


def test_a_base_of_another_size_is_of_no_use() -> None:
    """The block is coded by itself, and decoded without it."""
    block = bf16(weights(np.random.default_rng(0), 1000))
    assert encode(block, 2, block + b"x") == encode(block, 2)


def test_a_fine_tune_is_a_difference() -> None:
    """A bf16 model after small steps takes two thirds of what it would by itself."""
    rng = np.random.default_rng(0)
    base = weights(rng, BLOCK // 2)
    child = base + weights(rng, base.size) / np.float32(100)
    coded = encode(bf16(child), 2, bf16(base))
    assert coded.method == SUB
    assert len(coded.data) < 0.66 * len(encode(bf16(child), 2).data)


def test_weights_of_many_sizes_are_sorted() -> None:
    """Where steps tell by the exponent how large they are, sorting saves a bit each."""
    rng = np.random.default_rng(0)
    base = weights(rng, BLOCK // 4) * 2.0 ** -rng.integers(0, 12, BLOCK // 4)
    base = base.astype(np.float32)
    child = base + weights(rng, base.size) / np.float32(1000)
    coded = encode(child.tobytes(), 4, base.tobytes())
    assert coded.method == SORTED
    assert decoded(coded, BLOCK, base.tobytes()) == child.tobytes()
    forced = _packed(SUB, _elements(child.tobytes(), 4), _elements(base.tobytes(), 4))
    assert len(coded.data) < len(forced) - base.size / 8


def test_a_stranger_is_coded_by_itself() -> None:
    """Where the base does not help, the block is coded without it."""
    rng = np.random.default_rng(0)
    block, other = (weights(rng, 1 << 18).tobytes() for _ in range(2))
    assert encode(block, 4, other) == encode(block, 4)
    assert encode(block, 4, other).method == PLAIN


def test_flipped_bits_are_coded_by_xor() -> None:
    """Where single bits change, XOR is the smallest."""
    rng = np.random.default_rng(0)
    base = rng.integers(0, 1 << 32, 1 << 16, dtype=np.uint32)
    flips = rng.integers(0, 1 << 32, base.size, dtype=np.uint32) & 0x11111111
    assert encode((base ^ flips).tobytes(), 4, base.tobytes()).method == XOR


def test_noise_stays_as_it_is() -> None:
    """What cannot be made smaller costs nothing."""
    block = np.random.default_rng(0).bytes(1 << 16)
    assert encode(block, 2) == Coded(RAW, 2, block)


def test_bytes_that_repeat_go_to_zstd() -> None:
    """Bytes that are no numbers are coded by what was there before."""
    lines = "".join(f'{{"id": {i}, "text": "so it is"}}\n' for i in range(3000))
    coded = encode(lines.encode(), 1)
    assert coded.method == ZSTD
    assert decoded(coded, len(lines)) == lines.encode()


@given(st.binary(max_size=300), st.binary(max_size=300), st.integers(1, 19))
def test_text_comes_back(block: bytes, dictionary: bytes, level: int) -> None:
    """With a dictionary, whatever that begins with, or without one."""
    for prefix in (b"", b"\x37\xa4\x30\xec"):  # the magic of a trained dictionary
        base = prefix + dictionary
        coded = encode_text(block, base, level)
        assert decoded(coded, len(block), base) == block
    assert decoded(encode_text(block, None, level), len(block)) == block


def test_a_dictionary_pays() -> None:
    """Text that its dictionary has takes next to nothing."""
    text = np.random.default_rng(0).bytes(5000).hex().encode()
    assert len(encode_text(text, text).data) < 60


@given(
    blocks(),
    st.sampled_from(WIDTHS),
    kin,
    st.sampled_from(("cut", "longer", "changed")),
    st.data(),
)
def test_damage_is_refused_or_stays_in_the_block(
    block: bytes, width: int, seed: int | None, how: str, data: st.DataObject
) -> None:
    """A code that is not whole is refused; other damage yields as many bytes."""
    base = None if seed is None else nearby(block, seed)
    coded = encode(block, width, base)
    place = data.draw(st.integers(0, max(0, len(coded.data) - 1)))
    harmed = {
        "cut": coded.data[:place],
        "longer": coded.data + b"\0",
        "changed": coded.data[:place]
        + data.draw(st.binary(min_size=1, max_size=4))
        + coded.data[place + 1 :],
    }[how]
    if harmed == coded.data:
        return
    try:
        found = decoded(coded._replace(data=harmed), len(block), base)
    except VerificationError as error:
        assert "\n" not in str(error)  # noqa: PT017
    else:
        assert how == "changed"
        assert len(found) == len(block)


def bomb(size: int) -> bytes:
    """A frame that claims `size` bytes, and repeats one as often as it can."""
    head = b"\x28\xb5\x2f\xfd\xe0" + struct.pack("<Q", size)
    return head + (b"\x02\x00\x10" + b"A") * 1000 + b"\x01\x00\x00"


def head(how: int, plane: bytes) -> bytes:
    return struct.pack("<BI", how, len(plane)) + plane


@pytest.mark.parametrize(
    ("data", "method", "width", "size", "base"),
    [
        (b"x", RAW, 1, 2, None),
        (b"x", RAW, 1, BLOCK + 1, None),
        (b"x", RAW, 1, -1, None),
        (b"", ZSTD, 1, 10, None),
        (bomb(1 << 40), ZSTD, 1, 10, None),
        (bomb(1 << 40), ZSTD, 1, 1 << 40, None),
        (bomb(10), ZSTD, 1, 10, None),
        (zstandard.compress(b"x" * 10) * 2, ZSTD, 1, 10, None),
        (zstandard.compress(b"x" * 10)[:-1], ZSTD, 1, 10, None),
        (head(0, bomb(1 << 40)), PLAIN, 1, 10, None),
        (struct.pack("<BI", 0, 1 << 31) + b"x" * 10, PLAIN, 1, 10, None),
        (head(0, b"x" * 10)[:-1], PLAIN, 1, 10, None),
        (head(0, b"x" * 10) + b"x", PLAIN, 1, 10, None),
        (head(1, b"x" * 3), PLAIN, 1, 10, None),
        (head(1, struct.pack("<I", 2) + b"\1\2" + b"x"), PLAIN, 1, 10, None),
        (head(1, struct.pack("<I", 1) + b"\1" + b"x"), PLAIN, 1, 10, None),
        (head(1, struct.pack("<I", 1 << 31) + b"\1\4" + b"xx"), PLAIN, 1, 10, None),
        (head(2, b"x" * 10), PLAIN, 1, 10, None),
        (bytes(9), PLAIN, 2, 10, None),
        (bytes(10), PLAIN, 2, 10, None),
        (bytes(8), PLAIN, 3, 10, None),
        (bytes(8), PLAIN, 0, 10, None),
        (bytes(8), 6, 1, 4, None),
        (bytes(8), -1, 1, 4, None),
        (head(0, b"abcd"), XOR, 1, 4, None),
        (head(0, b"abcd"), SUB, 1, 4, b"abc"),
        (head(0, b"abcd"), SORTED, 1, 4, b"abcde"),
    ],
)
def test_what_is_no_code_is_refused(
    data: bytes, method: int, width: int, size: int, base: bytes | None
) -> None:
    """Lies about sizes, widths, methods and bases end in a sentence."""
    with pytest.raises(VerificationError, match="pack"):
        decode(data, method, width, size, base)


@pytest.mark.parametrize("missing", ["numpy", "zstandard"])
def test_a_missing_library_is_said(missing: str) -> None:
    """Without the extra, one sentence says what to install."""
    code = f"""
import sys
sys.modules[{missing!r}] = None
from lineage.errors import StoreError
try:
    import lineage.store.packed.codec
except StoreError as error:
    print(error, "/", error.hint)
"""
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert (
        ran.stdout
        == f"packs need {missing} / install it: pip install 'lineage-vcs[pack]'\n"
    )
