"""Files on their way into a pack: cut, coded, and taken back where nothing is gained.

Weights are cut tensor by tensor and build on the same tensors of the commit's parents,
text is cut where its content says and builds on what is like it, small files of a
suffix share blocks.
"""

import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, BinaryIO, cast

from lineage.errors import StoreError, VerificationError
from lineage.packing.bases import Bases, FileBases, Layout
from lineage.packing.cold import Cold
from lineage.packing.counts import SMALL, TEXT, WEIGHTS, Packed
from lineage.packing.jobs import is_small
from lineage.packing.tried import Tried
from lineage.registry import Registry
from lineage.store.packed.format import BLOCK, BLOCK_ROW, FILE_ROW, SEGMENT_ROW
from lineage.store.packed.writer import Added, Mark, Piece, Writer
from lineage.store.reading import Progress

if TYPE_CHECKING:
    from lineage.store.packed.split import Extent
    from lineage.store.packed.text import Likeness, Small

_PAGE = 4096  # bytes of a disk's page


class _Watched(io.RawIOBase):
    """A file on its way into a pack: what is read of it is counted."""

    def __init__(self, file: BinaryIO, progress: Progress) -> None:
        self._file = file
        self._progress = progress

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        data = self._file.read(size)
        self._progress(len(data))
        return data


