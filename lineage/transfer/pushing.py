"""Sending payloads to a DVC remote."""

from collections.abc import Container, Iterable
from contextlib import suppress

from lineage.needed import Needed, Wanted
from lineage.registry import Registry
from lineage.store import dvc
from lineage.store.reading import Progress
from lineage.transfer.lists import folder_lists
from lineage.transfer.moving import Moved, Run
from lineage.transfer.sending_packs import SendingPacks


def push_payloads(
    registry: Registry,
    dvc_remote: str | None,
    ids: Iterable[str],
    progress: Progress | None = None,
    *,
    packed: bool = False,
) -> Moved:
    """Send the payloads of the commits `ids` that a DVC remote lacks.

    Without `dvc_remote` to DVC's default one. `progress` hears of bytes sent. What is
    in packs here goes in packs if `packed`, else whole, so that DVC finds it.

    Raises:
        VerificationError: when objects here are not what they should be (not sent).
        StoreError: when objects are missing here and there, or the remote fails.
        UsageError, NotFound: when there is no such remote that keeps objects.
    """
    needed = Needed.by(registry, ids)
    with dvc.remote(registry.git, dvc_remote) as remote, remote.sending():
        push = Push(registry.payloads, remote, progress)
        files = list(needed.files.values())
        not_whole = push.send_packed(registry, files) if packed else set()
        push.send(one for one in files if one.key not in not_whole)
        push.send(folder_lists(registry, needed, push.failed.keys() | not_whole))
    return push.finish("reach")


def send(registry: Registry, dvc_remote: str | None, wanted: Iterable[Wanted]) -> Moved:
    """Send these objects even where the remote has some: their bytes may be wrong.

    Raises:
        VerificationError, StoreError: as `push_payloads`.
    """
    with dvc.remote(registry.git, dvc_remote) as remote, remote.sending():
        push, wanted = Push(registry.payloads, remote, None), list(wanted)
        push.send(wanted, again=True)
        push.complete(registry, {one.key for one in wanted})
    return push.finish("reach")


class Push(Run):
    """Sending objects from the cache."""

    missing = "is neither here nor there"
    advice = "`lineage pull --all-payloads` brings what another remote has"
    corrupt = "`lineage verify` says how far it goes"

    def send_packed(self, registry: Registry, wanted: list[Wanted]) -> set[str]:
        """Send what can go in packs; what is in packs there, or was to be, by MD5."""
        lacking = self._lacking(wanted)
        if not lacking:
            return set()
        sending = SendingPacks(registry, self)
        sending.send(lacking)
        return {one.key for one in sending.packed}

    def complete(self, registry: Registry, oids: Container[str]) -> None:
        """Send the lists of folders of which `oids` were the last files to be there.

        Files that came out of packs may be.
        """
        ids = [record.id for record in registry.ids]
        having = [i for i in ids if any(e.md5 in oids for e in registry.files(i))]
        needed = Needed.by(registry, having)
        lacking = {one.key for one in self._lacking(list(needed.files.values()))}
        self.send(folder_lists(registry, needed, lacking))

    def send(self, wanted: Iterable[Wanted], *, again: bool = False) -> None:
        """Send what is not there, and see that it is there afterwards."""
        wanted = list(wanted)
        lacking = wanted if again else self._lacking(wanted)
        kept = {one.entry.md5 for one in lacking}
        for one in wanted:
            if one.entry.md5 not in kept:
                self.moved.skip(one)
        sent = list(self.each(self._send_one, lacking))
        lost = {one.entry.md5 for one in self._lacking(sent)}
        for one in sent:
            if one.entry.md5 in lost:
                self.fail(one, "is not there after it was sent", "")
            else:
                self.moved.count(one)

    def _lacking(self, wanted: list[Wanted]) -> list[Wanted]:
        """Those that are not there at full length, as far as lengths are told."""
        sizes = self.remote.sizes(one.entry.md5 for one in wanted)
        return [
            one
            for one in wanted
            if sizes.get(one.entry.md5, -1) not in (None, one.entry.size)
        ]

    def _send_one(self, one: Wanted) -> str:
        if not self.payloads.has(one.entry.md5):
            raise FileNotFoundError
        wrong = self._send_bytes(one)
        return wrong and f"{wrong} here, and was not sent"

    def _send_bytes(self, one: Wanted) -> str:
        """Send the file of an object, or one that is written out for that."""
        tick = self.crew.tick
        if path := self.payloads.loose(one.entry.md5):
            with suppress(FileNotFoundError):  # somebody has packed it meanwhile
                return self.remote.send(path, one.entry, tick)
        with self.payloads.at(one.entry.md5) as path:
            return self.remote.send(path, one.entry, tick)
