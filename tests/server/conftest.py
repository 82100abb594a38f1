"""A server: its application in hand, and a real one behind a port."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import uvicorn
from fastapi.testclient import TestClient

from lineage.server.app import create_app
from lineage.server.running import Served, configured
from lineage.server.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lineage.registry import Registry


@contextmanager
def serving(root: Path, settings: Settings | None = None) -> Iterator[str]:
    """Serve the registry at `root` from a thread; gives the URL."""
    config = configured(Served({"": root}, settings or Settings()))
    config.port = 0
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def asking(
    root: Path, settings: Settings | None = None, address: str = "127.0.0.1"
) -> Iterator[TestClient]:
    """Ask the registry's application without a socket, as if from `address`."""
    app = create_app(root, settings)
    url = "http://127.0.0.1"
    with TestClient(app, base_url=url, client=(address, 50000)) as client:
        yield client


@pytest.fixture
def client(repo: Registry) -> Iterator[TestClient]:
    """Give a client of the registry's application, without a socket."""
    with asking(repo.root) as client:
        yield client


@pytest.fixture
def url(repo: Registry) -> Iterator[str]:
    """Serve the registry on a real port; the URL."""
    with serving(repo.root) as url:
        yield url
