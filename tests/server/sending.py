"""What a client sends: an event that a copy of the registry was about to append."""

from __future__ import annotations

import zlib
from base64 import b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lineage.registry import Registry
    from lineage.store.git_objects import GitObject
    from lineage.store.objects import Event
    from lineage.store.views import Move

EVENTS = "/api/v1/events"


class _Caught(Exception):
    pass


def caught(registry: Registry, act: Callable[[Registry], object]) -> dict[str, Any]:
    """What `act` would have appended to `registry`, as it is sent to a server."""
    body: dict[str, Any] = {}

    def record(
        event: Event,
        moves: Iterable[Move] = (),
        objects: Iterable[GitObject] = (),
        **_: Any,
    ) -> None:
        body.update(
            event=event.to_json(),
            moves=[sent_move(move) for move in moves],
            objects=[packed(item) for item in objects],
        )
        raise _Caught

    with patch.object(registry, "record", record):
        try:
            act(registry)
        except _Caught:
            return body
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
