"""What every answer gets: headers that keep browsers safe, and a line in the log.

The outermost layer, so that refusals and failures are answered and told like the
rest.
"""

import logging
import time
from typing import TYPE_CHECKING

from lineage.server.asgi import App, Message, Receive, Scope, Send, header
from lineage.server.problems import failure

if TYPE_CHECKING:
    from lineage.server.access_log import AccessLog

POLICY = (  # everything comes from here, and nothing is written into the page itself
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"cache-control", b"private, no-cache"),
    (b"vary", b"Accept, Accept-Encoding, Authorization, Cookie"),
)
_log = logging.getLogger("lineage.server")


class Answers:
    """Completes each answer, and notes it."""

    def __init__(self, app: App, log: "AccessLog") -> None:
        self._app = app
        self._access = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})
        began, said = time.perf_counter(), {"status": 0, "bytes": 0}

        async def completed(message: Message) -> None:
            if message["type"] == "http.response.start":
                said["status"] = message["status"]
                kind = header(message, b"content-type") or b""
                scope["state"]["endless"] = kind.startswith(b"text/event-stream")
                complete(message)
            else:
                said["bytes"] += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, completed)
        except Exception as error:  # noqa: BLE001 - the boundary: nothing passes
            _log.exception("%s %s failed", scope["method"], scope["path"])
            if not said["status"]:
                await failure(error)(scope, receive, completed)
        finally:
            took = time.perf_counter() - began
            self._access.note(scope, said["status"], said["bytes"], took)


def complete(message: Message) -> None:
    """Add the headers that an answer has not set itself."""
    headers = list(message.get("headers", ()))
    present = {key.lower() for key, _ in headers}
    headers += [pair for pair in _HEADERS if pair[0] not in present]
    message["headers"] = headers
