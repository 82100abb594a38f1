"""Moving payloads to and from a DVC remote, so that nothing is lost unnoticed.

An object is compared with its entry (size, MD5, SHA-256) before it is sent and when
it has arrived, and the other side is asked whether it is there afterwards. A folder's
``.dir`` object follows when all its files are in place. What is there already is not
moved again, so a run that broke off goes on where it was. What is wrong with one
object does not keep the others: the error at the end names each.
"""

from collections.abc import Callable, Container, Iterable
from contextlib import closing, suppress
from pathlib import Path

from lineage.errors import LineageError
from lineage.moving import Moved, Run
from lineage.needed import Needed, Wanted, absent
from lineage.receiving_packs import ReceivingPacks
from lineage.registry import Registry
from lineage.removing_packs import RemovingPacks
from lineage.sending_packs import SendingPacks
from lineage.store import dvc
from lineage.store.files import dvc_directory, dvc_list
from lineage.store.payloads import Payloads
from lineage.store.reading import Progress
from lineage.unfetched import arrived

__all__ = [
    "Moved",
    "bring",
    "fetch_payloads",
    "push_payloads",
    "receive",
    "remove",
    "send",
]

_BATCH = 64 << 20  # bytes, or
_FILES = 256  # objects that are synced and published together


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
        push = _Push(registry.payloads, remote, progress)
        files = list(needed.files.values())
        not_whole = push.send_packed(registry, files) if packed else set()
        push.send(one for one in files if one.key not in not_whole)
        push.send(_lists(registry, needed, push.failed.keys() | not_whole))
    return push.finish("reach")


def send(registry: Registry, dvc_remote: str | None, wanted: Iterable[Wanted]) -> Moved:
    """Send these objects even where the remote has some: their bytes may be wrong.

    Raises:
        VerificationError, StoreError: as `push_payloads`.
    """
    with dvc.remote(registry.git, dvc_remote) as remote, remote.sending():
        push, wanted = _Push(registry.payloads, remote, None), list(wanted)
        push.send(wanted, again=True)
        push.complete(registry, {one.key for one in wanted})
    return push.finish("reach")


class _Push(Run):
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
        self.send(_lists(registry, needed, lacking))

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
    _lists(registry, needed, absent)
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
        fetch = _Fetch(payloads, remote, progress)
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


def remove(registry: Registry, dvc_remote: str | None, oids: Iterable[str]) -> None:
    """Remove objects from a DVC remote and from its packs, and see that they are gone.

    Raises:
        StoreError: when one is still there, or the remote fails.
    """
    oids = list(oids)
    with dvc.remote(registry.git, dvc_remote) as remote:
        if sent := RemovingPacks(registry, remote, oids).remove():
            push = _Push(registry.payloads, remote, None)
            with remote.sending():
                push.complete(registry, sent)
            push.finish("reach")
        remote.remove(oids)


class _Fetch(Run):
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


def _lists(registry: Registry, needed: Needed, lost: Container[str]) -> list[Wanted]:
    """The ``.dir`` objects of folders without `lost` files; made where missing."""
    found: dict[str, Wanted] = {}
    fresh: list[bytes] = []
    for id_ in needed.folders:
        entries = registry.files(id_)
        listed = dvc_list(entries)
        if listed.md5 in found or any(entry.md5 in lost for entry in entries):
            continue
        found[listed.md5] = Wanted(listed, id_)
        if not registry.payloads.intact(listed.md5, listed.size):
            fresh.append(dvc_directory(entries))
    if fresh:
        registry.payloads.add_lists(fresh)
    return list(found.values())
