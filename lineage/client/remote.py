"""A registry behind a server: read from its mirror, written through the server."""

import base64
import json
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from secrets import token_hex
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from lineage.client import mirror
from lineage.client.files import MirrorPayloads, ServedPayloads, upload
from lineage.client.http import Server, Unanswered
from lineage.errors import Busy, Conflict, NotAllowed, StoreError
from lineage.needed import Wanted
from lineage.registry import Registry
from lineage.store.event_commit import unsigned
from lineage.store.event_reading import Logged
from lineage.store.git import GitRepository
from lineage.store.git_objects import GitObject
from lineage.store.objects import Event
from lineage.store.transport import Told
from lineage.store.views import Move, Target
from lineage.transfer import receive
from lineage.unfetched import arrived

if TYPE_CHECKING:
    from lineage.store.files import FileEntry
    from lineage.store.payloads import Payloads
    from lineage.store.reading import Progress
    from lineage.store.remote_payloads import RemotePayloads

_PAUSES = (0.1, 0.4, 1, 2, 4, 8)  # seconds that an earlier try may still be at work
_FRESH = 1.0  # seconds for which what was seen of the server is taken for its state


class Remote(Registry):
    """A registry behind a server; everything that a `Registry` does works on it."""

    def __init__(
        self,
        git: GitRepository,
        server: Server,
        settings: Mapping[str, str] | None = None,
        at: str | None = None,
        *,
        offline: bool = False,
    ) -> None:
        super().__init__(git, settings, at)
        self.server = server
        self.offline = offline
        self._fresh_until = 0.0
        self._told: Told | None = None
        self._wanted: dict[str, Wanted] = {}  # by MD5, of commits whose files were read
        self.events_log.catch_up = self._catch_up
        self.signer.optional = True  # the server may have a key of its own

    def close(self) -> None:
        """Let go of git, and of the connections to the server."""
        super().close()
        self.server.close()

    def refresh(self) -> None:
        """See what the server has by now; at most once a second.

        Raises:
            StoreError: when the server does not answer.
        """
        if self.offline or self.events_log.at or monotonic() < self._fresh_until:
            return
        if self.server.tip() != self.events_log.tip():
            with suppress(BlockingIOError), self.events_log.locked(wait=False):
                pass  # somebody else who holds the lock is catching up, or writing
        self._fresh_until = monotonic() + _FRESH

    def follow(self, told: Told | None = None) -> None:
        """Take in what the server has that was not seen yet; `told` hears how far."""
        self._told = told
        try:
            with self.events_log.locked():
                pass
        finally:
            self._told = None

    def _catch_up(self, lock: int) -> None:
        """Be where the server is, under the lock."""
        if self.offline:
            hint = "what was seen is only read: leave out --offline to write"
            raise NotAllowed("nothing is written while offline", hint=hint)
        if self.server.tip() != self.events_log.tip():
            mirror.follow(self, self.server, lock, self._told)
        self._fresh_until = monotonic() + _FRESH

    def actor(self) -> dict[str, str]:
        """Who acts: whoever the server says that the token is."""
        return dict(self._actor) if self._actor else dict(self._me)

    @cached_property
    def _me(self) -> Mapping[str, str]:
        told = self.server.json("GET", "/whoami")
        return {"name": str(told["name"]), "email": str(told["email"])}

    @cached_property
    def payloads(self) -> "Payloads":
        """The bytes that were sent or fetched by now; a mirror begins without any."""
        from lineage.store.hashes import HashCache

        hashes = HashCache(self.home / "hashes.sqlite")
        return MirrorPayloads(self.root / "cache", self.uuid(), hashes, self._bring)

    def _bring(self, oid: str) -> None:
        """Fetch an object that somebody needs, if a commit that was read has it."""
        if oid in self._wanted and not self.offline:
            receive(self, None, [self._wanted[oid]])

    # reading

    def files(self, id_: str) -> "list[FileEntry]":
        """The files of a commit; their bytes come when they are read."""
        entries = super().files(id_)
        self._wanted.update((e.md5, Wanted(e, id_)) for e in entries if e.md5)
        return entries

    def resolve(self, revision: str) -> str:
        """The full id of the one commit that `revision` means, by now."""
        self.refresh()
        return super().resolve(revision)

    def select(self, *revsets: str) -> list[str]:
        """The ids that any of `revsets` means by now, newest first."""
        self.refresh()
        return super().select(*revsets)

    def target(self, ref: str) -> Target | None:
        """The commit that a name has by now."""
        self.refresh()
        return super().target(ref)

    def names(self, space: str) -> dict[str, Target]:
        """All names of a space, by now."""
        self.refresh()
        return super().names(space)

    def payload_remote(self, name: str | None = None) -> "RemotePayloads":
        """The server, which has the files."""
        return (
            ServedPayloads(self.server)
            if name is None
            else super().payload_remote(name)
        )

    def has_payload_remote(self) -> bool:
        """Whether files that are not here can be asked for: unless offline."""
        return not self.offline

    # writing

    def keep(
        self, entries: "Sequence[FileEntry]", progress: "Progress | None" = None
    ) -> None:
        """Send what the server lacks of files that a commit is about to name."""
        upload(self.server, self.payloads, entries, progress)

    def record(
        self,
        event: Event,
        moves: Iterable[Move] = (),
        objects: Iterable[Any] = (),
        *,
        lock: int,
        merged: Sequence[str] = (),
        alone: Collection[str] = (),
    ) -> Logged:
        """Have the server append `event` and move names; call it under the lock.

        It sees for itself which commits are `alone`.

        Raises:
            Conflict: when the log, or a name, is not where it was seen.
            NotAllowed: when the token may not, or nobody may.
            StoreError: when the server does not answer, asked twice: it may have
                recorded the event.
        """
        if merged:
            hint = "run `lineage pull` where the registry lies"
            raise NotAllowed("two logs meet in a registry's own folder", hint=hint)
        del alone
        moves, objects = list(moves), list(objects)
        parent = self.events_log.tip()
        drafted, made = self.events_log.draft(event, moves, objects)
        signature = unsigned(made[-1].data)[1]
        said = self._sent(_body(drafted, moves, objects, signature, parent))
        try:
            mirror.follow(self, self.server, lock)
        except StoreError as error:
            message = f"the event {said['id'][:12]} is recorded, but: {error}"
            raise StoreError(message, hint="do not write it again") from error
        if not self.events_log.holds(said["git"]):
            raise Conflict(f"{self.server} has not recorded the event that it says")
        arrived(self, [id_ for id_, _ in event.commits])
        return Logged(said["git"], self.events_log.event(said["git"]))

    def _sent(self, body: Any) -> Any:
        """What the server says of an event; asked again, by name, if no answer came."""
        name = token_hex(16)
        with suppress(Unanswered):
            return self.server.json("POST", "/events", body, name=name)
        for pause in _PAUSES:
            sleep(pause)
            with suppress(Busy):
                return self.server.json("POST", "/events", body, name=name)
        return self.server.json("POST", "/events", body, name=name)


def _body(
    event: Event,
    moves: Sequence[Move],
    objects: Sequence[GitObject],
    signature: bytes | None,
    parent: str | None,
) -> dict[str, Any]:
    """An event as the server takes it: where it stands in the log is its business."""
    fields = json.loads(event.encoded)
    for place in ("prev", "refs"):
        fields.pop(place, None)
    return {
        "event": fields,
        "moves": list(map(_move, moves)),
        "objects": list(map(_packed, objects)),
        "signature": signature and signature.decode(),
        "parent": parent if signature else None,
    }


def _move(move: Move) -> dict[str, Any]:
    before, after = move.before, move.after
    return {
        "ref": move.ref,
        "before": before and before.id,
        "after": after and after.id,
        "git": after and after.git,
        "kept": move.kept,
    }


def _packed(item: GitObject) -> str:
    data = f"{item.kind} {len(item.data)}\0".encode() + item.data
    return base64.b64encode(zlib.compress(data)).decode()
