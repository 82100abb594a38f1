"""Elements of every dtype as float64, exactly; and a value rounded to a dtype.

F8_E4M3 is e4m3fn and F8_E5M2 the IEEE-like one (Micikevicius et al., "FP8 Formats
for Deep Learning", 2022, table 1); the FNUZ variants have one zero and one NaN, at
0x80, and a bias greater by one. F8_E8M0 is a power of two (OCP Microscaling 1.0).
"""

from functools import cache
from typing import TYPE_CHECKING, Any

from lineage.store.safetensors import BITS

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from lineage.diff.tensors.stored import Bytes

    Numbers = np.ndarray[Any, np.dtype[Any]]  # float32 or float64

# numpy's names of what it can read itself; BOOL is read as 0 and 1
NATIVE = {
    "BOOL": "?", "U8": "u1", "I8": "i1", "U16": "<u2", "I16": "<i2", "U32": "<u4",
    "I32": "<i4", "U64": "<u8", "I64": "<i8", "F16": "<f2", "F32": "<f4", "F64": "<f8",
}  # fmt: skip
_EIGHTS = {  # exponent bits, bias
    "F8_E4M3": (4, 7), "F8_E5M2": (5, 15), "F8_E4M3FNUZ": (4, 8),
    "F8_E5M2FNUZ": (5, 16),
}  # fmt: skip
NUMERIC = frozenset({*NATIVE, *_EIGHTS, "BF16", "F8_E8M0"})
SINGLE = NUMERIC - {"F64", "U32", "I32", "U64", "I64"}  # float32 holds their values
# Bits of the significand, the hidden one among them: rounding errs by half an ulp.
SIGNIFICAND = {
    "F64": 53, "F32": 24, "F16": 11, "BF16": 8,
    "F8_E4M3": 4, "F8_E5M2": 3, "F8_E4M3FNUZ": 4, "F8_E5M2FNUZ": 3,
}  # fmt: skip
SMALLEST = {  # exponent of the smallest normal number
    "F64": -1022, "F32": -126, "F16": -14, "BF16": -126,
    "F8_E4M3": -6, "F8_E5M2": -14, "F8_E4M3FNUZ": -7, "F8_E5M2FNUZ": -15,
}  # fmt: skip


def widened(dtype: str, raw: "Bytes", work: "Numbers") -> "Numbers":
    """The elements in `raw`: as they lie where they are float32, else in `work`."""
    if dtype == "F32":
        return raw.view("<f4")
    out = work[: len(raw) * 8 // BITS[dtype]]
    widen(dtype, raw, out)
    return out


def widen(dtype: str, raw: "Bytes", out: "Numbers") -> None:
    """Write the elements in `raw` into as long an `out`, whose type has them all."""
    import numpy as np

    if dtype == "BF16":
        single = out if out.dtype == np.float32 else np.empty(len(out), np.float32)
        bits = single.view(np.uint32)
        np.copyto(bits, raw.view("<u2"))
        np.left_shift(bits, 16, out=bits)
        if single is not out:
            with np.errstate(invalid="ignore"):  # a signalling NaN
                np.copyto(out, single)
    elif dtype in NATIVE:
        with np.errstate(invalid="ignore"):
            np.copyto(out, raw.view(NATIVE[dtype]))
    else:
        np.take(_table(dtype), raw, out=out, mode="clip")


@cache
def _table(dtype: str) -> "Numbers":
    """What each of the 256 bytes of an 8-bit float means."""
    import numpy as np

    code = np.arange(256, dtype=np.int64)
    if dtype == "F8_E8M0":
        powers: Numbers = np.ldexp(1.0, code - 127)
        powers[255] = np.nan
        return powers
    exponent_bits, bias = _EIGHTS[dtype]
    mantissa_bits = 7 - exponent_bits
    exponent = code >> mantissa_bits & (1 << exponent_bits) - 1
    fraction = code & (1 << mantissa_bits) - 1
    significand = np.where(exponent > 0, fraction + (1 << mantissa_bits), fraction)
    scale = np.maximum(exponent, 1) - bias - mantissa_bits
    value: Numbers = np.ldexp(significand.astype(float), scale) * np.where(
        code < 128, 1, -1
    )
    if dtype.endswith("FNUZ"):
        value[0x80] = np.nan
    elif dtype == "F8_E4M3":
        value[[0x7F, 0xFF]] = np.nan
    else:
        top = exponent == 31
        value[top & (fraction > 0)] = np.nan
        value[top & (fraction == 0)] *= np.inf
    return value


def rounding(dtype: str) -> "Callable[[Numbers], Numbers] | None":
    """How to round to a dtype, ties to even; None where that is not known.

    To BF16 a value goes by way of float32, as every cast of float32 weights does.
    """
    import numpy as np

    def native(values: "Numbers") -> "Numbers":
        with np.errstate(over="ignore"):
            return values.astype(NATIVE[dtype])

    def brain(values: "Numbers") -> "Numbers":
        with np.errstate(over="ignore"):
            bits = values.astype(np.float32).view(np.uint32)
        bits += np.uint32(0x7FFF) + (bits >> np.uint32(16) & np.uint32(1))
        bits &= np.uint32(0xFFFF0000)
        return bits.view(np.float32)

    return {"BF16": brain, "F16": native, "F32": native, "F64": native}.get(dtype)


def ulp(values: "Numbers", dtype: str) -> "Numbers":
    """How far apart the numbers of `dtype` are around each of `values`."""
    import numpy as np

    exponent = np.where(values == 0, SMALLEST[dtype], np.frexp(values)[1] - 1)
    exponent = np.maximum(exponent, SMALLEST[dtype])
    found: Numbers = np.ldexp(1.0, exponent - (SIGNIFICAND[dtype] - 1))
    return found
