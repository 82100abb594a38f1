"""The files that new commits name: sent before, or stored with another commit."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import NamedTuple

from lineage.addresses import stored
from lineage.errors import Conflict, Lacking, NotAllowed, VerificationError
from lineage.registry import Registry
from lineage.store.arrivals import Arrived
from lineage.store.disk import disk_errors
from lineage.store.files import FileEntry
from lineage.store.uploads import Uploads, Whole
from lineage.wording import plural

_TOLD = 100  # files
_TRIES = 3


class Found(NamedTuple):
    """Files by SHA-256: those that were sent, and those that a commit stores."""

    sent: dict[str, Whole]
    here: dict[str, FileEntry]

    def of(self, sha256: str) -> tuple[str, int]:
        """A file's MD5 and size."""
        one = self.sent.get(sha256) or self.here[sha256]
        return one.md5, one.size


def find(registry: Registry, wanted: Mapping[str, str]) -> Found:
    """Where files are; `wanted` has their paths by SHA-256.

    Raises:
        Lacking: when some are not here.
        NotAllowed: when some were erased here.
    """
    for sha256 in wanted.keys() & set(registry.erased()):
        hint = "`lineage events` says who erased it and why; commit other bytes"
        message = f"the bytes of {wanted[sha256]} were erased"
        raise NotAllowed(message, hint=hint)
    uploads = Uploads(registry.payloads)
    sent = {sha256: whole for sha256 in wanted if (whole := uploads.find(sha256))}
    found = Found(sent, stored(registry, wanted.keys() - sent.keys()))
    if away := wanted.keys() - found.sent.keys() - found.here.keys():
        what = plural(len(away), "file has", "files have")
        hint = "PUT each to files/SHA256, then send this again"
        told = {sha256: wanted[sha256] for sha256 in sorted(away)[:_TOLD]}
        raise Lacking(f"{what} not been sent", told, hint=hint)
    return found


def of_commits(registry: Registry, came: Iterable[Arrived]) -> Found:
    """Where the files of commits are.

    Raises:
        VerificationError: when a file is not what its commit says.
        Lacking, NotAllowed: as for `find`.
    """
    entries = [
        entry
        for made in came
        if made.commit.stored
        for entry in made.entries
        if not entry.is_directory
    ]
    found = find(registry, {entry.sha256: entry.path for entry in entries})
    for entry in entries:
        md5, size = found.of(entry.sha256)
        if (md5, size) != (entry.md5, entry.size):
            message = f"{entry.path} has the MD5 {md5} and {size} bytes"
            raise VerificationError(message, hint="its commit says otherwise")
    return found


def take(registry: Registry, look: Callable[[], Found]) -> Found:
    """Pin the files that `look` finds; call it while `Payloads.writing`.

    Somebody else may take over the same ones at the same time: then they are looked
    for again, and are theirs.
    """
    for _ in range(_TRIES):
        found = look()
        with disk_errors("storing the files"), suppress(FileNotFoundError):
            Uploads(registry.payloads).take(found.sent.values(), registry.payloads)
            return found
    raise Conflict("others are sending the same files", hint="try again in a moment")


def release(registry: Registry, found: Found) -> None:
    """Forget what was sent, as a commit has it now."""
    Uploads(registry.payloads).drop(found.sent.values())
