"""Cutting a stream of things into lists that are neither too many nor too large."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def batches(
    items: Iterable[T],
    weigh: Callable[[T], int],
    heavy: int,
    many: int = 1 << 62,
    least: int = 1,
) -> Iterator[list[T]]:
    """Lists of items in their order, each closed at the weight `heavy` or at `many`.

    However heavy they are, it has `least` of them.
    """
    batch: list[T] = []
    weight = 0
    for item in items:
        batch.append(item)
        weight += weigh(item)
        if len(batch) >= many or (weight >= heavy and len(batch) >= least):
            yield batch
            batch, weight = [], 0
    if batch:
        yield batch
