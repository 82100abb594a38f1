"""What a file is, as far as packing goes."""

from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from lineage.store.packed.split import Extent


def parts(file: BinaryIO) -> "list[Extent] | None":
    """The tensors of a file and what lies between; None for what has no elements.

    A file of one number after the other, such as NumPy's, is one part.
    """
    from lineage.store.packed.split import extents

    found = extents(file)
    whole = len(found) == 1 and not found[0].name
    return None if whole and found[0].width == 1 else found
