"""Removing payloads from a DVC remote: objects, and bytes out of its packs.

A pack that has them goes, and with it what builds on it. First the other files of
these packs are sent whole, whoever packed them: from here, or out of the packs there.
"""

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from lineage.errors import LineageError, StoreError
from lineage.registry import Registry
from lineage.store import dvc
from lineage.store.files import FileEntry
from lineage.store.reading import unwatched
from lineage.store.remote_payloads import RemotePayloads
from lineage.tombstones import tombstones
from lineage.transfer.pushing import Push

if TYPE_CHECKING:
    from lineage.store.packed.format import PackedFile
    from lineage.store.packed.remote import RemotePacks


def remove(registry: Registry, dvc_remote: str | None, oids: Iterable[str]) -> None:
    """Remove objects from a DVC remote and from its packs, and see that they are gone.

    Raises:
        StoreError: when one is still there, or the remote fails.
    """
    oids = list(oids)
    with dvc.remote(registry.git, dvc_remote) as remote:
        if sent := _RemovingPacks(registry, remote, oids).remove():
            push = Push(registry.payloads, remote, None)
            with remote.sending():
                push.complete(registry, sent)
            push.finish("reach")
        remote.remove(oids)


class _RemovingPacks:
    """One removal of the objects `oids` from the packs at a remote."""

    def __init__(
        self, registry: Registry, remote: RemotePayloads, oids: Collection[str]
    ) -> None:
        from lineage.store.packed.remote import packs_at

        self._registry, self._remote = registry, remote
        self._oids, self._erased = oids, tombstones(registry).erased
        self._packs: RemotePacks = packs_at(remote, registry.home)

    def remove(self) -> set[str]:
        """Remove the packs that have bytes of the objects; what was sent whole, by MD5.

        Raises:
            StoreError: when another file of theirs cannot be sent, and no pack is
                removed then; or when one is still there after removal.
        """
        doomed = self._packs.closure.on(self._having())
        sent = set[str]()
        if not doomed:
            return sent
        others = list(self._others(doomed))
        there = self._remote.sizes(entry.md5 for entry, _, _ in others)
        with self._registry.payloads.workspace() as work, self._remote.sending():
            for entry, name, row in others:
                if there.get(entry.md5, -1) not in (None, entry.size):
                    self._send(entry, name, row, work / entry.md5)
                    sent.add(entry.md5)
        self._remote.remove_packs(doomed)
        return sent

    def _having(self) -> set[str]:
        """The packs with blocks of the objects, or that speak of them."""
        found = set[str]()
        for name, row in self._files(self._packs.packs):
            if row.oid in self._oids:
                parts = self._packs.packs[name].tables.segments(row)
                found |= {name, *self._packs.closure.holders(p.block for p in parts)}
        return found

    def _others(
        self, doomed: Collection[str]
    ) -> Iterator[tuple[FileEntry, str, "PackedFile"]]:
        """The files of packs that go, but for those that are to go."""
        for name, row in self._files(doomed):
            entry = row.entry
            if entry.md5 not in self._oids and entry.sha256 not in self._erased:
                yield entry, name, row

    def _files(self, names: Collection[str]) -> Iterator[tuple[str, "PackedFile"]]:
        for name in names:
            for row in self._packs.packs[name].tables.all_files():
                yield name, row

    def _send(self, entry: FileEntry, name: str, row: "PackedFile", copy: Path) -> None:
        """Send a file whole."""
        try:
            if self._registry.payloads.has(entry.md5):
                with self._registry.payloads.at(entry.md5) as path:
                    wrong = self._remote.send(path, entry, unwatched)
            else:
                self._packs.write(name, row, copy, unwatched)
                wrong = self._remote.send(copy, entry, unwatched)
                copy.unlink()
        except LineageError as error:
            wrong = str(error)
        if wrong:
            message = (
                f"{entry.md5}, a file of the pack {name[:12]}, cannot be sent whole"
            )
            hint = "a clone that has it can push it with --whole; nothing was removed"
            raise StoreError(f"{message}: {wrong}", hint=hint)
