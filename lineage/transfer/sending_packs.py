"""Sending what is packed here as packs, with the packs that these build on.

A pack that is there by its name and size is not sent again, nor is a file that some
pack there has. A pack with an erased file is not sent: its other files go whole.
"""

from collections.abc import Iterable

from lineage.needed import Wanted
from lineage.registry import Registry
from lineage.store.packed.closure import Closure, holding
from lineage.store.remote_payloads import pack_entry
from lineage.tombstones import tombstones
from lineage.transfer.moving import Run


class SendingPacks:
    """One push of packs. `packed` are the objects that are in packs there after it."""

    def __init__(self, registry: Registry, run: Run) -> None:
        from lineage.store.packed.remote import packs_at

        self._run = run
        self._ours = {pack.name: pack for pack in registry.payloads.packs}
        self._here = Closure(self._ours)
        self._there = packs_at(run.remote, registry.home)
        self._erased = holding(self._ours.values(), tombstones(registry).erased)
        self.packed: list[Wanted] = []

    def send(self, lacking: Iterable[Wanted]) -> list[Wanted]:
        """Send what can go in packs; the objects that have to go whole.

        Raises:
            StoreError: when the remote cannot be asked.
        """
        whole, needed = [], dict[Wanted, set[str]]()
        for one in lacking:
            if self._there.closure.around(one.entry) is not None:
                self.packed.append(one)
                self._run.moved.skip(one)
            elif (names := self._names(one)) is not None:
                self.packed.append(one)
                needed[one] = names
            else:
                whole.append(one)
        self._send(set().union(*needed.values()))
        self._settle(needed)
        return whole

    def _names(self, one: Wanted) -> set[str] | None:
        """The packs here that an object needs, if they may go."""
        names = self._here.around(one.entry)
        return None if names is None or names & self._erased else names

    def _send(self, names: set[str]) -> None:
        """Send the packs that are not there at full length."""
        entries = [pack_entry(n, self._ours[n].size) for n in sorted(names)]
        sizes = self._there.sizes
        lacking = [e for e in entries if sizes.get(e.sha256) != e.size]
        for one in self._run.each(self._send_one, (Wanted(e, "") for e in lacking)):
            self._run.moved.count_pack(one.entry.size)

    def _send_one(self, one: Wanted) -> str:
        path = self._ours[one.entry.sha256].path
        wrong = self._run.remote.send(path, one.entry, self._run.crew.tick)
        return wrong and f"{wrong} here, and was not sent"

    def _settle(self, needed: dict[Wanted, set[str]]) -> None:
        """See that the packs are there; what needs one that is not has failed."""
        sizes = self._run.remote.packs() if needed else {}
        for one, names in needed.items():
            lost = [n for n in sorted(names) if sizes.get(n) != self._ours[n].size]
            if lost:
                what = f"is in the pack {lost[0][:12]}, which is not listed there"
                self._run.fail(one, what, "push again, or without --packed")
            else:
                self._run.moved.count(one)