class Adding:
    """Adds files to packs, and counts what became of them."""

    def __init__(self, registry: Registry, counts: Packed, progress: Progress) -> None:
        self._registry = registry
        self._payloads = registry.payloads
        self._bases = Bases(registry, registry.payloads.packs)
        self._counts = counts
        self._progress = progress
        self.tried = Tried(registry)

    @cached_property
    def _likeness(self) -> "Likeness":
        from lineage.store.packed.text import Likeness

        return Likeness(self._payloads.packs)

    def small(self, writer: Writer, files: Sequence[Cold]) -> list[str]:
        """Add files that share blocks; those that are there now, by MD5."""
        from lineage.store.packed.text import add_small

        mark, read = writer.mark(), list[Cold]()
        hopeful = [file for file in files if not self._is_hopeless(file)]
        self._learn_parents(hopeful)
        added = add_small(writer, self._likeness, self._read(hopeful, read))
        if read and self._is_worth_it(writer, mark, read, added):
            self._counts.take(SMALL, len(read), _size(added, len(read)), added)
            return [file.entry.md5 for file in read]
        return []

    def large(self, writer: Writer, file: Cold) -> list[str]:
        """Add a file of weights or text; its MD5, if it is there now."""
        mark, entry = writer.mark(), file.entry
        bases = self._bases.of(file.id, entry.path)
        if self._is_hopeless(file, bases.count):
            return []
        try:
            source = self._payloads.open(entry.md5)
        except StoreError:
            self._counts.leave("missing", entry.size)
            return []
        try:
            with source:
                kind, added = self._add(writer, file, source, bases)
        except VerificationError:
            self._counts.leave("damaged", entry.size)
            return []
        if self._is_worth_it(writer, mark, [file], added, bases.count) and added:
            self._counts.take(kind, 1, _size(added, 1), added)
            return [entry.md5]
        return []

    def foresee(self, file: Cold) -> None:
        """Count a file as what it would be added as, whatever that would save."""
        if self._is_hopeless(file):
            return
        with self._payloads.open(file.entry.md5) as source:
            kind = self._kind(file, source)
        if kind:
            self._counts.foresee(kind, file.entry.size)
        else:
            self._counts.leave("no gain", file.entry.size)

    def _kind(self, file: Cold, source: BinaryIO) -> str:
        """What a file is packed as; "" for what has no hope."""
        from lineage.packing.kinds import parts
        from lineage.store.packed.text import shrinks

        if is_small(file):
            return SMALL
        if parts(source) is not None:
            return WEIGHTS
        return TEXT if shrinks(source, file.entry.size) else ""

    def _add(
        self, writer: Writer, file: Cold, source: BinaryIO, bases: FileBases
    ) -> tuple[str, Added | None]:
        """Add a file as what it is; None where that has no hope."""
        from lineage.packing.kinds import parts
        from lineage.store.packed.text import add_text, shrinks

        entry, watched = file.entry, _Watched(source, self._progress)
        digests = entry.md5, entry.sha256
        cut = parts(source)
        if cut is not None:
            added = writer.add(*digests, self._pieces(source, watched, cut, bases))
            known = dict.fromkeys([*self._counts.parents, *bases.plain])
            self._counts.parents = list(known)
            self._bases.learn(entry.md5, Layout(added.segments, cut))
            return WEIGHTS, added
        if not shrinks(source, entry.size):
            return TEXT, None
        source.seek(0)
        self._learn_parents([file])
        text = cast("BinaryIO", watched)
        return TEXT, add_text(writer, self._likeness, *digests, text)

    def _pieces(
        self,
        source: BinaryIO,
        watched: _Watched,
        cut: "list[Extent]",
        bases: FileBases,
    ) -> Iterator[Piece]:
        """The blocks of a file, each with that which it may build on."""
        for extent in cut:
            base = bases.of(source, extent)
            source.seek(extent.start)
            for offset in range(0, extent.size, BLOCK):
                data = watched.read(min(BLOCK, extent.size - offset))
                yield Piece(data, extent.width, base(offset))

    def _learn_parents(self, files: Iterable[Cold]) -> None:
        """Let texts build on what their commits' parents have under the same paths.

        On all that is in a dataset which has nothing there: they may be mixed of it.
        """
        paths: dict[str, set[str]] = {}
        for file in files:
            paths.setdefault(file.id, set()).add(file.entry.path)
        for id_, named in paths.items():
            for parent in self._bases.parents(id_):
                there = self._registry.files(parent)
                same = [entry for entry in there if entry.path in named]
                mixed = self._registry.load(parent).kind == "dataset"
                for entry in same or (there if mixed else ()):
                    self._likeness.learn(entry.md5)

    def _read(self, files: Iterable[Cold], read: list[Cold]) -> "Iterator[Small]":
        """Small files, as far as they are what was recorded; those are `read`."""
        from lineage.store.packed.text import Small

        for file in files:
            entry = file.entry
            try:
                with self._payloads.open(entry.md5) as source:
                    data = source.read()
            except StoreError:
                self._counts.leave("missing", entry.size)
                continue
            self._progress(len(data))
            if hashlib.sha256(data).hexdigest() != entry.sha256:
                self._counts.leave("damaged", entry.size)
                continue
            read.append(file)
            yield Small(entry.md5, entry.sha256, data)

    def _is_hopeless(self, file: Cold, bases: int = 0) -> bool:
        """Whether an earlier run has found so; then it is counted."""
        if not self.tried.is_hopeless(file.entry.md5, bases):
            return False
        self._counts.leave("no gain", file.entry.size)
        return True

    def _is_worth_it(
        self,
        writer: Writer,
        mark: Mark,
        files: Sequence[Cold],
        added: Added | None,
        bases: int = 0,
    ) -> bool:
        """Whether files are smaller now; else they are taken back and remembered."""
        from lineage.store.packed.text import GAIN

        if added and _size(added, len(files)) <= (1 - GAIN) * _room(files):
            return True
        writer.back_to(mark)
        for file in files:
            self._counts.leave("no gain", file.entry.size)
            self.tried.note(file.entry.md5, bases)
        return False


def _room(files: Iterable[Cold]) -> int:
    """What plain files take on the disk, which has whole pages."""
    return sum(-(-file.entry.size // _PAGE) * _PAGE for file in files)


def _size(added: Added, files: int) -> int:
    """What files take in a pack, rows of tables included."""
    rows = (BLOCK_ROW + SEGMENT_ROW) * len(added.segments) + FILE_ROW * files
    return added.stored + rows
