"""Compression of answers: zstd where the client takes it, else gzip.

What is small, compressed already, a part of a file or a stream of events stays as it
is. A compressed answer is other bytes than its ETag says, so the tag becomes weak.
"""

import zlib
from collections.abc import Callable

import zstandard

from lineage.server.asgi import App, Message, Receive, Scope, Send, header

_SMALL = 1024  # bytes
_TEXT = (
    b"application/javascript",
    b"application/json",
    b"application/problem+json",
    b"application/x-ndjson",
    b"image/svg+xml",
    b"text/",
)


class Compression:
    """Compresses what gains by it."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        coding = None
        if scope["type"] == "http" and scope["method"] != "HEAD":
            coding = _coding(header(scope, b"accept-encoding") or b"")
        answer = _Answer(send, coding).send if coding else send
        await self._app(scope, receive, answer)


class _Answer:
    def __init__(self, send: Send, coding: bytes) -> None:
        self._send = send
        self._coding = coding
        self._start: Message | None = None
        self._squeeze: Callable[[bytes, bool], bytes] | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        body, more = message.get("body", b""), bool(message.get("more_body"))
        if self._start is not None:
            start, self._start = self._start, None
            if _gains(start, len(body), more=more):
                self._squeeze = _squeezers[self._coding]()
                body = self._squeeze(body, not more)
                _mark(start, self._coding, None if more else len(body))
            await self._send(start)
        elif self._squeeze:
            body = self._squeeze(body, not more)
        await self._send({**message, "body": body})


def _coding(accepted: bytes) -> bytes | None:
    """The best of what is accepted; what has the quality 0 is refused."""
    parts = [part.replace(b" ", b"").split(b";q=") for part in accepted.split(b",")]
    taken = {name.lower() for name, *q in parts if not q or q[0].strip(b"0.")}
    return next((coding for coding in _squeezers if coding in taken), None)


def _gains(start: Message, size: int, *, more: bool) -> bool:
    kind = header(start, b"content-type") or b""
    if start["status"] in (204, 206, 304) or header(start, b"content-encoding"):
        return False
    if not kind.startswith(_TEXT) or kind.startswith(b"text/event-stream"):
        return False
    return more or size >= _SMALL


def _mark(start: Message, coding: bytes, size: int | None) -> None:
    """Say in the headers what became of the body."""
    headers = [
        (key, b"W/" + value if key == b"etag" and value[:1] == b'"' else value)
        for key, value in start["headers"]
        if key not in (b"content-length", b"accept-ranges")
    ]
    headers += [(b"content-encoding", coding)]
    if size is not None:
        headers += [(b"content-length", str(size).encode())]
    start["headers"] = headers


def _gzip() -> Callable[[bytes, bool], bytes]:
    made = zlib.compressobj(6, zlib.DEFLATED, 31)
    return lambda data, last: (
        made.compress(data) + (made.flush() if last else made.flush(zlib.Z_SYNC_FLUSH))
    )


def _zstd() -> Callable[[bytes, bool], bytes]:
    made = zstandard.ZstdCompressor(3).compressobj()
    end, block = zstandard.COMPRESSOBJ_FLUSH_FINISH, zstandard.COMPRESSOBJ_FLUSH_BLOCK
    return lambda data, last: made.compress(data) + made.flush(end if last else block)


_squeezers = {b"zstd": _zstd, b"gzip": _gzip}
