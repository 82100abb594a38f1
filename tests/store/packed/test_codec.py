"""Blocks come back bit for bit, and what is no coded block is refused."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lineage.store.packed.codec import (
    decode,
    encode,
)

widths = st.sampled_from((1, 2, 4, 8))
SPECIAL = np.array(
    [0, 1, 0x7FC00001, 0xFFC12345, 0x7F800000, 0xFF800000, 0x80000000, 0x807FFFFF],
    dtype=np.uint32,
)  # zeros, denormals, NaNs with payloads, infinities


@st.composite
def blocks(draw: st.DrawFn) -> bytes:
    """Noise, runs, small steps, and what floats have at their edges."""
    kind = draw(st.sampled_from(("bytes", "run", "normal", "special", "noise")))
    size = draw(st.integers(0, 5000))
    rng = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    made = {
        "bytes": lambda: draw(st.binary(max_size=64)),
        "run": lambda: draw(st.binary(min_size=1, max_size=9)) * size,
        "normal": lambda: (rng.standard_normal(size) / 50).astype("f4").tobytes(),
        "special": lambda: rng.choice(SPECIAL, size).tobytes(),
        "noise": lambda: rng.bytes(size),
    }[kind]()
    return made[: draw(st.integers(max(0, len(made) - 9), len(made)))]


def nearby(block: bytes, seed: int) -> bytes:
    """The same with a few low bits changed."""
    noise = np.random.default_rng(seed).integers(0, 4, len(block), dtype=np.uint8)
    return (np.frombuffer(block, np.uint8) ^ noise).tobytes()


@given(blocks(), widths, st.none() | st.integers(0, 99) | st.just("other"))
def test_any_block_comes_back(block: bytes, width: int, kin: int | str | None) -> None:
    """Whatever the bytes, the width and the base are, decoding gives them back."""
    base = (
        {None: None, "other": block + b"x"}.get(kin)
        if not isinstance(kin, int)
        else nearby(block, kin)
    )
    coded = encode(block, width, base)
    assert decode(coded.data, coded.method, coded.width, len(block), base) == block
    assert len(coded.data) <= len(block)
