"""On what a tensor's blocks may build: on those of the commit's parents, by the DAG.

A parent along any of `ROLES` may have a tensor of the same name and length, in
whichever of its files it lies; where several do, the one is taken whose sample
leaves the smallest difference. Members of PyTorch's archives are only numbered, so
they count as the same in files of one name alone. A parent's file is looked at as
it is packed: blocks build on blocks.
"""

from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Sequence
from itertools import accumulate
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from lineage.registry import Registry
from lineage.store.files import FileEntry
from lineage.store.packed.format import BLOCK, Segment

if TYPE_CHECKING:
    from lineage.store.packed.packs import Packs
    from lineage.store.packed.split import Extent

ROLES = (
    "fine_tuned_from",
    "merged_from",
    "quantized_from",
    "distilled_from",
    "derived_from",
    "revises",
    "follows",
)
_NAMED = {".safetensors"}  # files whose tensors have names of their own
_SAMPLE = 1 << 18  # bytes of a block that bases are compared by
_HELD = 512  # layouts that are kept for further children
Base = Callable[[int], bytes | None]


class Layout:
    """Where the tensors of one packed file lie, and in which blocks."""

    def __init__(self, segments: Sequence[Segment], found: Sequence["Extent"]) -> None:
        lengths = (segment.length for segment in segments)
        self._starts = list(accumulate(lengths, initial=0))
        self._segments = segments
        self.extents = {(e.name, e.size, e.width): e.start for e in found}

    def block(self, start: int, length: int) -> bytes | None:
        """The block that is the `length` bytes from `start`, if there is one."""
        number = bisect_left(self._starts, start)
        if number >= len(self._segments) or self._starts[number] != start:
            return None
        segment = self._segments[number]
        whole = segment.start == 0 and segment.length == length
        return segment.block if whole else None


class _Tensor(NamedTuple):
    """A tensor of a parent: its file's layout and where it begins there."""

    layout: Layout
    start: int


class Bases:
    """The packed files of commits' parents."""

    def __init__(self, registry: Registry, packs: "Packs") -> None:
        self._registry = registry
        self._packs = packs
        self._layouts: OrderedDict[str, Layout] = OrderedDict()

    def parents(self, id_: str) -> list[str]:
        """The commits that files of a commit may build on."""
        edges = self._registry.load(id_).edges
        named = dict.fromkeys(edge.id for edge in edges if edge.role in ROLES)
        return [parent for parent in named if parent in self._registry.ids]

    def of(self, id_: str, path: str) -> "FileBases":
        """What the file `path` of a commit may build on."""
        layouts, plain = [], []
        for parent in self.parents(id_):
            kin = [e for e in self._registry.files(parent) if _is_kin(e, path)]
            found = list(filter(None, map(self._layout, sorted(kin, key=_first(path)))))
            layouts += found
            if kin and not found:
                plain.append(parent)
        return FileBases(self._packs, layouts, plain)

    def learn(self, oid: str, layout: Layout) -> None:
        """Take a file that has just been packed for one that others may build on."""
        self._layouts[oid] = layout
        while len(self._layouts) > _HELD:
            self._layouts.popitem(last=False)

    def _layout(self, entry: FileEntry) -> Layout | None:
        oid = entry.md5
        if oid not in self._layouts:
            found = self._read(entry) if oid else None
            if found is None:
                return None
            self.learn(oid, found)
        self._layouts.move_to_end(oid)
        return self._layouts[oid]

    def _read(self, entry: FileEntry) -> Layout | None:
        from lineage.packing.kinds import parts

        segments, file = self._packs.segments(entry.md5), self._packs.open(entry.md5)
        if segments is None or file is None:
            return None
        with file:
            found = parts(file)
        return Layout(segments, found) if found else None


class FileBases:
    """The blocks that one file's may build on.

    `plain` are the parents whose weights, if these are some, cannot be built on.
    """

    def __init__(
        self, packs: "Packs", layouts: Sequence[Layout], plain: Sequence[str]
    ) -> None:
        self._packs = packs
        self._layouts = layouts
        self.plain = plain

    @property
    def count(self) -> int:
        """How many files may be built on."""
        return len(self._layouts)

    def of(self, file: BinaryIO, extent: "Extent") -> Base:
        """By offset in a tensor: the block for that of the tensor there."""
        key = (extent.name, extent.size, extent.width)
        found = [
            _Tensor(layout, layout.extents[key])
            for layout in self._layouts
            if key in layout.extents
        ]
        best = found[0] if len(found) == 1 else self._best(file, extent, found)

        def base(offset: int) -> bytes | None:
            length = min(BLOCK, extent.size - offset)
            return best and best.layout.block(best.start + offset, length)

        return base

    def _best(
        self, file: BinaryIO, extent: "Extent", found: Sequence[_Tensor]
    ) -> _Tensor | None:
        """The tensor from which a block of the middle differs least."""
        from lineage.store.packed.codec import encode

        offset = extent.size // BLOCK // 2 * BLOCK
        length = min(BLOCK, extent.size - offset)
        seen: dict[bytes, tuple[int, _Tensor]] = {}
        for tensor in found:
            id_ = tensor.layout.block(tensor.start + offset, length)
            if id_ and id_ not in seen:
                file.seek(extent.start + offset)
                sample = file.read(min(length, _SAMPLE))
                base = self._packs.block(id_)[: len(sample)]
                size = len(encode(sample, extent.width, base).data)
                seen[id_] = size, tensor
        return min(seen.values(), key=lambda pair: pair[0])[1] if seen else None


def _first(path: str) -> Callable[[FileEntry], bool]:
    """The sort key by which the file of a path comes before all others."""
    return lambda entry: entry.path != path


def _is_kin(entry: FileEntry, path: str) -> bool:
    """Whether parts of one name are the same in a file and in that of a path."""
    return entry.path == path or _suffixes(entry.path, path) == _NAMED


def _suffixes(*paths: str) -> set[str]:
    return {PurePosixPath(path).suffix for path in paths}
