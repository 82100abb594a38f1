"""The files that new commits name: sent before, or stored with another commit."""

from collections.abc import Iterable
from typing import NamedTuple

from lineage.addresses import stored
from lineage.errors import Lacking, NotAllowed, VerificationError
from lineage.registry import Registry
from lineage.store.arrivals import Arrived
from lineage.store.files import FileEntry, dvc_directory
from lineage.store.uploads import Uploads, Whole

_TOLD = 100  # files


class Found(NamedTuple):
    """What has to be taken over before commits are recorded."""

    sent: dict[str, Whole]  # by SHA-256
    lists: list[bytes]  # by which DVC knows folders


def find(registry: Registry, came: Iterable[Arrived]) -> Found:
    """Where the files of these commits are.

    Raises:
        Lacking: when some are not here.
        NotAllowed: when some were erased here.
    """
    entries, lists = _stored_entries(came)
    erased = registry.erased()
    for entry in entries.values():
        if entry.sha256 in erased:
            hint = "`lineage events` says who erased it and why; commit other bytes"
            raise NotAllowed(f"the bytes of {entry.path} were erased", hint=hint)
    uploads = Uploads(registry.payloads)
    sent = {sha256: w for sha256 in entries if (w := uploads.find(sha256))}
    here = stored(registry, entries.keys() - sent.keys())
    _check_none_lacks([entries[a] for a in entries if a not in sent and a not in here])
    for sha256, entry in entries.items():
        one = sent.get(sha256) or here[sha256]
        if (one.md5, one.size) != (entry.md5, entry.size):
            message = f"{entry.path} has the MD5 {one.md5} and {one.size} bytes"
            raise VerificationError(message, hint="its commit says otherwise")
    return Found(sent, lists)


def _check_none_lacks(away: list[FileEntry]) -> None:
    if away:
        what = "1 file has" if len(away) == 1 else f"{len(away)} files have"
        told = {entry.path: entry.sha256 for entry in away[:_TOLD]}
        hint = "PUT each to files/SHA256, then send this again"
        raise Lacking(f"{what} not been sent", told, hint=hint)


def _stored_entries(
    came: Iterable[Arrived],
) -> tuple[dict[str, FileEntry], list[bytes]]:
    entries: dict[str, FileEntry] = {}
    lists: list[bytes] = []
    for made in came:
        payload = made.commit.payload
        if payload and payload.stored:
            files = (entry for entry in made.entries if not entry.is_directory)
            entries.update((entry.sha256, entry) for entry in files)
            if payload.type == "directory":
                lists.append(dvc_directory(made.entries))
    return entries, lists


def take(registry: Registry, found: Found) -> None:
    """Pin the files, as the registry's own; call it while `Payloads.writing`."""
    Uploads(registry.payloads).take(found.sent.values(), registry.payloads)
    if found.lists:
        registry.payloads.add_lists(found.lists)


def release(registry: Registry, found: Found) -> None:
    """Forget what was sent, as a commit has it now."""
    Uploads(registry.payloads).drop(found.sent.values())
