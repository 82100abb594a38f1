"""Two runs of elements compared: sums in float64, taken block by block.

Numpy lets other threads run while it goes through a block.
"""

from dataclasses import dataclass
from itertools import pairwise
from math import hypot, isfinite, sqrt
from threading import local
from typing import TYPE_CHECKING

from lineage.diff.tensors.widen import SINGLE, rounding, widen, widened
from lineage.store.safetensors import BITS

if TYPE_CHECKING:
    from lineage.diff.tensors.stored import Bytes
    from lineage.diff.tensors.widen import Numbers

BLOCK = 1 << 19  # elements: each call is long enough for threads not to queue
_ROW = 1 << 10  # elements whose squares are summed in their own precision
_SMALL = 1 << 14  # elements of a tensor that costs nothing to sum in float64
_SAFE = 1e-20, 1e30  # sums of squares that float32 neither loses nor overflows with
_FIRST = 1 << 12  # bytes in which most tensors that differ do
_LONG = frozenset({"I64", "U64"})
_thread = local()


@dataclass(slots=True)
class Sums:
    """What `b` is to `a`, added up over elements that are finite in both.

    `aa`, `bb`, `dd` are the sums of squares of a, b and b - a, `ab` is that of their
    products, `largest` the greatest |b - a|. `differ` counts elements of another
    value, `kept` those of b that are a's value rounded to b's dtype. `nan` and `inf`
    are counts in a and b.
    """

    count: int = 0
    differ: int = 0
    kept: int = 0
    aa: float = 0.0
    bb: float = 0.0
    ab: float = 0.0
    dd: float = 0.0
    largest: float = 0.0
    nan: tuple[int, int] = (0, 0)
    inf: tuple[int, int] = (0, 0)

    def add(self, other: "Sums") -> None:
        self.count += other.count
        self.differ += other.differ
        self.kept += other.kept
        self.aa, self.bb = self.aa + other.aa, self.bb + other.bb
        self.ab, self.dd = self.ab + other.ab, self.dd + other.dd
        self.largest = max(self.largest, other.largest)
        self.nan = self.nan[0] + other.nan[0], self.nan[1] + other.nan[1]
        self.inf = self.inf[0] + other.inf[0], self.inf[1] + other.inf[1]

    @property
    def relative(self) -> float | None:
        """||b - a|| / ||a||; None where a is all zero, or nothing could be summed."""
        if not self.dd:
            return 0.0 if self.aa or not sum(self.nan + self.inf) else None
        if not self.aa or not isfinite(self.aa) or not isfinite(self.dd):
            return None
        return sqrt(self.dd) / sqrt(self.aa)

    @property
    def cosine(self) -> float | None:
        """<a, b> / (||a|| ||b||); None where one is zero, or squares overflow.

        Where they are close it comes from ||b - a||² = ||a||² + ||b||² - 2 <a, b>, so
        that what is missing to 1 keeps its digits.
        """
        a, b, d = sqrt(self.aa), sqrt(self.bb), sqrt(self.dd)
        if not a or not b or not isfinite(hypot(a, b, d)):
            return None
        if not self.close:
            return max(-1.0, min(1.0, self.ab / a / b))
        missing = (d - abs(b - a)) / a * (d + abs(b - a)) / b / 2
        return min(1.0, 1.0 - missing)

    @property
    def close(self) -> bool:
        """Whether a and b differ by less than half of a."""
        return 4 * self.dd < self.aa

    @property
    def share(self) -> float:
        """The fraction of elements of another value."""
        return self.differ / self.count if self.count else 0.0


def same(a: "Bytes", b: "Bytes") -> bool:
    """Whether two runs of bytes are the same, found as fast as memory is read."""
    import numpy as np

    size = len(a) // 8 * 8
    ends = (0, *range(_FIRST, size, BLOCK * 8), size)
    for start, stop in pairwise(ends):
        if not np.array_equal(a[start:stop].view("u8"), b[start:stop].view("u8")):
            return False
    return bool(np.array_equal(a[size:], b[size:]))


