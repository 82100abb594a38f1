"""The shapes of ASGI, and what all layers around the routes share."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


def path_of(scope: Scope) -> str:
    """The path of a request inside its registry, be it one of several."""
    return str(scope["path"]).removeprefix(scope.get("root_path", ""))


def header(message: Message, name: bytes) -> bytes | None:
    """The value of a header of a message or scope, None without one."""
    for key, value in message.get("headers", ()):
        if key.lower() == name:
            return bytes(value)
    return None
