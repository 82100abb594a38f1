"""The pages as files: what a server would answer, for any web server or a disk.

Pages are asked for in this process and written one by one, from the first page on
along every link, and of every commit. Links between them become relative, so that
the folder can be moved, and opened without a server.
"""

import asyncio
import os
import re
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from html import escape, unescape
from pathlib import Path, PurePosixPath
from shutil import rmtree
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from lineage.errors import StoreError, UsageError
from lineage.server.access import Principal, principal
from lineage.server.app import create_app
from lineage.store.disk import disk_errors

if TYPE_CHECKING:
    from fastapi import FastAPI

_LINK = re.compile(r'\b(href|src|action|data-load)="(/[^"]*)"')  # as pages write them
_LONGEST = 200  # bytes of a file's name
_MOVED = '<!doctype html><meta charset="utf-8"><title>Moved</title>'


@dataclass(frozen=True, slots=True)
class Written:
    """How many pages were written, and the bytes of all files."""

    pages: int
    size: int


def write(
    root: Path, folder: Path, tell: Callable[[int], object] = lambda _: None
) -> Written:
    """Write the pages of the registry at `root` to `folder`, which is made.

    It is there whole or not at all; `tell` hears how many pages are written.

    Raises:
        UsageError: when something is at `folder`.
        StoreError: when a page cannot be made, or the disk fails.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        hint = "name a folder that is not there yet"
        raise UsageError(f"there is something at {folder}", hint=hint)
    with disk_errors("writing the pages"):
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            found = asyncio.run(_Writer(root, made, tell).run())
            made.chmod(0o755)
            with suppress(FileNotFoundError):
                folder.rmdir()
            made.rename(folder)
        finally:
            rmtree(made, ignore_errors=True)
    return found


def place(url: str) -> PurePosixPath:
    """The file of an address of the pages."""
    parts = urlsplit(url)
    path = unquote(parts.path).strip("/")
    if path.startswith("static/"):
        return PurePosixPath(path)
    name = path or "index"
    if parts.query:
        name += f".{sha256(parts.query.encode()).hexdigest()[:12]}"
    return PurePosixPath(*map(_segment, f"{name}.html".split("/")))


def _segment(name: str) -> str:
    """A name that files can have everywhere, and that leads nowhere else."""
    plain = name.strip(".") and name.isprintable() and not set(name) & set('\\<>:"|?*')
    if plain and len(os.fsencode(name)) <= _LONGEST:
        return name
    return f"{sha256(name.encode()).hexdigest()[:32]}{'.html' * name.endswith('.html')}"


class _Writer:
    """One walk along the links."""

    def __init__(self, root: Path, folder: Path, tell: Callable[[int], object]) -> None:
        self._app = create_app(root)
        self._app.state.live = False
        self._app.dependency_overrides[principal] = lambda: _NOBODY
        self._folder = folder
        self._tell = tell
        self._ahead = ["/", "/static/pages.css", "/static/pages.js", "/static/icon.svg"]
        self._seen = set(self._ahead)
        self._pages = self._size = 0

    async def run(self) -> Written:
        """Write all."""
        with self._app.state.pool.lease() as registry:
            self._add(f"/commits/{record.id}" for record in registry.ids)
        try:
            while self._ahead:
                await self._page(self._ahead.pop())
        finally:
            self._app.state.pool.close()
        return Written(self._pages, self._size)

    def _add(self, urls: Any) -> None:
        new = [url for url in dict.fromkeys(urls) if url not in self._seen]
        self._seen.update(new)
        self._ahead += new

    async def _page(self, url: str) -> None:
        status, headers, body = await _asked(self._app, url)
        if status in (303, 307):
            goal = _local(headers["location"])
            self._add([goal])
            link = escape(f"/{goal.lstrip('/')}")
            body = (
                f'{_MOVED}<meta http-equiv="refresh" content="0; url={_to(url, goal)}">'
                f'<p>This page is <a href="{link}">here</a>.</p>'
            ).encode()
        elif status >= 500:
            hint = "`lineage verify` tells whether all is as recorded"
            raise StoreError(f"the page {url} cannot be made", hint=hint)
        is_page = place(url).suffix == ".html"
        self._keep(url, self._linked(url, body.decode()).encode() if is_page else body)
        self._pages += is_page
        self._tell(self._pages)

    def _linked(self, url: str, page: str) -> str:
        """The page with links to files, which are written next."""

        def relative(found: re.Match[str]) -> str:
            goal = _local(unescape(found[2]))
            self._add([goal])
            return f'{found[1]}="{escape(_to(url, goal))}"'

        return _LINK.sub(relative, page)

    def _keep(self, url: str, content: bytes) -> None:
        path = self._folder / place(url)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self._size += len(content)


_NOBODY = Principal("", "", frozenset({"read"}))


def _local(url: str) -> str:
    """An address without what only the browser reads, or changes with the release."""
    parts = urlsplit(url)
    asset = parts.path.startswith("/static/")
    return parts.path if asset or not parts.query else f"{parts.path}?{parts.query}"


def _to(start: str, goal: str) -> str:
    """The relative link from one address's file to another's."""
    from posixpath import relpath

    return quote(relpath(str(place(goal)), str(place(start).parent)))


def _scope(url: str) -> dict[str, Any]:
    """The request for a page, as ASGI has it."""
    parts = urlsplit(url)
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": unquote(parts.path),
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [(b"host", b"localhost"), (b"accept", b"text/html")],
        "client": ("127.0.0.1", 0),
        "server": ("localhost", 80),
        "state": {},
    }


async def _asked(app: "FastAPI", url: str) -> tuple[int, dict[str, str], bytes]:
    """What the application answers, from within this process."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)
        await asyncio.sleep(0)

    await app(_scope(url), receive, send)
    headers = {
        key.decode(): value.decode("latin-1") for key, value in sent[0]["headers"]
    }
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], headers, body