def compare(a: "Bytes", b: "Bytes", dtypes: tuple[str, str]) -> Sums:
    """Sums over two runs of as many elements, of one dtype or of two."""
    import numpy as np

    found, widths = Sums(), [BITS[dtype] // 8 for dtype in dtypes]
    count = len(a) // widths[0]
    single = {*dtypes} <= SINGLE and count > _SMALL
    with np.errstate(all="ignore"):
        for start in range(0, count, BLOCK):
            stop = min(start + BLOCK, count)
            old, new = (
                side[start * width : stop * width]
                for side, width in zip((a, b), widths, strict=True)
            )
            block = _fast(old, new, dtypes) if single else None
            found.add(block or _exact(old, new, dtypes, stop - start))
    return found


def _fast(a: "Bytes", b: "Bytes", dtypes: tuple[str, str]) -> Sums | None:
    """Sums of products in float32, 1,024 at a time; None where that may not do.

    It errs by less than a millionth, while squares are far from float32's limits; by
    how much, and so the last digits of a figure, the processor's instructions decide.
    """
    import numpy as np

    work = _room()
    old = widened(dtypes[0], a, work[0])
    new = widened(dtypes[1], b, work[1])
    apart = np.subtract(new, old, out=work[2][: len(old)])
    found = Sums(len(old), aa=_dot(old, old), bb=_dot(new, new), dd=_dot(apart, apart))
    found.ab = _products(found, old, new)
    low, high = _SAFE
    if not all(low < s < high for s in (found.aa, found.bb, found.dd or 1.0)):
        return None
    np.abs(apart, out=apart)
    found.largest = float(apart.max())
    found.differ = int(np.count_nonzero(apart.view(np.int32)))  # zero has no bit set
    if dtypes[0] != dtypes[1]:
        found.kept = _kept(old, new, dtypes[1])
    return found


def _room() -> "Numbers":
    """Three blocks of float32 that a thread has once: new ones cost page faults."""
    import numpy as np

    if not hasattr(_thread, "room"):
        _thread.room = np.empty((3, BLOCK), np.float32)
    found: Numbers = _thread.room
    return found


def _exact(a: "Bytes", b: "Bytes", dtypes: tuple[str, str], count: int) -> Sums:
    """Sums in float64, of what is finite."""
    import numpy as np

    old, new = np.empty(count), np.empty(count)
    widen(dtypes[0], a, old)
    widen(dtypes[1], b, new)
    found = Sums(count, int(np.count_nonzero(old != new)))
    if dtypes[0] != dtypes[1]:
        found.kept = _kept(old, new, dtypes[1])
    if not isfinite(old.sum() + new.sum()):
        _apart(found, old, new)
    found.aa, found.bb, found.ab = _dot(old, old), _dot(new, new), _dot(old, new)
    np.subtract(new, old, out=new)
    if dtypes[0] == dtypes[1] and dtypes[0] in _LONG:
        found.differ = _long(a, b, new)
    found.dd = _dot(new, new)
    found.largest = float(max(new.max(), -new.min()))
    return found


def _products(found: Sums, old: "Numbers", new: "Numbers") -> float:
    """The sum of products, from the others where they are close."""
    if found.close:
        return (found.aa + found.bb - found.dd) / 2
    return _dot(old, new)


def _dot(one: "Numbers", other: "Numbers") -> float:
    """The sum of products: rows in their own precision, their sums in float64."""
    import numpy as np

    whole = len(one) // _ROW * _ROW
    rows = np.matmul(
        one[:whole].reshape(-1, 1, _ROW), other[:whole].reshape(-1, _ROW, 1)
    )
    found: float = sum(rows.ravel().tolist())  # Python's floats, and its speed
    if whole < len(one):
        found += float(np.dot(one[whole:], other[whole:]))
    return found


def _apart(found: Sums, old: "Numbers", new: "Numbers") -> None:
    """Count what is not finite, and let it weigh nothing."""
    import numpy as np

    nan = np.isnan(old), np.isnan(new)
    inf = np.isinf(old), np.isinf(new)
    found.differ -= int(np.count_nonzero(nan[0] & nan[1]))
    found.nan = int(np.count_nonzero(nan[0])), int(np.count_nonzero(nan[1]))
    found.inf = int(np.count_nonzero(inf[0])), int(np.count_nonzero(inf[1]))
    wild = nan[0] | nan[1] | inf[0] | inf[1]
    old[wild] = 0
    new[wild] = 0


def _kept(old: "Numbers", new: "Numbers", dtype: str) -> int:
    """How many new values are the old ones, rounded to the new dtype."""
    import numpy as np

    towards = rounding(dtype)
    rounded = towards(old) if towards else old
    alike = (rounded == new) | (np.isnan(rounded) & np.isnan(new))
    return int(np.count_nonzero(alike))


def _long(a: "Bytes", b: "Bytes", difference: "Numbers") -> int:
    """Mend the differences of integers that float64 cannot tell apart."""
    import numpy as np

    old, new = (side.view("<u8") for side in (a, b))
    unequal = old != new
    lost = unequal & (np.abs(difference) < 2.0**53)
    exact = (new[lost] - old[lost]).view("<i8")
    difference[lost] = exact
    return int(np.count_nonzero(unequal))
