"""The repository of a registry: its commits, its names and its log, opened.

It reads all three and appends to the log. What it takes to make a commit, and what a
revision means, is a storey above, in `lineage.registry`; so whatever has to know only
what is recorded is handed a `Repository`, and cannot lead back there.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Self

from lineage.draft import actor, last_moved
from lineage.errors import NotFound, VerificationError
from lineage.keys.log import KeyLog
from lineage.keys.signer import Signer
from lineage.store.canonical import digest
from lineage.store.clone_name import clone_name
from lineage.store.disk import disk_errors, write_atomically
from lineage.store.event_reading import Logged
from lineage.store.events import EventLog, now
from lineage.store.files import FileEntry
from lineage.store.git import GitRepository
from lineage.store.ids import Ids
from lineage.store.objects import Commit, Event
from lineage.store.settings import Settings
from lineage.store.views import Move, Target

if TYPE_CHECKING:
    from lineage.store.payloads import Payloads
    from lineage.store.remote_payloads import RemotePayloads


class Repository:
    """The pieces of the store that make one registry, and what is read of them."""

    def __init__(
        self,
        git: GitRepository,
        settings: Mapping[str, str] | None = None,
        at: str | None = None,
    ) -> None:
        self.git = git
        self.root = git.root
        self.home = git.home
        self.settings = Settings(self.home, settings)
        self.signer = Signer(self)
        self.events_log = EventLog(git, self.home, at, self.signer)
        self.key_log = KeyLog(git, self.events_log, self.home)
        self.ids = Ids(git, self.events_log, self.home)
        self._load = lru_cache(maxsize=1024)(self._read)
        self._owner = lru_cache(maxsize=1)(lambda _: actor(self.root))
        self._actor: Mapping[str, str] | None = None
        self._via: Mapping[str, str] = {}

    def close(self) -> None:
        """Let go of the git process, and of the files, that this registry reads."""
        self.git.close()
        if "payloads" in self.__dict__:
            self.payloads.close()

    def rest(self) -> None:
        """Let go of the files that were read: somebody else's turn is next."""
        if "payloads" in self.__dict__:
            self.payloads.rest()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @cached_property
    def payloads(self) -> "Payloads":
        """The payload store, in the cache directory that DVC is configured for."""
        from lineage.store import dvc
        from lineage.store.hashes import HashCache
        from lineage.store.payloads import Payloads

        cache = dvc.cache_directory(dvc.home(self.git))
        return Payloads(cache, self.uuid(), HashCache(self.home / "hashes.sqlite"))

    def payload_remote(self, name: str | None = None) -> "RemotePayloads":
        """Where payloads lie beside the cache: the DVC remote `name`, or the default.

        Raises:
            UsageError, NotFound, StoreError: as `store.dvc.remote`.
        """
        from lineage.store import dvc

        return dvc.remote(self.git, name)

    def has_payload_remote(self) -> bool:
        """Whether there is such a place at all."""
        from lineage.store import dvc

        return bool(dvc.remote_names(self.git))

    def uuid(self) -> str:
        """The name of this clone, made when it is first needed."""
        return clone_name(self.home)

    def actor(self) -> dict[str, str]:
        """Who acts here: see `acting`, and else `lineage.draft`.

        Git is asked once, and again when the repository's own configuration changes.
        """
        return dict(self._actor or self._owner(self.git.configured()))

    @contextmanager
    def acting(
        self, who: Mapping[str, str], via: Mapping[str, str] | None = None
    ) -> Iterator[Self]:
        """Act as `who`, a name and an email, for a while: events are theirs.

        `via` says by which way they came, and goes into their data.
        """
        before = self._actor, self._via
        self._actor, self._via = who, via or {}
        try:
            yield self
        finally:
            self._actor, self._via = before

    # reading

    def load(self, id_: str) -> Commit:
        """The commit of a full id; the last ones are kept at hand.

        Raises:
            NotFound: when it is not here.
        """
        return self._load(id_)

    def _read(self, id_: str) -> Commit:
        return Commit.parse(self._content(id_, "lineage.json", id_))

    def _content(self, id_: str, name: str, expected: str) -> bytes:
        """A file of a commit's tree, which has the SHA-256 `expected`.

        Should the lookup file have led astray, it is made anew.
        """
        data = self.git.blob(f"{self.git_oid(id_)}:{name}")
        if data is None or digest(data) != expected:
            self.ids.rebuild()
            data = self.git.blob(f"{self.git_oid(id_)}:{name}")
        if data is None:
            raise NotFound(f"{name} of {id_} is missing", hint=self.git.mend())
        if digest(data) != expected:
            message = f"{name} of {id_} does not have its recorded SHA-256"
            raise VerificationError(message, hint=self.git.mend("run `lineage verify`"))
        return data

    def git_oid(self, id_: str) -> str:
        """The git commit of a full id."""
        return self.ids.get(id_).git

    def first_event(self, id_: str) -> Event:
        """The event that recorded a commit first."""
        return self.events_log.event(self.ids.get(id_).event)

    def files(self, id_: str) -> list[FileEntry]:
        """The files of a commit, sorted by path; empty without payload."""
        payload = self.load(id_).payload
        if payload is None:
            return []
        return payload.entries(self._content(id_, "files.jsonl", payload.files))

    def target(self, ref: str) -> Target | None:
        """The commit that a name such as ``heads/model/tutor`` has."""
        oid = self.events_log.lookup(ref)
        return self.target_of(oid) if oid else None

    def target_of(self, oid: str) -> Target:
        """The commit of a git oid."""
        return next(self._targets([oid]))

    def _targets(self, oids: Iterable[str]) -> Iterator[Target]:
        oids = list(oids)
        manifests = self.git.read_many(f"{oid}:lineage.json" for oid in oids)
        for oid, found in zip(oids, manifests, strict=True):
            if found is None:
                what = f"the git commit {oid} is missing"
                raise NotFound(what, hint=self.git.mend())
            yield Target(digest(found[1].data), oid)

    def names(self, space: str) -> dict[str, Target]:
        """All names of ``heads``, ``tags`` or ``runs``."""
        found = self.events_log.names(space)
        return dict(zip(found, self._targets(found.values()), strict=True))

    def branches(self) -> dict[str, str]:
        """Every branch with the id of its tip."""
        return {name: target.id for name, target in self.names("heads").items()}

    def tags(self) -> dict[str, str]:
        """Every tag with the id that it names."""
        return {name: target.id for name, target in self.names("tags").items()}

    @property
    def head(self) -> str | None:
        """The branch that was last moved by a command here, or by then."""
        if self.events_log.at:
            return last_moved(self.events_log)
        try:
            return (self.home / "HEAD").read_text(errors="replace").strip()
        except FileNotFoundError:
            return None

    def set_head(self, branch: str) -> None:
        """Make `branch` what ``HEAD`` means in this clone."""
        with suppress(OSError):  # what it names is recorded in any case
            write_atomically(self.home / "HEAD", branch.encode())

    # writing

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
        """Append `event` and move names; call it under the lock.

        `merged` are git oids of events of other logs that it comes after too, `alone`
        those of commits that no name reaches.
        """
        if self._via:
            event = replace(event, data={**event.data, **self._via})
        logged = self.events_log.append(
            event, moves, objects, lock=lock, merged=merged, alone=alone
        )
        self.ids.refresh()
        if event.commits and self.settings.section("openlineage."):
            from lineage.integrations.openlineage.starting import start

            start(self.root, self.settings)
        return logged

    def attest(
        self,
        type: str,
        *,
        subject: str | None = None,
        message: str = "",
        data: Mapping[str, Any] | None = None,
    ) -> str:
        """Append an event that moves no name (a review, a gate…); returns its id."""
        event = Event(
            type, now(), self.actor(), message, subject=subject, data=data or {}
        )
        with disk_errors("recording the event"), self.events_log.locked() as lock:
            return self.record(event, lock=lock).event.id

    def move(self, type_: str, moves: Iterable[Move], message: str = "") -> None:
        """Append an event that only moves names."""
        event = Event(type_, now(), self.actor(), message)
        with disk_errors("moving the name"), self.events_log.locked() as lock:
            self.record(event, moves, lock=lock)
