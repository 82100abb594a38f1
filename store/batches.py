"""Cutting a stream of things into lists that are neither too many nor too large."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def batches(
    items: Iterable[T], weigh: Callable[[T], int], heavy: int, many: int = 1 << 62
) -> Iterator[list[T]]:
    """Lists of items in their order, each closed at the weight `heavy` or at `many`."""
    batch: list[T] = []
    weight = 0
    for item in items:
        batch.append(item)
        weight += weigh(item)
        if weight >= heavy or len(batch) >= many:
            yield batch
            batch, weight = [], 0
    if batch:
        yield batch
