"""Whether numbers are what a sum gives when it is rounded to their format."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    Doubles = np.ndarray[tuple[int], np.dtype[np.float64]]
    Booleans = np.ndarray[tuple[int], np.dtype[np.bool_]]


def rounded(
    values: "Doubles",
    wanted: "Doubles",
    dtype: str,
    *,
    size: "Doubles",
    steps: int = 1,
    slack: "Doubles | float" = 0.0,
) -> "Booleans":
    """Which of `values`, stored as `dtype`, can be `wanted` after `steps` roundings.

    Each rounding errs by a unit in the last place, at most, of the largest number on
    the way, which is no larger than `size`. `slack` is how far off `wanted` may be.
    """
    import numpy as np

    from lineage.diff.tensors.widen import ulp

    with np.errstate(invalid="ignore"):
        near = np.abs(values - wanted) <= steps * ulp(size, dtype) + slack
    same: Booleans = np.logical_or(near, values == wanted)
    return same
