"""The elements of a block, and what is done to them before they are coded.

An element is `width` bytes, seen as an unsigned number. All is done run by run: a
run fits into the processor's cache, and sorting one is fast.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from lineage.store.packed.planes import Plane

Elements = np.ndarray[tuple[int], np.dtype[Any]]

PLAIN, XOR, SUB, SORTED = 2, 3, 4, 5

RUN = 1 << 19  # elements

UNSIGNED = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}
_SIGNED = {1: np.int8, 2: np.int16, 4: np.int32, 8: np.int64}


def prepared(method: int, elements: Elements, base: Elements) -> Elements:
    """One run, made so that its planes are easy to code; `restored` is the way back."""
    if method == PLAIN:
        return (elements << 1) | (elements >> _top(elements))
    if method == XOR:
        return elements ^ base
    zigzag = _zigzag(elements - base)
    return zigzag if method == SUB else zigzag.take(_order(base))


def restored(method: int, run: Elements, base: Elements) -> Elements:
    if method == PLAIN:
        return (run >> 1) | (run << _top(run))
    if method == XOR:
        return run ^ base
    if method == SORTED:
        zigzag = np.empty_like(run)
        zigzag[_order(base)] = run
        run = zigzag
    return ((run >> 1) ^ -(run & 1)) + base


def _top(elements: Elements) -> int:
    return 8 * elements.itemsize - 1


def _zigzag(differences: Elements) -> Elements:
    signed = differences.view(_SIGNED[differences.itemsize])
    return ((signed << 1) ^ (signed >> _top(differences))).view(differences.dtype)


def _order(base: Elements) -> "np.ndarray[tuple[int], np.dtype[np.intp]]":
    """The run's elements by the exponent of the base's, else as they are.

    That is by the eight bits after the sign. The smaller a weight, the more of its
    steps a change takes: elements of one exponent change by about as many.
    """
    shift = _top(base) - 8
    keys = base << 1 if shift < 0 else base >> shift
    return np.argsort(keys.astype(np.uint8), kind="stable")


def split(runs: Iterator[Elements], count: int, width: int) -> list[Plane]:
    """Plane i has byte i of each of the `count` elements of the runs."""
    planes = [np.empty(count, dtype=np.uint8) for _ in range(width)]
    start = 0
    for run in runs:
        stop = start + run.size
        for i, plane in enumerate(planes):
            plane[start:stop] = run >> 8 * i
        start = stop
    return planes


def joined(planes: list[Plane]) -> Elements:
    """A run of elements from its part of each plane."""
    *lower, highest = planes
    run = highest.astype(UNSIGNED[len(planes)])
    for plane in reversed(lower):
        run <<= 8
        run |= plane
    return run
