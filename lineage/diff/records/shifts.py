"""How far apart two distributions are, from the counts of each value on both sides."""

from collections.abc import Mapping
from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Counts = NDArray[np.float64]

_LARGE = 2.0**960  # sums of numbers below are finite, however many there are
_SCALE = 2.0**-64


def jensen_shannon(old: "Counts", new: "Counts") -> float:
    """The Jensen-Shannon divergence in bits, 0 (the same) to 1 (nothing shared).

    JS(p, q) = H((p + q) / 2) - (H(p) + H(q)) / 2 (Lin 1991, IEEE Transactions on
    Information Theory 37:1). scipy's `jensenshannon` is its square root.

    Args:
        old: how often each value is there; any positive total.
        new: the same, of the same values.
    """
    p, q = old / old.sum(), new / new.sum()
    found = _entropy((p + q) / 2) - (_entropy(p) + _entropy(q)) / 2
    return min(max(found, 0.0), 1.0)


def _entropy(shares: "Counts") -> float:
    import numpy as np

    some = shares[shares > 0]
    return float(-(some * np.log2(some)).sum())


def kolmogorov_smirnov(old: "Counts", new: "Counts") -> float:
    """The largest difference of two cumulative distributions, 0 to 1.

    Args:
        old: how often each value is there, the values in ascending order.
        new: the same, of the same values.
    """
    import numpy as np

    return float(np.abs(_cumulative(old) - _cumulative(new)).max())


def wasserstein(values: "Counts", old: "Counts", new: "Counts") -> float | None:
    """The first Wasserstein distance, in the unit of the values.

    The area between the two cumulative distributions (Vallender 1974, Theory of
    Probability and its Applications 18:4). None where that is no finite number.

    Args:
        values: each once, in ascending order; NaN is the last.
        old: how often each is there.
        new: the same on the other side.
    """
    import numpy as np

    if not np.isfinite(values).all():
        return None
    small, scale = _small(values)
    gaps = np.abs(_cumulative(old) - _cumulative(new))[:-1]
    return finite(float((gaps * np.diff(small)).sum()) / scale)


def mean(values: "Counts", shares: "Counts") -> float | None:
    """The mean of values of which each has its share; None where it is not finite."""
    import numpy as np

    if not np.isfinite(values).all():
        return None
    small, scale = _small(values)
    found = float((small * shares).sum()) / scale
    return min(max(found, float(values.min())), float(values.max()))


def finite(value: float) -> float | None:
    """The value, or None for what JSON has no number for."""
    return value if isfinite(value) else None


def _small(values: "Counts") -> tuple["Counts", float]:
    """The values so small that no sum of theirs overflows, and what they went down by.

    A power of two, so that nothing is rounded; no factor where none is needed, as it
    takes the last bits of the smallest numbers.
    """
    import numpy as np

    scale = _SCALE if np.abs(values).max() > _LARGE else 1.0
    return values * scale, scale


def _cumulative(counts: "Counts") -> "Counts":
    import numpy as np

    return np.asarray(counts.cumsum() / counts.sum())


def of_counts(old: Mapping[str, int], new: Mapping[str, int]) -> float:
    """The Jensen-Shannon divergence of two tables of counts."""
    import numpy as np

    names = sorted({*old, *new})
    sides = (np.array([side.get(n, 0) for n in names], float) for side in (old, new))
    return jensen_shannon(*sides)
