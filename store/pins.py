"""What one registry holds on to in a DVC cache, and how it lets go.

A pin is dropped into the trash, ``<cache>/lineage/trash/<registry>/<date>/OID``, by
a rename: nothing is copied, and until the trash is emptied everything can come back.
DVC's own link goes with it only where the caller knows that DVC does not need it.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from lineage.errors import VerificationError
from lineage.store.digests import sha256_at
from lineage.store.disk import make_folder, sync_path
from lineage.store.packed.format import SUFFIX
from lineage.store.packed.leaving import Leaving
from lineage.store.packed.packs import Pack
from lineage.store.packed.rewriting import Kin, entangled, rewrite
from lineage.store.payloads import Payloads
from lineage.store.places import folders
from lineage.store.uploads import Uploads

DAMAGED = ".damaged"  # what was put in the trash because of what it is


def dated(time: str) -> str:
    """What a folder of the trash is called after the time of an event."""
    return time.replace(":", "")


class Batch(NamedTuple):
    """What one run dropped: when, and which objects."""

    date: str
    folder: Path
    oids: tuple[str, ...]

    @property
    def size(self) -> int:
        return sum((self.folder / oid).stat().st_size for oid in self.oids)


class Pins:
    """The pins of one registry, their links in DVC's cache, and the trash."""

    def __init__(self, payloads: Payloads) -> None:
        self._payloads = payloads
        self.cache = payloads.cache
        self._places = payloads.places
        self._trash = self._places.trash
        self._trashed: dict[Path, set[str] | None] = {}

    def __iter__(self) -> Iterator[str]:
        """The oid of every pinned object, sorted."""
        yield from _objects(Path(self._places.pins))

    def of_others(self) -> set[str]:
        """What other registries that use this cache have pinned."""
        return {oid for folder in self._places.others() for oid in _objects(folder)}

    def pin(self, oid: str) -> Path:
        return Path(self._places.pin(oid))

    def place(self, oid: str) -> Path:
        """Where DVC looks for an object."""
        return Path(self._places.place(oid))

    def size(self, oid: str) -> int:
        return self.pin(oid).stat().st_size

    def drop(self, oids: Iterable[str], unneeded: set[str], date: str) -> None:
        """Move pins into the trash, and take the DVC links of those `unneeded`."""
        folder = self._trash / date
        make_folder(str(folder))
        for oid in oids:
            if oid in unneeded:  # first: who is killed here comes again for the pin
                self.place(oid).unlink(missing_ok=True)
            self.pin(oid).replace(folder / oid)
            _remove_empty(self.pin(oid).parent, self.place(oid).parent)
        sync_path(folder)

    def set_aside(self, oid: str, date: str) -> None:
        """Give a damaged object a link in the trash; what it was stays to be seen."""
        folder = self._trash / date
        make_folder(str(folder))
        for path in (self.pin(oid), self.place(oid)):
            with suppress(FileExistsError, FileNotFoundError):
                (folder / f"{oid}{DAMAGED}").hardlink_to(path)

    def put_away(self, oid: str, date: str) -> None:
        """Move a damaged object into the trash, with both its links."""
        self.set_aside(oid, date)
        for path in (self.pin(oid), self.place(oid)):
            path.unlink(missing_ok=True)

    def remove(self, oid: str) -> int:
        """Take an object's bytes away for good, trash and all; what went, in bytes."""
        paths = [self.pin(oid), self.place(oid), *self._aside(oid)]
        found = [path for path in paths if path.exists()]
        size = found[0].stat().st_size if found else 0
        for path in found:
            path.unlink()
            _remove_empty(path.parent)
        return size

    def take_out(self, oids: Iterable[str]) -> None:
        """Take files out of the packs for good; call it under `Payloads.alone`.

        What else is made of their bytes, or builds on them, is made plain first.

        Raises:
            VerificationError: when a pack is damaged and may still have them.
        """
        payloads, packs = self._payloads, self._payloads.packs
        going = {oid for oid in oids if packs.find(oid)}
        if not going:
            return
        kin = entangled(packs, going)
        payloads.restore(kin)
        files = set[str]().union(*(pack.tables.oids() for pack in packs))
        with payloads.room() as work:  # what is `going` is named until the end
            rewrite(packs, files - kin, work)
        with payloads.room() as work:
            done = rewrite(packs, files - going - kin, work)
        if done.left:
            message = (
                f"the pack {done.left[0][:12]} is damaged, and may still have them"
            )
            hint = "`lineage verify --repair`, then `lineage gc`"
            raise VerificationError(message, hint=hint)

    def save_from(self, name: str, date: str) -> int:
        """Move a damaged pack into the trash; how many files could be made plain first.

        Those are the ones that it has, and those of other packs that build on it.
        """
        packs, saved = self._payloads.packs, 0
        for pack in packs:
            if pack.name == name:
                blocks = {block.id for block in pack.tables.all_blocks()}
                for oid in Kin(packs).touching(blocks):
                    with suppress(VerificationError):
                        saved += self._payloads.restore([oid])
                packs.remove(pack, self._trash / date)
        if (left := packs.path(name)).exists():  # nothing of it could be read
            make_folder(str(self._trash / date))
            left.replace(self._trash / date / left.name)
        return saved

    def drop_packed(self, leaving: Leaving, date: str) -> None:
        """Move packs into the trash; what is to stay is in new ones by then."""
        folder = self._trash / date
        make_folder(str(folder))
        with self._payloads.room() as work:
            rewrite(self._payloads.packs, leaving.keep, work, folder)
        _remove_empty(folder)

    def is_here(self, oid: str) -> bool:
        """Whether any copy of an object is left in this registry's hands."""
        paths = (self.pin(oid), self.place(oid))
        plain = any(path.exists() for path in paths) or any(self._aside(oid))
        return plain or self._payloads.packs.has(oid)

    def _aside(self, oid: str) -> Iterator[Path]:
        """Copies in the trash, those that somebody sent and no commit took, and lent.

        A pack in the trash that has the object, or may have, is one of them.
        """
        yield from self._trash.glob(f"*/{oid}*")
        for path in self._trash.glob(f"*/*{SUFFIX}"):
            if path not in self._trashed:
                self._trashed[path] = _files(path)
            found = self._trashed[path]
            if found is None or oid in found:
                yield path
        yield from Uploads(self._payloads).of_md5(oid)
        yield from self._places.tmp.glob(f"*/{oid}")

    # the trash

    def trash(self) -> list[Batch]:
        """What was dropped and is still there, oldest first."""
        return [
            Batch(folder.name, folder, tuple(_names(folder)))
            for folder in folders(self._trash)
        ]

    def empty(self, batch: Batch) -> None:
        """Remove the bytes of a batch for good."""
        for oid in batch.oids:
            (batch.folder / oid).unlink(missing_ok=True)
        _remove_empty(batch.folder)

    def restore(self, batch: Batch) -> list[str]:
        """Pin the objects of a batch again and show them to DVC; what came back."""
        back: list[str] = []
        for name in batch.oids:
            if name.endswith(SUFFIX):
                back += self._restore_pack(batch.folder / name)
            elif not name.endswith(DAMAGED):
                self._payloads.take_back(batch.folder / name, name)
                (batch.folder / name).unlink()
                back.append(name)
        _remove_empty(batch.folder)
        return back

    def _restore_pack(self, path: Path) -> Iterator[str]:
        """Put a pack back; the files that were not here without it.

        One that is not what it is called after is left where it is.
        """
        if sha256_at(path) != path.stem:
            return
        packs, pack = self._payloads.packs, Pack(path)
        oids = sorted(pack.tables.oids())
        yield from [oid for oid in oids if not self._payloads.has(oid)]
        packs.publish(path, pack.name)
        for other in packs:  # made of what is needed of this one, when it went
            if other.name != pack.name and _is_within(other, pack):
                packs.remove(other)


def _files(path: Path) -> set[str] | None:
    """The files of a pack by MD5, None if it is so damaged that nobody can tell."""
    try:
        pack = Pack(path)
    except VerificationError:
        return None
    return None if pack.damage else pack.tables.oids()


def _is_within(pack: Pack, other: Pack) -> bool:
    """Whether all that a pack has is in another one."""
    return all(other.find_file(row.md5) for row in pack.tables.all_files()) and all(
        other.find_block(row.id) for row in pack.tables.all_blocks()
    )


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _objects(root: Path) -> Iterator[str]:
    for bucket in folders(root):
        for name in _names(bucket):
            yield bucket.name + name


def _remove_empty(*folders: Path) -> None:
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()
