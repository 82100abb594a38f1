"""Connections: uvicorn's own, with an end to heads that are slow or without end."""

import asyncio
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    from asyncio import TimerHandle

    from lineage.server.settings import Limits


class Connection(HttpToolsProtocol):
    """One connection, which is cut when the head of a request does not come."""

    def __init__(self, *words: Any, **named: Any) -> None:
        super().__init__(*words, **named)
        served: Any = self.config.app
        self._limits: Limits = served.settings.limits
        self._state: dict[str, Any] = {}  # of the request that is answered
        self._in_head = True
        self._size = 0
        self._timer: TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        was = self._in_head
        super().data_received(data)
        if was and self._in_head:
            self._size += len(data)
            if self._size > self._limits.head:
                self.transport.abort()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._state = self.scope["state"]
        self._state["abort"] = self.transport.abort
        self._expect_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # what follows a body is no header, whoever lets it pass
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head, self._size = False, 0
        self._stop()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Let answers end, but for those that have no end."""
        super().shutdown()
        if self._state.get("endless"):
            self.transport.close()

    def _expect_head(self) -> None:
        self._in_head = True
        if self._timer is None:
            wait = self._limits.head_seconds
            self._timer = self.loop.call_later(wait, self.transport.abort)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
