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

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lineage.registry import Registry


@contextmanager
def serving(root: Path) -> Iterator[str]:
    """Serve the registry at `root` from a thread; gives the URL."""
    config = uvicorn.Config(create_app(root), port=0, log_level="warning")
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


@pytest.fixture
def client(repo: Registry) -> Iterator[TestClient]:
    """Give a client of the registry's application, without a socket."""
    with TestClient(create_app(repo.root)) as client:
        yield client


@pytest.fixture
def url(repo: Registry) -> Iterator[str]:
    """Serve the registry on a real port; the URL."""
    with serving(repo.root) as url:
        yield url
