"""Bringing payloads from a DVC remote."""

from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

from lineage.errors import LineageError
from lineage.needed import Needed, Wanted, absent
from lineage.registry import Registry
from lineage.store.payloads import Payloads
from lineage.store.reading import Progress
from lineage.transfer.lists import folder_lists
from lineage.transfer.moving import Moved, Run
from lineage.transfer.receiving_packs import ReceivingPacks
from lineage.unfetched import arrived

_BATCH = 64 << 20  # bytes, or
_FILES = 256  # objects that are synced and published together


def fetch_payloads(
    registry: Registry,
    dvc_remote: str | None,
    ids: Iterable[str],
    progress: Progress | None = None,
) -> Moved:
    """Bring the payloads of the commits `ids` that are not here from a DVC remote.

    Without `dvc_remote` from DVC's default one, which is not asked when all is here.
    `progress` hears of bytes received.

    Raises:
        VerificationError: when objects there are not what they should be.
        StoreError: when objects are missing there, or the remote fails.
        UsageError, NotFound: when there is no such remote that keeps objects.
    """
    ids = list(ids)
    payloads, needed = registry.payloads, Needed.by(registry, ids)
    lacking = {k: v for k, v in needed.files.items() if not _is_here(payloads, v)}
    moved, failed = Moved(), None
    try:
        if lacking:
            moved = receive(registry, dvc_remote, lacking.values(), progress)
    except LineageError as error:
        failed = error
    absent = {k for k, v in lacking.items() if not _is_here(payloads, v)}
    folder_lists(registry, needed, absent)
    if failed:
        raise failed
    arrived(registry, ids)
    for oid in needed.files.keys() - lacking:
        moved.skip(needed.files[oid])
    return moved


def receive(
    registry: Registry,
    dvc_remote: str | None,
    wanted: Iterable[Wanted],
    progress: Progress | None = None,
) -> Moved:
    """Bring these objects and put them in the place of what may be here of them.

    Raises:
        VerificationError, StoreError: as `fetch_payloads`.
    """
    payloads = registry.payloads
    with registry.payload_remote(dvc_remote) as remote, payloads.workspace() as work:
        fetch = Fetch(payloads, remote, progress)
        fetch.work = work
        wanted = list(wanted)
        fetch.receive(wanted)
        fetch.receive_packed(registry, wanted)
    return fetch.finish("arrive from")


def bring(
    registry: Registry, id_: str, progress: Progress | None = None
) -> Moved | None:
    """Fetch what is not here of one commit, if any DVC remote is configured.

    The remote is that of the registry's ``origin``, or the only one that its remotes
    name, else DVC's default one.

    Raises:
        VerificationError, StoreError: as `fetch_payloads`.
    """
    if not absent(registry, [id_]) or not registry.has_payload_remote():
        return None
    return fetch_payloads(registry, _chosen_remote(registry), [id_], progress)


def _chosen_remote(registry: Registry) -> str | None:
    settings = registry.settings.section("remote.").items()
    named = {key: value for key, value in settings if key.endswith(".dvc")}
    only = next(iter(named.values())) if len(set(named.values())) == 1 else None
    return named.get("remote.origin.dvc", only)


class Fetch(Run):
    """Bringing objects into the cache."""

    work: Path

    def receive(
        self, wanted: Iterable[Wanted], work: Callable[[Wanted], str] | None = None
    ) -> None:
        """Bring all; what has arrived when something breaks this off stays."""
        arrived: list[Wanted] = []
        try:
            with closing(self.each(work or self._receive_one, wanted)) as whole:
                for one in whole:
                    arrived.append(one)
                    if _is_full(arrived):
                        self._publish(arrived)
        finally:
            self._publish(arrived)

    def receive_packed(self, registry: Registry, wanted: Iterable[Wanted]) -> None:
        """Bring out of packs what was not there whole."""
        lacking = [one for one in wanted if one.key in self.failed]
        if lacking and not self.gave_up:
            ReceivingPacks(registry, self, lacking, self.work, self.receive).bring()

    def _receive_one(self, one: Wanted) -> str:
        copy = self.work / one.entry.md5
        wrong = self.remote.receive(one.entry, copy, self.crew.tick)
        if wrong:
            copy.unlink()
        return wrong and f"{wrong} there"

    def _publish(self, arrived: list[Wanted]) -> None:
        staged = {one.entry.md5: self.work / one.entry.md5 for one in arrived}
        self.payloads.publish(staged, self.work)
        for one in arrived:
            if self.payloads.intact(one.entry.md5, one.entry.size):
                self.moved.count(one)
            else:
                self.fail(one, "is not here after it arrived", "")
        arrived.clear()


def _is_full(batch: list[Wanted]) -> bool:
    return len(batch) >= _FILES or sum(one.entry.size for one in batch) >= _BATCH


def _is_here(payloads: Payloads, one: Wanted) -> bool:
    """Whether an object is pinned; one that only DVC has is compared first."""
    entry = one.entry
    return payloads.intact(entry.md5, entry.size) or payloads.adopt(entry)
