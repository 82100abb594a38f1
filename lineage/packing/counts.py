"""What a packing run did, or would do, as plain data."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lineage.store.packed.writer import Added

WEIGHTS, TEXT, SMALL = KINDS = ("weights", "text", "small")


@dataclass(slots=True)
class Kind:
    """The files of one kind that were packed; all but `files` in bytes.

    Of `whole` bytes, `shared` ones were in a pack already, `delta` ones are kept as a
    difference and `alone` ones by themselves; `packed` is what they all take now.
    """

    kind: str
    files: int = 0
    whole: int = 0
    packed: int = 0
    shared: int = 0
    delta: int = 0
    alone: int = 0


@dataclass(slots=True)
class Left:
    """Files that stay plain, and why: a key of `REASONS`."""

    reason: str
    files: int = 0
    size: int = 0

    @property
    def why(self) -> str:
        return REASONS[self.reason]


REASONS = {
    "in use": "a branch's tip has them",
    "dvc": "DVC's own files name them",
    "shared": "another registry in this cache has pinned them",
    "elsewhere": "the cache lies outside of the repository; others may use it",
    "no gain": "packing would save next to nothing",
    "missing": "they are not here",
    "damaged": "they are not what was recorded; run `lineage verify`",
}


@dataclass(slots=True)
class Packed:
    """What `pack` did: per kind, in which packs, and what stays as it is.

    `parents` are commits that some of the packed ones came from and whose files are
    plain, so that nothing could build on them.
    """

    kinds: dict[str, Kind] = field(default_factory=dict)
    left: dict[str, Left] = field(default_factory=dict)
    packs: list[str] = field(default_factory=list)
    parents: list[str] = field(default_factory=list)
    released: int = 0  # bytes of plain files that went
    seconds: float = 0.0

    @property
    def files(self) -> int:
        return sum(kind.files for kind in self.kinds.values())

    @property
    def whole(self) -> int:
        return sum(kind.whole for kind in self.kinds.values())

    @property
    def packed(self) -> int:
        return sum(kind.packed for kind in self.kinds.values())

    def take(self, name: str, files: int, packed: int, added: "Added") -> None:
        """Count files of a kind that were packed and take so many bytes now."""
        kind = self.kinds.setdefault(name, Kind(name))
        kind.files += files
        kind.whole += added.whole
        kind.packed += packed
        kind.shared += added.shared
        kind.delta += added.delta
        kind.alone += added.alone

    def foresee(self, name: str, size: int) -> None:
        """Count a file that would be packed."""
        kind = self.kinds.setdefault(name, Kind(name))
        kind.files += 1
        kind.whole += size

    def leave(self, reason: str, size: int) -> None:
        """Count a file that stays plain."""
        left = self.left.setdefault(reason, Left(reason))
        left.files += 1
        left.size += size


@dataclass(slots=True)
class Unpacked:
    """What `unpack` did.

    `kept` files stay in packs beside their plain form, for others build on them;
    `freed` is by how many bytes the packs are smaller now.
    """

    files: int = 0
    size: int = 0
    kept: int = 0
    freed: int = 0
    seconds: float = 0.0
