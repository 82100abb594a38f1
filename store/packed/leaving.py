"""Which packed files can go, and what that frees.

A file stays, though nobody needs it, while others that stay build on its bytes: they
would be left in a pack that does not name the file, where no erasure found them. It
stays, too, while too little of its pack would go with it.
"""

from collections.abc import Container, Iterable
from functools import cached_property

from lineage.store.packed.packs import Packs
from lineage.store.packed.rewriting import Kin

_LEAST = 0.2  # of a pack, for which the rest is written anew


class Leaving:
    """The packed files that are not `wanted`, by MD5.

    `keep` are those that have to stay, `oids` those that go, `left` how many are not
    wanted and stay all the same. Unless `always`, little things are left alone.
    """

    def __init__(
        self, packs: Packs, wanted: Container[str], *, always: bool = False
    ) -> None:
        self._packs = list(packs)
        self._kin = Kin(self._packs)
        files = self._kin.files.keys()
        self.keep = {oid for oid in files if oid in wanted}
        unwanted = len(files) - len(self.keep)
        while more := self._bound() or (set() if always else self._not_worth_it()):
            self.keep |= more
        self.oids = files - self.keep
        self.left = unwanted - len(self.oids)
        self._counted: set[bytes] = set()

    def size(self, oids: Iterable[str]) -> int:
        """The bytes of packs that go with these files; no block is counted twice."""
        blocks = self._kin.closure(part.block for part in self._kin.parts(oids))
        fresh = (blocks & self._going.keys()) - self._counted
        self._counted |= fresh
        return sum(self._going[id_] for id_ in fresh)

    @cached_property
    def _going(self) -> dict[bytes, int]:
        """The bytes that each block takes that goes, in all packs that have it."""
        alive, found = self._alive(), dict[bytes, int]()
        for pack in self._packs:
            for block in pack.tables.all_blocks():
                if block.id not in alive:
                    found[block.id] = found.get(block.id, 0) + block.stored
        return found

    def _alive(self) -> set[bytes]:
        """The blocks that what is kept is made of and builds on."""
        return self._kin.closure(part.block for part in self._kin.parts(self.keep))

    def _bound(self) -> set[str]:
        """Files of which bytes would be left that belong to no file that is kept."""
        alive, owned = self._alive(), set(self._kin.parts(self.keep))
        return {
            oid
            for oid, parts in self._kin.files.items()
            if oid not in self.keep
            and any(part.block in alive and part not in owned for part in parts)
        }

    def _not_worth_it(self) -> set[str]:
        """Files of packs of which too little would go."""
        alive, found = self._alive(), set[str]()
        for pack in self._packs:
            files = pack.tables.oids()
            going = [b.stored for b in pack.tables.all_blocks() if b.id not in alive]
            whole = files.isdisjoint(self.keep) and len(going) == pack.tables.blocks
            if not whole and sum(going) < _LEAST * pack.size:
                found |= files - self.keep
        return found
