"""What a client sends: an event that a copy of the registry was about to append."""

from __future__ import annotations

import shutil
import zlib
from base64 import b64encode
from contextlib import closing
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NoReturn

import lineage
from lineage.registry import Registry
from lineage.store.event_commit import parse_parents, unsigned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from lineage.store.git_objects import GitObject
    from lineage.store.objects import Event
    from lineage.store.views import Move

EVENTS = "/api/v1/events"


class _Caught(Exception):
    def __init__(self, body: dict[str, Any]) -> None:
        super().__init__()
        self.body = body


class _Sender(Registry):
    """A registry that tells what it would append, and appends nothing."""

    def record(
        self,
        event: Event,
        moves: Iterable[Move] = (),
        objects: Iterable[GitObject] = (),
        **_: Any,
    ) -> NoReturn:
        raise _Caught(
            {
                "event": event.to_json(),
                "moves": [sent_move(move) for move in moves],
                "objects": [packed(item) for item in objects],
            }
        )


def caught(registry: Registry, act: Callable[[Registry], object]) -> dict[str, Any]:
    """What `act` would have appended to `registry`, as it is sent to a server."""
    try:
        act(_Sender(registry.git))
    except _Caught as found:
        return found.body
    raise AssertionError("nothing was about to be appended")


def sent_move(move: Move) -> dict[str, Any]:
    ref, before, after, kept = move
    ends = {"before": before and before.id, "after": after and after.id}
    return {"ref": ref, **ends, "git": after and after.git, "kept": kept}


def packed(item: GitObject) -> str:
    head = f"{item.kind} {len(item.data)}\0".encode()
    return b64encode(zlib.compress(head + item.data)).decode()


def address(data: bytes) -> str:
    """Where a file is sent to."""
    return f"/api/v1/files/{sha256(data).hexdigest()}"


def signed(
    registry: Registry, elsewhere: Path, key: Path, act: Callable[[Registry], object]
) -> dict[str, Any]:
    """What is sent of an event that `act` appended to a copy, signed with `key`."""
    shutil.copytree(registry.root, elsewhere, symlinks=True)
    with closing(lineage.open(elsewhere)) as copy:
        with copy.signer.using(key):
            act(copy)
        logged = next(copy.events_log.iterate())
        commit = copy.git.read(logged.git)
        assert commit is not None
        event = logged.event.to_json()
        refs = event.pop("refs", [])
        event.pop("prev")
        parts = [
            part for _, oid in logged.event.commits for part in parts_of(copy, oid)
        ]
        signature = unsigned(commit[1].data)[1]
        assert signature is not None
        return {
            "event": event,
            "moves": refs,
            "objects": [packed(item) for item in parts],
            "signature": signature.decode(),
            "parent": parse_parents(commit[1].data)[0],
        }


def parts_of(registry: Registry, oid: str) -> list[GitObject]:
    """The git objects of one commit."""
    listed = registry.git.run("ls-tree", "-rt", "--format=%(objectname)", oid)
    tree = registry.git.run("rev-parse", f"{oid}^{{tree}}")
    oids = [oid, *tree.decode().split(), *listed.decode().split()]
    return [found[1] for found in registry.git.read_many(oids) if found]
