"""Answers to questions: made once, kept while nothing changes, told apart by ETags.

A question is a path with its query. Its answer holds until the log has a newer event
or HEAD means another branch, and for some seconds at most, because files can come and
go without an event and "yesterday" moves on; one that rests on nothing but the log is
`lasting`. Meanwhile the same bytes are sent again, without a registry, a thread or a
parser.
"""

import hashlib
import json
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from lineage.registry import Registry
from lineage.shapes import versioned
from lineage.store import names
from lineage.store.disk import held

JSON = "application/json"
_FRESH = 15  # seconds
_MOST = 64 << 20  # bytes of answers
_LARGEST = 1 << 20  # an answer that is kept

Made: TypeAlias = "dict[str, Any] | Given"


class Given(NamedTuple):
    """An answer as it is sent; `headers` are those that only it has.

    It is `lasting` when the time of day and the disk have no part in it.
    """

    body: bytes
    media_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    lasting: bool = False


class _Kept(NamedTuple):
    state: tuple[str | None, bytes | None]
    until: float
    given: Given
    etag: str


class Cache:
    """The answers of one server process; only its event loop touches them."""

    def __init__(self, registry: Registry) -> None:
        self._git, self._head = registry.git, registry.home / "HEAD"
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()
        self._size = 0

    def state(self) -> tuple[str | None, bytes | None]:
        """What answers depend on: the newest event and the branch that HEAD means."""
        return self._git.ref(names.EVENTS), held(self._head)

    def find(self, question: bytes) -> _Kept | None:
        """The answer that still holds, if there is one."""
        found = self._kept.get(question)
        if found is None:
            return None
        if found.until < time.monotonic() or found.state != self.state():
            self._drop(question)
            return None
        self._kept.move_to_end(question)
        return found

    def keep(self, question: bytes, found: _Kept) -> None:
        """Keep an answer, and let go of those that nobody asked for longest."""
        if len(found.given.body) > _LARGEST:
            return
        self._drop(question)
        self._kept[question] = found
        self._size += len(found.given.body)
        while self._size > _MOST:
            self._drop(next(iter(self._kept)))

    def _drop(self, question: bytes) -> None:
        if old := self._kept.pop(question, None):
            self._size -= len(old.given.body)


async def answer(request: Request, make: Callable[[Registry], Made]) -> Response:
    """Answer `request` with what `make` says of the registry, unless that is known.

    The response has a strong ETag, the hash of its bytes; whoever has them already is
    told so (304).
    """
    cache: Cache = request.app.state.cache
    scope = request.scope
    question = scope["path"].encode() + b"?" + scope["query_string"]
    found = cache.find(question)
    if found is None:
        state = cache.state()
        given = await run_in_threadpool(_made, request, make)
        etag = f'"{hashlib.sha256(given.body).hexdigest()[:32]}"'
        until = math.inf if given.lasting else time.monotonic() + _FRESH
        found = _Kept(state, until, given, etag)
        cache.keep(question, found)
    headers = {"ETag": found.etag, **dict(found.given.headers)}
    if matches(request.headers.get("if-none-match"), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(found.given.body, 200, headers, found.given.media_type)


def matches(header: str | None, etag: str) -> bool:
    """Whether an If-None-Match names the ETag; a weak one is as good here."""
    if not header:
        return False
    named = (each.strip().removeprefix("W/") for each in header.split(","))
    return any(each in ("*", etag) for each in named)


def encoded(data: dict[str, Any]) -> bytes:
    """One JSON document, with the version of its shape."""
    return json.dumps(
        versioned(data), ensure_ascii=False, allow_nan=False, separators=(",", ":")
    ).encode()


def _made(request: Request, make: Callable[[Registry], Made]) -> Given:
    with request.app.state.pool.lease() as registry:
        made = make(registry)
    return made if isinstance(made, Given) else Given(encoded(made))
