"""HEAD: what GET answers, without its body, at every address that has a GET."""

from lineage.protocol import API
from lineage.server.asgi import App, Message, Receive, Scope, Send, path_of

_OWN = f"{API}/files/"  # answers by itself: no file is read for it


class Heads:
    """Asks the routes for GET, and passes on the head of their answer."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("method") != "HEAD" or path_of(scope).startswith(_OWN):
            await self._app(scope, receive, send)
            return
        over = False

        async def head(message: Message) -> None:
            nonlocal over
            if message["type"] == "http.response.start":
                await send(message)
            elif not over:
                over = True
                await send({"type": "http.response.body", "body": b""})

        async def heard() -> Message:  # what has no end, ends
            return {"type": "http.disconnect"} if over else await receive()

        await self._app({**scope, "method": "GET"}, heard, head)
