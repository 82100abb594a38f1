"""Reading what was sent: the event, its moves, the commits that come with it."""

import zlib
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lineage.errors import UsageError, VerificationError
from lineage.store.arrivals import Arrived, arrived
from lineage.store.canonical import canonical, malformed, normalise
from lineage.store.git_objects import GitObject, parse_tree
from lineage.store.objects import Event

_LARGEST = 1 << 28  # bytes of all objects of one request, unpacked
_KINDS = ("blob", "tree", "commit")

Objects = Mapping[str, GitObject]


def read_event(given: Mapping[str, Any]) -> Event:
    """The event of a request, whose place in the log is not known yet.

    Raises:
        UsageError: when it says its place, or is none.
    """
    if placed := {"prev", "refs"} & given.keys():
        hint = "leave it out: what comes before is seen to here, moves stand beside it"
        raise UsageError(f"the event has {min(placed)!r}", hint=hint)
    return Event.parse(canonical(normalise(dict(given), "event")))


def read_objects(given: Iterable[str]) -> Objects:
    """Git objects by their oids: each base64 of zlib of ``kind SP size NUL data``.

    Raises:
        UsageError: when one is none, or all are too large.
    """
    room, found = _LARGEST, {}
    for number, text in enumerate(given):
        made = _read(text, f"objects[{number}]", room)
        room -= len(made.data)
        found[made.oid] = made
    return found


def _read(text: str, where: str, room: int) -> GitObject:
    try:
        unpacked = zlib.decompressobj()
        data = unpacked.decompress(b64decode(text, validate=True), room)
        if unpacked.unconsumed_tail or len(data) >= room:
            raise UsageError(f"{where} is too large", hint="send fewer at once")
        head, _, body = data.partition(b"\0")
        kind, size = head.decode().split(" ")
    except (ValueError, zlib.error) as error:
        raise UsageError(f"{where} is no git object: {error}") from None
    if not unpacked.eof or kind not in _KINDS or size != str(len(body)):
        raise UsageError(f"{where} is no git object")
    return GitObject(kind, body)


def read_commits(
    event: Event, objects: Objects, known: Callable[[str], str | None]
) -> list[Arrived]:
    """The commits that `event` brings and `known` does not know, each held to its id.

    Raises:
        UsageError: when objects came that no commit is made of.
        VerificationError: when a commit is not what its id says.
    """
    brought = dict(event.commits)
    came = [
        _commit(id_, oid, objects, lambda one: known(one) or brought.get(one))
        for id_, oid in brought.items()
        if oid in objects or known(id_) is None
    ]
    parts = {item.oid for made in came for item in made.objects}
    if rest := sorted(objects.keys() - parts):
        message = f"the object {rest[0]} is no part of a commit that came"
        raise UsageError(message, hint="send what the event's commits are made of")
    for id_, oid in brought.items():
        if known(id_) not in (None, oid):
            raise VerificationError(f"{id_[:12]} has another git commit here")
    return [made for made in came if known(made.commit.id) is None]


def _commit(
    id_: str, oid: str, objects: Objects, known: Callable[[str], str | None]
) -> Arrived:
    def blob(name: str) -> bytes | None:
        _, _, path = name.partition(":")
        with malformed("a git object"):
            tree = objects[objects[oid].data[5:45].decode()]
            return objects[parse_tree(tree.data)[path].oid].data

    try:
        return arrived(blob, id_, oid, known)
    except VerificationError as error:
        hint = "send its git commit, the tree and the files of that"
        raise VerificationError(f"{id_[:12]}: {error}", hint=hint) from None
