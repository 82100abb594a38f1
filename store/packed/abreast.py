"""Reading many packed files at once, as kin have bases in common.

Files are taken a dozen at a time and a part of each in turn: so what several build on
is decoded once, while it is at hand.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice, zip_longest
from typing import TYPE_CHECKING, TypeVar

from lineage.store.packed.blocks import AHEAD, crew
from lineage.store.packed.format import PackedFile, Segment
from lineage.store.parallel import in_order

if TYPE_CHECKING:
    from lineage.store.packed.codec import Data

T = TypeVar("T")
Files = Mapping[PackedFile, Sequence[Segment]]
Get = Callable[[bytes], "Data"]  # the bytes of a block

ABREAST = 12


def groups(files: Files) -> Iterator[Files]:
    """A few files at a time."""
    left = iter(files.items())
    while group := dict(islice(left, ABREAST)):
        yield group


def parts(get: Get, files: Files) -> Iterator[tuple[PackedFile, memoryview]]:
    """All parts of some files: the first of each, then the second of each, and so on.

    Raises:
        VerificationError: when a block is missing or damaged.
    """
    wanted = (
        (segment.block, (file, segment))
        for row in zip_longest(*files.values())
        for file, segment in zip(files, row, strict=True)
        if segment
    )
    for data, (file, segment) in each(get, wanted):
        yield file, segment.of(data)


def each(get: Get, items: Iterable[tuple[bytes, T]]) -> Iterator[tuple["Data", T]]:
    """The blocks of some ids, which threads decode, with what came with each id."""

    def task(item: tuple[bytes, T]) -> tuple["Data", T]:
        return get(item[0]), item[1]

    return in_order((crew().submit(task, item) for item in items), AHEAD)
