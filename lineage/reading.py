"""What a registry reads of itself: commits, their files, and what names have."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from lineage.errors import NotFound, VerificationError
from lineage.store.canonical import digest
from lineage.store.events import EventLog
from lineage.store.files import FileEntry
from lineage.store.git import GitRepository
from lineage.store.ids import Ids
from lineage.store.objects import Commit, Event
from lineage.store.views import Target

if TYPE_CHECKING:
    from functools import _lru_cache_wrapper


class Reading:
    """Commits and names of a `Registry`."""

    git: GitRepository
    events_log: EventLog
    ids: Ids
    _load: "_lru_cache_wrapper[Commit]"

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
            raise NotFound(f"{name} of {id_} is missing", hint="run `git fsck`")
        if digest(data) != expected:
            message = f"{name} of {id_} does not have its recorded SHA-256"
            raise VerificationError(message, hint="run `lineage verify`")
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
                hint = "run `git fsck`"
                raise NotFound(f"the git commit {oid} is missing", hint=hint)
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
