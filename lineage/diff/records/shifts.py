"""How far apart two distributions are, from the counts of each value on both sides."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Counts = NDArray[np.float64]


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


def wasserstein(values: "Counts", old: "Counts", new: "Counts") -> float:
    """The first Wasserstein distance, in the unit of the values.

    The area between the two cumulative distributions (Vallender 1974, Theory of
    Probability and its Applications 18:4).

    Args:
        values: each once, in ascending order.
        old: how often each is there.
        new: the same on the other side.
    """
    import numpy as np

    gaps = np.abs(_cumulative(old) - _cumulative(new))[:-1]
    return float((gaps * np.diff(values)).sum())


def _cumulative(counts: "Counts") -> "Counts":
    import numpy as np

    return np.asarray(counts.cumsum() / counts.sum())


def of_counts(old: Mapping[str, int], new: Mapping[str, int]) -> float:
    """The Jensen-Shannon divergence of two tables of counts."""
    import numpy as np

    names = sorted({*old, *new})
    sides = (np.array([side.get(n, 0) for n in names], float) for side in (old, new))
    return jensen_shannon(*sides)
