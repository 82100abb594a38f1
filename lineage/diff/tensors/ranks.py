"""The rank of a change: of how few directions the difference of two matrices is made.

Whatever is stored was rounded, so a difference has noise beside what was meant: where
numbers lie u apart (one ulp), about u²/12, the variance of a uniform error. A singular
value counts where it is above the edge of that noise, which for independent errors is
the largest norm of a row of standard deviations plus that of a column (Bandeira and
van Handel, "Sharp nonasymptotic bounds on the norm of random matrices with independent
entries", Annals of Probability 44, 2016, theorem 3.1).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from lineage.diff.tensors.stored import Stored
from lineage.diff.tensors.widen import SIGNIFICAND, rounding, ulp, widen
from lineage.store.safetensors import BITS

if TYPE_CHECKING:
    from lineage.diff.tensors.widen import Numbers

LARGEST = 8192  # of the smaller side, whose square is held and factored in float64
MOST = 64  # directions of an update that is still said to be of low rank
_SAMPLE = 160  # rows and columns that are looked at first
_PART = 1 << 20  # elements of a part, and of what is factored as it is
_SPARE = 16  # directions of a random subspace beyond those that are looked for
_EDGE = 1.1  # times the edge of noise: it is where noise ends on average
_NOISE = 2.5  # times the energy of noise: beyond, it is not noise alone
_PATTERN = 3  # times the edge: so far a pattern in rounding errors reaches
_GAP = 4  # times smaller is what comes after a wide gap
_STEPS = 4  # of the same size, in which an update is summed up before it is added
_EXACT = 1e-12  # relative: energies below are what float64 itself leaves
_ALL = slice(None)
_GRAM = 1e-8  # relative to the largest singular value: what a Gram matrix resolves


@dataclass(frozen=True)
class Rank:
    """How many directions a change has.

    `numerical` is the number of singular values above the noise of rounding.
    `effective` is exp(H), H the entropy of the singular values as shares of their
    sum (Roy and Vetterli, "The effective rank: a measure of effective
    dimensionality", EUSIPCO 2007). `full` is the smaller side, the most there can be.
    """

    numerical: int
    effective: float
    full: int


class _Noise:
    """What rounding may have added: sums of variances by row and by column."""

    def __init__(self, rows: int, columns: int, dtype: str) -> None:
        import numpy as np

        self.rows, self.columns = np.zeros(rows), np.zeros(columns)
        self._dtype = dtype

    def add(
        self,
        new: "Numbers",
        change: "Numbers",
        rows: slice = _ALL,
        columns: slice = _ALL,
    ) -> None:
        """Take in a part: its new values were rounded, and what was added to them."""
        variance = ulp(new, self._dtype) ** 2 + _STEPS * ulp(change, self._dtype) ** 2
        self.rows[rows] += variance.sum(axis=1) / 12
        self.columns[columns] += variance.sum(axis=0) / 12

    @property
    def edge(self) -> float:
        """The singular value below which all may be noise."""
        return float(_EDGE * (self.rows.max() ** 0.5 + self.columns.max() ** 0.5))

    @property
    def energy(self) -> float:
        """The sum of all variances."""
        return float(self.rows.sum())


def is_matrix(a: Stored, b: Stored) -> bool:
    """Whether both are matrices of one shape, of floating-point numbers."""
    floats = a.dtype in SIGNIFICAND and b.dtype in SIGNIFICAND
    return floats and a.shape == b.shape and len(a.shape) > 1 and a.count > 0


def rank(a: Stored, b: Stored) -> Rank | None:
    """The rank of b - a, from the eigenvalues of its Gram matrix.

    None where it is no matrix, or larger than `LARGEST`, or not finite, or zero.
    """
    import numpy as np

    if not is_matrix(a, b) or min(_sides(a)) > LARGEST:
        return None
    rows, columns = _sides(a)
    axis = int(rows < columns)
    gram = np.zeros((min(rows, columns),) * 2)
    noise = _Noise(rows, columns, _grain(b))
    for _, part in _parts(a, b, noise, axis):
        gram += part @ part.T if axis else part.T @ part
    if not np.isfinite(gram).all() or not gram.any():
        return None
    values = np.sqrt(np.maximum(np.linalg.eigvalsh(gram), 0.0))
    shares = values[values > 0] / values.sum()
    edge = max(noise.edge, float(values.max()) * len(values) ** 0.5 * _GRAM)
    effective = np.exp(-(shares * np.log(shares)).sum())
    return Rank(int((values > edge).sum()), float(effective), len(values))


def low_rank(a: Stored, b: Stored) -> int | None:
    """The rank of b - a where it is low, and noise explains the rest; else None.

    A sample of rows and columns, whose rank is no higher, turns most changes away.
    """
    if not is_matrix(a, b):
        return None
    rows, columns = (min(side, _SAMPLE) for side in _sides(a))
    noise = _Noise(rows, columns, _grain(b))
    old, new = _sample(a), _sample(b)
    noise.add(new, new - old)
    found = _few(_values(new - old), _energy(new - old), noise)
    if found is None or max(_sides(a)) <= _SAMPLE:
        return found
    return _whole(a, b)


def _whole(a: Stored, b: Stored) -> int | None:
    """The low rank of a whole matrix, from its singular values, or the largest ones.

    Those of a large one come from a random subspace and a power iteration (Halko,
    Martinsson and Tropp, "Finding structure with randomness", SIAM Review 53, 2011,
    algorithms 4.3 and 5.1).
    """
    import numpy as np

    noise = _Noise(*_sides(a), _grain(b))
    if a.count <= _PART:
        [(_, change)] = _parts(a, b, noise)
        return _few(_values(change), _energy(change), noise)
    energy = sum(_energy(part) for _, part in _parts(a, b, noise))
    width = min(MOST + _SPARE, *_sides(a))
    basis = np.random.default_rng(0).standard_normal((_sides(a)[1], width))
    for _ in range(2):
        left = np.concatenate([part @ basis for _, part in _parts(a, b)])
        left = np.linalg.qr(left)[0]
        basis = sum(part.T @ left[rows] for rows, part in _parts(a, b))
        projected, basis = basis, np.linalg.qr(basis)[0]
    return _few(_values(projected), energy, noise)


def _few(values: "Numbers", energy: float, noise: _Noise) -> int | None:
    """How many values stand out, if they are few and the others' energy is noise.

    What is rounded after an update of one or two directions errs in a pattern, which
    stands out too, but little: below a wide gap just above the edge it is not counted.
    """
    edge = max(noise.edge, values[0] * _EXACT**0.5)
    count, bold = (int((values > edge * times).sum()) for times in (1, _PATTERN))
    if 0 < bold < count and values[bold] * _GAP < values[bold - 1]:
        count = bold
    smaller = min(len(noise.rows), len(noise.columns))
    rest = energy - float((values[:count] ** 2).sum())
    if not 0 < count <= min(MOST, smaller // 2):
        return None
    return count if rest <= _NOISE * noise.energy + _EXACT * energy else None


def _values(matrix: "Numbers") -> "Numbers":
    """Singular values, the largest first; zeros where something is not finite."""
    import numpy as np

    if not np.isfinite(matrix).all():
        return np.zeros(1)
    found: Numbers = np.linalg.svd(matrix, compute_uv=False)
    return found


def _energy(matrix: "Numbers") -> float:
    return float((matrix**2).sum())


def _sides(tensor: Stored) -> tuple[int, int]:
    """Rows and columns; a convolution's kernel is a matrix of its output channels."""
    return tensor.shape[0], prod(tensor.shape[1:])


def _grain(tensor: Stored) -> str:
    """The dtype that its values were rounded to, which a later cast may hide."""
    import numpy as np

    values = _sample(tensor)
    for dtype in ("BF16", "F16", "F32"):
        narrower = SIGNIFICAND[dtype] < SIGNIFICAND[tensor.dtype]
        towards = rounding(dtype)
        if narrower and towards and np.array_equal(towards(values), values):
            return dtype
    return tensor.dtype


def _sample(tensor: Stored) -> "Numbers":
    """Rows and columns at even distances."""
    import numpy as np

    rows, columns = (np.linspace(0, side - 1, min(side, _SAMPLE)).astype(int)
                     for side in _sides(tensor))  # fmt: skip
    width = BITS[tensor.dtype] // 8
    length = _sides(tensor)[1] * width
    raw = [
        tensor.read(row * length, (row + 1) * length).reshape(-1, width)[columns]
        for row in rows.tolist()
    ]
    found = _widened(tensor.dtype, np.concatenate(raw))
    tensor.release(0, tensor.size)
    return found.reshape(len(rows), len(columns))


def _parts(
    a: Stored, b: Stored, noise: _Noise | None = None, axis: int = 0
) -> Iterator[tuple[slice, "Numbers"]]:
    """The change in parts of whole rows, or (axis 1) columns, and which they are."""
    sides = _sides(a)
    step = max(1, _PART // sides[1 - axis])
    for start in range(0, sides[axis], step):
        span = slice(start, min(start + step, sides[axis]))
        old, new = (_cut(tensor, span, axis) for tensor in (a, b))
        change = new - old
        if noise:
            places = (_ALL, span) if axis else (span, _ALL)
            noise.add(new, change, *places)
        yield span, change


def _cut(tensor: Stored, span: slice, axis: int) -> "Numbers":
    """Some rows or columns of a tensor."""
    rows, columns = _sides(tensor)
    width = BITS[tensor.dtype] // 8
    if axis == 0:
        ends = span.start * columns * width, span.stop * columns * width
        raw, shape = tensor.read(*ends), (-1, columns)
    else:
        ends, shape = (0, tensor.size), (rows, -1)
        raw = tensor.read(*ends).reshape(rows, columns, width)[:, span]
    found = _widened(tensor.dtype, raw).reshape(shape)
    tensor.release(*ends)
    return found


def _widened(dtype: str, raw: "Numbers") -> "Numbers":
    import numpy as np

    flat = np.ascontiguousarray(raw).reshape(-1)
    found = np.empty(len(flat) * 8 // BITS[dtype])
    widen(dtype, flat, found)
    return found
