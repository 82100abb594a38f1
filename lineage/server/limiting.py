"""Limits on one request: how long, how large and how slow it may be.

A body that is too large or too slow ends in an error that the route raises while it
reads; an answer that nobody reads ends with the connection. A route that takes too
long is answered for, and what it still gives is dropped: a thread cannot be stopped,
but its client need not wait, and no more than a few run at once.
"""

import asyncio
import time
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from lineage.protocol import API
from lineage.server.asgi import App, Message, Receive, Scope, Send, header, path_of
from lineage.server.problems import problem

if TYPE_CHECKING:
    from lineage.server.settings import Limits

_LARGE = (f"{API}/files/", "/git/")  # bodies that go to disk, or to git, as they come
_CLOSE = {"Connection": "close"}


class Limiting:
    """Holds each request to the limits."""

    def __init__(self, app: App, limits: "Limits") -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = path_of(scope)
        large = path.startswith(_LARGE) and not path.endswith("/lacking")
        declared = header(scope, b"content-length") or b"0"
        if not large and declared.isdigit() and int(declared) > self._limits.body:
            await _too_large(self._limits)(scope, receive, send)
            return
        request = _Request(self._limits, scope, receive, send, large=large)
        try:
            await self._app(scope, request.receive, request.send)
        except _GoneError:
            await asyncio.sleep(0)  # the connection is told first
        finally:
            request.end()


class _GoneError(Exception):
    """Nobody reads the answer."""


class _Request:
    """One request on its way in and out."""

    def __init__(
        self,
        limits: "Limits",
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        large: bool,
    ) -> None:
        self._limits = limits
        self._scope = scope
        self._receive, self._send = receive, send
        self._most = None if large else limits.body
        self._began = 0.0
        self._had = 0
        self._started = self._late = False
        self._timer: asyncio.TimerHandle | None = None
        self._answer: asyncio.Task[None] | None = None
        if not header(scope, b"content-length") and not header(
            scope, b"transfer-encoding"
        ):
            self._arrived()

    def _arrived(self) -> None:
        """All of the request is here: the time for the answer begins."""
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._limits.seconds, self._too_long)

    def _too_long(self) -> None:
        if not self._started:
            self._late = True
            hint = "ask for less at once"
            late = problem(503, "this took too long", hint, _CLOSE)
            answer = late(self._scope, self._receive, self._send)
            self._answer = asyncio.ensure_future(answer)

    async def receive(self) -> Message:
        """The next piece of the body, if it comes in time and is not too much."""
        if self._timer is not None:  # all is here: what comes is that somebody left
            return await self._receive()
        self._began = self._began or time.monotonic()
        try:
            async with asyncio.timeout(self._limits.idle_seconds):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408, "the body came too slowly", _CLOSE) from None
        self._had += len(message.get("body", b""))
        if self._most is not None and self._had > self._most:
            raise HTTPException(413, "the body is too large", _CLOSE)
        late = time.monotonic() - self._began - self._limits.idle_seconds
        if self._had < late * self._limits.slowest:
            raise HTTPException(408, "the body came too slowly", _CLOSE)
        if not message.get("more_body"):
            self._arrived()
        return message

    async def send(self, message: Message) -> None:
        """Pass on a piece of the answer, if somebody takes it."""
        if self._late:
            return
        self._started = True
        try:
            async with asyncio.timeout(self._limits.idle_seconds):
                await self._send(message)
        except TimeoutError:
            abort = self._scope["state"].get("abort")
            if abort:
                abort()
            raise _GoneError from None

    def end(self) -> None:
        """The route is over."""
        if self._timer is not None:
            self._timer.cancel()


def _too_large(limits: "Limits") -> App:
    most = f"at most {limits.body >> 20} MiB"
    return problem(413, "the body is too large", most, _CLOSE)
