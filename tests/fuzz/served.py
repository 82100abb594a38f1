"""Requests to a server: pages, the API, git's protocol, bodies, headers.

An input is the request as a text: method and target, headers, a blank line, the body.
"""

from __future__ import annotations

import asyncio
import json
import re
from functools import cache
from gzip import compress as gzip
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from lineage.server.app import create_app
from tests.fuzz.world import opened, small_registry

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from pathlib import Path

    App = Callable[..., Coroutine[Any, Any, None]]

RUNS = ("git",)
TRIES = 1
KEPT = (
    b"POST /git/git-upload-pack\nhost: 127.0.0.1\ncontent-encoding: gzip\n\nno gzip",
)
API = "/api/v1"
GETS = (
    "/", "/search?q=kind(model)&page=2", "/branches/model/tutor?page=1",
    "/compare?a=v1&b=HEAD", "/compare/v1...HEAD", "/impact/v1", "/trace/v1?depth=3",
    "/taints", "/names", "/events?type=commit&before=", "/events/1234", "/origins/1234",
    "/commits/model/tutor", "/graph/v1?hops=2", "/reviews", "/reviews/v1",
    "/static/site.css", f"{API}/commits?revset=heads()&limit=3&cursor=x",
    f"{API}/commits/v1", f"{API}/events?limit=2&type=commit", f"{API}/events/1234",
    f"{API}/refs?space=tags", f"{API}/refs/heads/model/tutor", f"{API}/taints",
    f"{API}/metrics/loss?revset=all()", f"{API}/loops", f"{API}/reviews",
    f"{API}/whoami", f"{API}/commits/v1/trace", f"{API}/commits/v1/impact",
    f"{API}/commits/v1/files/seed.jsonl", f"{API}/diff?a=v1&b=HEAD",
    "/git/info/refs?service=git-upload-pack",
)  # fmt: skip
BODIES = {
    "POST /commits": {
        "kind": "config",
        "name": "c",
        "params": {"a": 1},
        "message": "m",
    },
    "POST /taints": {"revision": "v1", "reason": "r"},
    "POST /metrics": {"revision": "v1", "metrics": {"f1": {"value": 1, "n": 3}}},
    "POST /statements": {"revision": "v1", "fields": {"intended_purpose": "x"}},
    "POST /releases": {"revision": "v1", "environment": "production"},
    "POST /verify": {"revisions": ["v1"]},
    "POST /reviews": {"subject": "v1", "verdict": "approve"},
    "PUT /refs/tags/v2": {"revision": "v1"},
    "POST /events": {"event": {}, "moves": [], "objects": []},
    "POST /lineage": {"eventTime": "2026-11-26T12:00:00Z", "producer": "x"},
    "POST /lineage/batch": [{"eventTime": "x"}],
    "POST /uploads": {"files": [{"sha256": "1" * 64, "md5": "2" * 32, "size": 3}]},
}


def seeds(folder: Path) -> Sequence[bytes]:
    small_registry(folder)
    made = [f"GET {target}\nhost: 127.0.0.1\n\n".encode() for target in GETS]
    head = "host: 127.0.0.1\ncontent-type: application/json\nidempotency-key: k"
    for what, body in BODIES.items():
        method, _, path = what.partition(" ")
        text = f"{method} {API}{path}\n{head}\n\n{json.dumps(body)}"
        made.append(text.encode())
    wanted = b"0032want 1111111111111111111111111111111111111111\n00000009done\n"
    kind = b"content-type: application/x-www-form-urlencoded"
    made.append(b"POST /sign-in\nhost: 127.0.0.1\n%b\n\ntoken=x&to=/" % kind)
    asks = b"POST /git/git-upload-pack\nhost: 127.0.0.1\n"
    made += [asks + b"\n" + wanted, asks + b"content-encoding: gzip\n\n" + gzip(wanted)]
    return made


def attack(data: bytes, folder: Path) -> None:
    head, _, body = data.partition(b"\n\n")
    first, *lines = head.split(b"\n")
    method, _, target = first.partition(b" ")
    method = method if re.fullmatch(rb"[A-Z]{1,10}", method) else b"GET"
    path, _, query = (b"/" + target.lstrip(b"/")).partition(b"?")
    pairs = [line.partition(b":") for line in lines if line]
    headers = [(key.strip().lower(), value.strip()) for key, _, value in pairs]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1",
        "method": method.decode(), "scheme": "http", "root_path": "",
        "path": unquote_to_bytes(path).decode(errors="replace"), "raw_path": path,
        "query_string": query, "headers": headers, "state": {},
        "client": ("127.0.0.1", 50000), "server": ("127.0.0.1", 80),
    }  # fmt: skip
    status, answer, kind = _loop().run_until_complete(_asked(_app(folder), scope, body))
    assert status < 500, answer[:300]
    if kind.startswith("application/problem+json"):
        assert json.loads(answer)["title"]


async def _asked(app: App, scope: Any, body: bytes) -> tuple[int, bytes, str]:
    told = [{"type": "http.request", "body": body, "more_body": False}]
    said: list[Any] = []

    async def receive() -> Any:
        return told.pop() if told else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        said.append(message)

    await app(scope, receive, send)
    start = next(each for each in said if each["type"] == "http.response.start")
    kind = dict(start["headers"]).get(b"content-type", b"").decode("latin-1")
    return start["status"], b"".join(each.get("body", b"") for each in said), kind


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    opened.callback(loop.close)
    opened.callback(lambda: loop.run_until_complete(asyncio.sleep(0.1)))
    return loop


@cache
def _app(folder: Path) -> App:
    app = create_app(small_registry(folder).root)
    opened.callback(app.state.pool.close)
    return app
