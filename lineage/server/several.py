"""Several registries behind one server: each below its name, a list of them at ``/``.

Who asks for the list is asked by each registry who they are; they see those that
answer, so that a name is told to nobody who may not read there.
"""

import re
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from markupsafe import Markup
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from lineage.errors import UsageError
from lineage.protocol import API
from lineage.server.answers import complete
from lineage.server.asgi import Message, Receive, Scope, Send, header
from lineage.server.problems import problem

if TYPE_CHECKING:
    from fastapi import FastAPI

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_WHO = f"{API}/whoami"
_PAGE = Markup(
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>lineage</title>'
    '<meta name="viewport" content="width=device-width"><h1>Registries</h1>'
    "<ul>{}</ul></html>"
)
_ROW = Markup('<li><a href="{0}/">{0}</a></li>')


def check_name(name: str) -> None:
    """A registry's name is one part of an address as it stands.

    Raises:
        UsageError: when it is not.
    """
    if not _NAME.fullmatch(name):
        hint = "letters, digits, and . _ - between them"
        raise UsageError(f"{name!r} cannot be the name of a registry here", hint=hint)


class Several:
    """Hands each request to the registry that its path begins with."""

    def __init__(self, apps: Mapping[str, "FastAPI"]) -> None:
        self._apps = dict(apps)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        name, slash, _ = scope["path"][1:].partition("/")
        if name in self._apps and slash:
            await self._apps[name](self._below(scope, name), receive, send)
            return
        answer = await self._answer(scope, name)

        async def completed(message: Message) -> None:
            if message["type"] == "http.response.start":
                complete(message)
            await send(message)

        await answer(scope, receive, completed)

    async def _answer(self, scope: Scope, name: str) -> Response:
        if name in self._apps:
            return RedirectResponse(f"{scope.get('root_path', '')}/{name}/")
        if name or scope["method"] not in ("GET", "HEAD"):
            return problem(404, "there is nothing here", "`/` lists the registries")
        names = [one for one in sorted(self._apps) if await self._reads(scope, one)]
        if not names:
            return problem(401, "this needs a token", "each registry has its own")
        if b"text/html" in (header(scope, b"accept") or b""):
            rows = Markup().join(map(_ROW.format, names))
            return HTMLResponse(_PAGE.format(rows))
        return JSONResponse({"registries": names})

    async def _reads(self, scope: Scope, name: str) -> bool:
        """Whether whoever sends this may read the registry `name`."""
        status = 0

        async def answered(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)

        asked = {**scope, "method": "GET", "path": f"/{name}{_WHO}", "state": {}}
        asked["raw_path"], asked["query_string"] = asked["path"].encode(), b""
        await self._apps[name](self._below(asked, name), _nothing, answered)
        return status == 200

    @staticmethod
    def _below(scope: Scope, name: str) -> Scope:
        return {**scope, "root_path": f"{scope.get('root_path', '')}/{name}"}

    async def _live(self, receive: Receive, send: Send) -> None:
        """Start all and, in the end, stop all."""
        await receive()
        async with AsyncExitStack() as stack:
            for app in self._apps.values():
                await stack.enter_async_context(app.router.lifespan_context(app))
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


async def _nothing() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}
