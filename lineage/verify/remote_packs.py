"""Checking what a DVC remote has in packs.

A pack is read whole and compared with its name, the SHA-256 of all of it; what its
files come out as was compared when it was made, and is again when they are fetched.
"""

from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from lineage.needed import Wanted
from lineage.registry import Registry
from lineage.store.parallel import Crew
from lineage.store.reading import Progress
from lineage.store.remote_payloads import RemotePayloads, pack_entry, reason
from lineage.tombstones import known_tombstones

if TYPE_CHECKING:
    from pathlib import Path


class PackedThere:
    """The objects that a remote has in packs only; `tables` is for what packs say."""

    def __init__(self, remote: RemotePayloads, tables: "Path") -> None:
        from lineage.store.packed.remote import RemotePacks

        self._remote, self._work = remote, tables
        self._packs: RemotePacks = RemotePacks(remote, (), tables)
        self._needed: dict[Wanted, set[str]] = {}

    def take(self, registry: Registry, lacking: Iterable[Wanted]) -> list[Wanted]:
        """Note those of `lacking` that packs have; the others.

        A folder's list is for DVC, and not there while one of its files is packed, nor
        sent any more once one is erased.
        """
        left, found = [], set(known_tombstones(registry).erased)
        for one in sorted(lacking, key=lambda one: one.key.endswith(".dir")):
            names = self._packs.closure.around(one.entry)
            if names is not None:
                self._needed[one] = names
                found.add(one.key)
            elif not _lists(registry, one, found):
                left.append(one)
        return left

    @property
    def doubt(self) -> str:
        """What is to be said of an object that no pack seems to have."""
        for name, why in sorted(self._packs.damaged.items()):
            return f", unless in the pack {name[:12]}, which is damaged ({why}),"
        return ""

    def problems(self, progress: Progress | None) -> Iterator[tuple[Wanted, str]]:
        """Bring every pack, compare it with its name and let it go."""
        wrong = dict(self._wrong(progress))
        for one, names in self._needed.items():
            for name in sorted(names & wrong.keys()):
                yield one, f"is in the pack {name[:12]}, which {wrong[name]}"

    def _wrong(self, progress: Progress | None) -> Iterator[tuple[str, str]]:
        crew = Crew(self._remote.jobs, progress)

        def compare(name: str) -> str:
            entry = pack_entry(name, self._packs.sizes[name])
            copy = self._work / entry.path
            try:
                return self._remote.receive(entry, copy, crew.tick)
            finally:
                copy.unlink(missing_ok=True)

        names = sorted(set().union(*self._needed.values()))
        with closing(crew.each(compare, names)) as results:
            for name, outcome in results:
                if isinstance(outcome, Exception):
                    yield name, f"cannot be read: {reason(outcome)}"
                elif outcome:
                    yield name, outcome


def _lists(registry: Registry, one: Wanted, found: set[str]) -> bool:
    """Whether an object is the list of a folder of which a file is among `found`."""
    if not one.key.endswith(".dir"):
        return False
    return any(found & {entry.md5, entry.sha256} for entry in registry.files(one.id))
