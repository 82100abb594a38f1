"""Which files are added to a pack together."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from lineage.packing.cold import Cold
from lineage.store.batches import batches

_GROUP = 64 << 20  # bytes of small files that are added at once


def is_small(file: Cold) -> bool:
    """Whether a file shares blocks with others."""
    from lineage.store.packed.text import SMALL

    return file.entry.size < SMALL


def jobs(files: Iterable[Cold]) -> Iterator[list[Cold]]:
    """Each large file alone, in order; then small ones, those of a suffix together."""
    from lineage.store.packed.text import neighbours

    small = []
    for file in files:
        if is_small(file):
            small.append(file)
        else:
            yield [file]
    small.sort(key=lambda file: neighbours(file.entry.path))
    for _, alike in groupby(small, lambda file: neighbours(file.entry.path)[0]):
        yield from batches(alike, lambda file: file.entry.size, _GROUP)
