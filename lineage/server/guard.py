"""The door: who is let in at all, before anything of a request is believed.

Without a token everybody on this machine may do everything, so nobody else may come
as if from here: no other address, no name that is not this machine's (a page of
another site whose name was pointed here), and nothing that a proxy passed on.
"""

import time
from typing import TYPE_CHECKING

from lineage.server.asgi import App, Receive, Scope, Send
from lineage.server.peers import (
    FORWARDED,
    Headers,
    block,
    is_loopback,
    names_this_machine,
    one,
)
from lineage.server.problems import problem

if TYPE_CHECKING:
    from starlette.responses import Response

    from lineage.server.peers import Peers
    from lineage.server.settings import Limits
    from lineage.server.tokens import Tokens

_SAFE = ("GET", "HEAD", "OPTIONS")
_SINGLE = (b"authorization", b"content-length", b"content-type", b"host", b"origin")
_MANY = 10_000  # addresses


class Guard:
    """Lets requests in, or answers them."""

    def __init__(
        self, app: App, tokens: "Tokens", peers: "Peers", limits: "Limits"
    ) -> None:
        self._app = app
        self._tokens = tokens
        self._peers = peers
        self._limits = limits
        self._rates = Rates(limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        peer = (scope.get("client") or ("", 0))[0]
        address = self._peers.address(peer, scope["headers"])
        scope["state"].update(peer=peer, address=address)
        refusal = self._malformed(scope) or self._stranger(scope, peer)
        refusal = refusal or self._foreign(scope, peer)
        if refusal:
            await refusal(scope, receive, send)
        elif is_loopback(address):
            await self._app(scope, receive, send)
        else:
            await self._in_turn(block(address), scope, receive, send)

    async def _in_turn(
        self, client: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        if wait := self._rates.wait(client):
            await _slower(wait)(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        finally:
            self._rates.leave(client)

    def _malformed(self, scope: Scope) -> "Response | None":
        headers: Headers = scope["headers"]
        size = sum(len(key) + len(value) for key, value in headers)
        if size > self._limits.head or len(headers) > self._limits.headers:
            return problem(431, "there are too many headers, or they are too long")
        if len(scope.get("raw_path", b"")) + len(scope["query_string"]) > 16 << 10:
            return problem(414, "the address is too long", "ask by id instead")
        keys = [key for key, _ in headers]
        if any(keys.count(key) > 1 for key in _SINGLE):
            return problem(400, "a header is there twice that must be there once")
        if not str(scope["path"]).isprintable() or b"%00" in scope["query_string"]:
            return problem(400, "the address has characters that do not print")
        return None

    def _stranger(self, scope: Scope, peer: str) -> "Response | None":
        """Why a request is refused while nobody has a token, if it is."""
        if self._peers or self._tokens:
            return None
        hint = "`lineage token create` on the server makes one"
        if not is_loopback(peer):
            return problem(
                403, "only its own machine is served until there is a token", hint
            )
        keys = [key for key, _ in scope["headers"]]
        if any(key in FORWARDED or key.startswith(b"x-forwarded-") for key in keys):
            return problem(403, "a proxy passed this on, and there is no token", hint)
        host = one(scope["headers"], b"host")
        if not names_this_machine(host):
            return problem(
                421, "this server is asked by another name than its own", hint
            )
        return None

    def _foreign(self, scope: Scope, peer: str) -> "Response | None":
        """Why a request that changes something is refused, if another site made it."""
        if scope["method"] in _SAFE:
            return None
        headers: Headers = scope["headers"]
        other = one(headers, b"sec-fetch-site") in ("cross-site", "same-site")
        origin = one(headers, b"origin")
        hosts = {one(headers, b"host")}
        if self._peers.trusts(peer):
            hosts.add(one(headers, b"x-forwarded-host"))
        if other or (origin and origin.partition("://")[2] not in hosts - {""}):
            hint = "open the page itself, and do it there"
            return problem(403, "another site has asked for this", hint)
        return None


class Rates:
    """How much each address has asked of late: a bucket that fills at a rate."""

    def __init__(self, limits: "Limits") -> None:
        self._limits = limits
        self._left: dict[str, tuple[float, float]] = {}  # requests, when
        self._inside: dict[str, int] = {}

    def wait(self, address: str) -> float:
        """Seconds until `address` may ask; at 0 it does so now, until `leave`."""
        limits, now = self._limits, time.monotonic()
        if self._inside.get(address, 0) >= limits.at_once:
            return 1
        left, then = self._left.pop(address, (limits.burst, now))
        left = min(limits.burst, left + (now - then) * limits.rate)
        self._left[address] = (max(left - 1, 0) if left >= 1 else left, now)
        while len(self._left) > _MANY:
            del self._left[next(iter(self._left))]  # the one that asked longest ago
        if left < 1:
            return (1 - left) / limits.rate
        self._inside[address] = self._inside.get(address, 0) + 1
        return 0

    def leave(self, address: str) -> None:
        """A request of `address` is over."""
        self._inside[address] -= 1
        if not self._inside[address]:
            del self._inside[address]


def _slower(wait: float) -> "Response":
    seconds = max(1, round(wait))
    detail = f"ask again in {seconds} s"
    return problem(429, "too many requests", detail, {"Retry-After": str(seconds)})
