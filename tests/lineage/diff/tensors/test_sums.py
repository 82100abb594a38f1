"""The figures of a pair of tensors, against torch in float64."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np  # noqa: TID253
import pytest
import torch  # noqa: TID253
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lineage.diff.tensors.sums import BLOCK, compare, same
from lineage.diff.tensors.widen import NUMERIC, rounding, widen

if TYPE_CHECKING:
    from lineage.diff.tensors.stored import Bytes

TORCH = {
    "BOOL": torch.bool, "U8": torch.uint8, "I8": torch.int8, "I16": torch.int16,
    "U16": torch.uint16, "I32": torch.int32, "U32": torch.uint32, "I64": torch.int64,
    "U64": torch.uint64, "F16": torch.float16, "BF16": torch.bfloat16,
    "F32": torch.float32, "F64": torch.float64, "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2, "F8_E4M3FNUZ": torch.float8_e4m3fnuz,
    "F8_E5M2FNUZ": torch.float8_e5m2fnuz, "F8_E8M0": torch.float8_e8m0fnu,
}  # fmt: skip
SIZES = st.integers(1, 40) | st.sampled_from([BLOCK - 1, BLOCK, BLOCK + 5])


def tensor(raw: Bytes, dtype: str) -> torch.Tensor:
    return torch.from_numpy(raw.copy()).view(TORCH[dtype])


def doubles(raw: Bytes, dtype: str) -> torch.Tensor:
    """The values as torch has them."""
    found = tensor(raw, dtype)
    return (found.float() if dtype.startswith("F8") else found).to(torch.float64)


@st.composite
def bits(draw: Any, dtype: str, count: int) -> Bytes:
    """Elements of any bits that the dtype knows: all values, NaN and infinities."""
    width = TORCH[dtype].itemsize
    some = draw(arrays.arrays(np.uint8, (min(count, 40), width)))
    whole = np.resize(some, (count, width)).reshape(-1)
    return np.ascontiguousarray(whole & 1 if dtype == "BOOL" else whole)


@pytest.mark.parametrize("dtype", sorted(NUMERIC))
@given(data=st.data())
@settings(max_examples=8)
def test_every_value_is_widened_exactly(dtype: str, data: st.DataObject) -> None:
    """What torch reads as float64 we read, too, bit for bit."""
    raw = data.draw(bits(dtype, data.draw(st.integers(1, 40))))
    found = np.empty(len(raw) // TORCH[dtype].itemsize)

    widen(dtype, raw, found)

    np.testing.assert_array_equal(found, doubles(raw, dtype).numpy())


@pytest.mark.parametrize("dtype", ["F8_E4M3", "F8_E5M2", "F8_E4M3FNUZ", "F8_E8M0"])
def test_every_byte_of_an_8_bit_float(dtype: str) -> None:
    """All 256 of them mean what they mean to torch."""
    raw, found = np.arange(256, dtype=np.uint8), np.empty(256)

    widen(dtype, raw, found)

    np.testing.assert_array_equal(found, doubles(raw, dtype).numpy())


@given(
    values=arrays.arrays(np.float32, st.integers(1, 60)),
    dtype=st.sampled_from(["BF16", "F16"]),
)
def test_values_are_rounded_as_torch_rounds_them(values: Any, dtype: str) -> None:
    """Ties go to even, and what is too large becomes infinite."""
    towards = rounding(dtype)
    assert towards
    expected = torch.from_numpy(values).to(TORCH[dtype]).to(torch.float64)

    np.testing.assert_array_equal(towards(values), expected.numpy())


@pytest.mark.parametrize("dtype", sorted(NUMERIC))
@given(data=st.data())
@settings(max_examples=8)
def test_figures_of_one_dtype(dtype: str, data: st.DataObject) -> None:
    """Relative L2, cosine, max abs, share and counts, whatever the bits are."""
    count = data.draw(SIZES)
    raw = data.draw(bits(dtype, count)), data.draw(bits(dtype, count))

    check(raw, (dtype, dtype))


@given(data=st.data())
@settings(max_examples=15)
def test_figures_of_two_dtypes(data: st.DataObject) -> None:
    """Both sides are widened before they are compared."""
    dtypes = data.draw(st.tuples(*[st.sampled_from(["F32", "BF16", "F16", "F64"])] * 2))
    count = data.draw(SIZES)

    check(tuple(data.draw(bits(dtype, count)) for dtype in dtypes), dtypes)


def check(raw: Any, dtypes: tuple[str, str]) -> None:
    found = compare(raw[0], raw[1], dtypes)
    a, b = (doubles(side, dtype) for side, dtype in zip(raw, dtypes, strict=True))
    finite = a.isfinite() & b.isfinite()
    x, y = a[finite], b[finite]

    assert found.nan == (int(a.isnan().sum()), int(b.isnan().sum()))
    assert found.inf == (int(a.isinf().sum()), int(b.isinf().sum()))
    unlike = (a != b) & ~(a.isnan() & b.isnan())
    if dtypes[0] == dtypes[1] and dtypes[0] in ("I64", "U64"):
        sides = [tensor(side, dtypes[0]).view(torch.int64) for side in raw]
        unlike = sides[0] != sides[1]
        exact = [int(q) - int(p) for p, q in zip(*map(ints, raw, dtypes), strict=True)]
        assert found.largest == pytest.approx(max(map(abs, exact)), rel=1e-12)
    else:
        largest = float((y - x).abs().max()) if len(x) else 0.0
        assert found.largest == pytest.approx(largest, rel=1e-6)
    assert found.share == int(unlike.sum()) / len(a)
    norms = [float(v.norm()) for v in (x, y, y - x)]
    if all(n == 0 or 1e-150 < n < 1e150 for n in norms) and norms[0]:
        assert found.relative == pytest.approx(norms[2] / norms[0], rel=2e-6)
        if norms[1]:
            expected = float((x / norms[0]) @ (y / norms[1]))
            assert found.cosine == pytest.approx(expected, abs=2e-6)


def ints(raw: Bytes, dtype: str) -> list[int]:
    values: list[int] = raw.view("<i8" if dtype == "I64" else "<u8").tolist()
    return values


@given(st.integers(1, 3000), st.integers(0, 3000))
def test_bytes_are_the_same_only_if_all_are(size: int, place: int) -> None:
    """One byte anywhere makes the difference."""
    one = np.arange(size, dtype=np.uint8)
    other = one.copy()
    assert same(one, other)

    other[place % size] ^= 1

    assert not same(one, other)


def test_a_small_change_is_seen_in_the_cosine() -> None:
    """What is missing to 1 has its digits, though 1 - cos is below float32's."""
    draw = np.random.default_rng(1)
    a = draw.standard_normal(300_000).astype(np.float32)
    b = (a + 1e-5 * draw.standard_normal(300_000)).astype(np.float32)
    x, y = (torch.from_numpy(side).double() for side in (a, b))
    missing = 1 - float(x @ y / x.norm() / y.norm())

    found = compare(a.view(np.uint8), b.view(np.uint8), ("F32", "F32"))

    assert found.cosine is not None
    assert 1 - found.cosine == pytest.approx(missing, rel=1e-3)
