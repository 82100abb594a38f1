"""Bringing what a remote has in packs only.

Packs come whole where that takes no more room than the files that are wanted: those
first that others build on, each read and compared before it is one of ours. Of other
packs only the blocks of the wanted files come, and the files are written whole.
"""

from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from lineage.errors import VerificationError
from lineage.needed import Wanted
from lineage.registry import Registry
from lineage.store.packed.closure import holding
from lineage.store.packed.reading_back import read_back
from lineage.store.reading import judged
from lineage.store.remote_payloads import pack_entry
from lineage.tombstones import tombstones
from lineage.transfer.moving import Failure, Run

if TYPE_CHECKING:
    from lineage.store.files import FileEntry
    from lineage.store.packed.format import PackedFile

Work = Callable[[Wanted], str]


class ReceivingPacks:
    """One fetch out of packs, of what `run` looked for in vain.

    `work` is for what is on its way; `take_in` receives objects by what it is given.
    """

    def __init__(
        self,
        registry: Registry,
        run: Run,
        wanted: Iterable[Wanted],
        work: Path,
        take_in: Callable[[Iterable[Wanted], Work], None],
    ) -> None:
        from lineage.store.packed.remote import packs_at

        self._run, self._work, self._take_in = run, work, take_in
        self._payloads = registry.payloads
        self._erased = tombstones(registry).erased
        self._wanted = list(wanted)
        # what is packed here and wanted all the same is damaged here
        damaged = any(self._payloads.is_packed(one.entry.md5) for one in self._wanted)
        here = [] if damaged else list(self._payloads.packs)
        self._whole = not damaged
        self._here = {pack.name for pack in here}
        self._there = packs_at(run.remote, registry.home, here)
        self._closure = self._there.closure
        self._waiting: dict[str, Path] = {}  # packs, until those that they build on

    def bring(self) -> None:
        """Bring what packs there have of objects that could not be had whole.

        Raises:
            StoreError: when packs cannot be read on this machine.
        """
        packed = []
        for one in self._wanted:
            if self._closure.find(one.entry):
                packed.append(one)
                del self._run.failed[one.key]
            else:
                self._blame(one)
        if packed:
            import lineage.store.packed.codec  # noqa: F401 - says what is not installed

            if self._whole:
                self._bring_packs(self._affordable(packed))
            left = self._left(packed) if self._whole else packed
            self._take_in(left, self._decode)
            self._forgive(packed)

    def _blame(self, one: Wanted) -> None:
        """Say of what is not there that it may be in a pack that cannot be read."""
        for name, why in sorted(self._there.damaged.items())[:1]:
            what, hint, corrupt = self._run.failed[one.key]
            what = f"{what}, unless in the pack {name[:12]}: {why}"
            self._run.failed[one.key] = Failure(what, hint, corrupt)

    def _forgive(self, packed: list[Wanted]) -> None:
        """Of packs that did not come say nothing where all files are here."""
        if not any(one.key in self._run.failed for one in packed):
            for name in self._there.sizes:
                self._run.failed.pop(name, None)

    # whole packs

    def _affordable(self, packed: list[Wanted]) -> list[str]:
        """The packs to bring, those first that others build on."""
        around = {one: self._closure.around(one.entry) for one in packed}
        whole = sum(one.entry.size for one, names in around.items() if names)
        names = set().union(*filter(None, around.values())) - self._here
        sizes = self._there.sizes
        packs = self._there.packs
        refused = holding((packs[name] for name in names), self._erased)
        if refused or sum(sizes[name] for name in names) > whole:
            return []
        return self._closure.ordered(names)

    def _bring_packs(self, names: list[str]) -> None:
        sizes = self._there.sizes
        wanted = (Wanted(pack_entry(name, sizes[name]), "") for name in names)
        with closing(self._run.each(self._receive_one, wanted)) as whole:
            for one in whole:
                self._waiting[one.key] = self._work / one.entry.path
                self._publish()

    def _receive_one(self, one: Wanted) -> str:
        copy = self._work / one.entry.path
        wrong = self._run.remote.receive(one.entry, copy, self._run.crew.tick)
        if wrong:
            copy.unlink()
        return wrong and f"{wrong} there"

    def _publish(self) -> None:
        """Take in the packs that came, as far as those that they build on are here."""
        while ready := [n for n in self._waiting if self._is_next(n)]:
            for name in ready:
                self._publish_one(name, self._waiting.pop(name))

    def _is_next(self, name: str) -> bool:
        needed = self._closure.direct(name)
        return needed is not None and needed <= self._here

    def _publish_one(self, name: str, copy: Path) -> None:
        one = Wanted(pack_entry(name, copy.stat().st_size), "")
        try:
            read_back(copy, self._payloads.packs, foreign=True)
        except VerificationError as error:
            self._run.fail(one, f"there is not sound: {error}", "", corrupt=True)
        else:
            self._payloads.packs.publish(copy, name)
            self._here.add(name)
            self._run.moved.count_pack(one.entry.size)

    def _left(self, packed: list[Wanted]) -> list[Wanted]:
        """What the packs did not bring."""
        left = []
        for one in packed:
            if self._payloads.intact(one.entry.md5, one.entry.size):
                self._run.moved.count(one)
            else:
                left.append(one)
        return left

    # blocks

    def _decode(self, one: Wanted) -> str:
        """Write a file whole, from blocks that are read in parts."""
        wrong = ""
        for name, row in self._closure.find(one.entry):
            wrong = self._decoded(one.entry, name, row)
            if not wrong:
                break
            (self._work / one.entry.md5).unlink(missing_ok=True)
        return wrong

    def _decoded(self, entry: "FileEntry", name: str, row: "PackedFile") -> str:
        where = f"is in the pack {name[:12]} there"
        if self._closure.reach(name, row) is None:
            return f"{where}, which builds on what no pack there has"
        try:
            copy = self._work / entry.md5
            read = self._there.write(name, row, copy, self._run.crew.tick)
        except (VerificationError, FileNotFoundError) as error:
            return f"{where}, which is damaged: {error}"
        wrong = judged(read, entry)
        return wrong and f"{where} and {wrong}"
