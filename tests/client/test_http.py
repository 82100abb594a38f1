"""What a server that lies can do to those who ask it."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar

import pytest

from lineage.client import files
from lineage.client.http import Server
from lineage.client.netrc import stored_token
from lineage.errors import NotFound, StoreError
from lineage.store.files import FileEntry
from lineage.store.transport import fetch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lineage.registry import Registry


class Endless(BaseHTTPRequestHandler):
    """Answers that have no end, whatever was asked; some are called problems."""

    def do_GET(self) -> None:
        problem = "problem" in self.path
        self.send_response(400 if problem else 200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        with suppress(OSError):
            while True:
                self.wfile.write(b"[" * 65536)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def liar() -> Iterator[Server]:
    """Serve answers without end."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Endless) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        asked = Server(f"http://127.0.0.1:{server.server_port}")
        yield asked
        asked.close()
        server.shutdown()


def test_answers_have_an_end(
    liar: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No answer fills memory or disk, or is waited for without end."""
    monkeypatch.setattr("lineage.client.http._LARGEST", 1 << 20)
    for path in ("/whoami", "/problem"):
        with pytest.raises(StoreError, match="no JSON"):
            liar.json("GET", path)
    entry, copy = FileEntry("a", "100644", 9, "0" * 64, "0" * 32), tmp_path / "a"
    served = files.ServedPayloads(liar)
    with suppress(StoreError):
        served.receive(entry, copy, lambda _: None)
    assert copy.stat().st_size < 1 << 20


class Moved(BaseHTTPRequestHandler):
    """Sends everybody on to another address of its own, and remembers who came."""

    came: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.came.append(self.path)
        self.send_response(302)
        self.send_header("Location", f"http://localhost:{self.came[0]}/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_nobody_is_sent_elsewhere(repo: Registry, tmp_path: Path) -> None:
    """Neither we nor git follow a server to another address with the token."""
    lock = os.open(tmp_path / "lock", os.O_CREAT | os.O_RDWR)
    with ThreadingHTTPServer(("127.0.0.1", 0), Moved) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        Moved.came[:] = [str(server.server_port)]
        asked = Server(f"http://127.0.0.1:{server.server_port}", "lin_a")
        with pytest.raises(NotFound):
            asked.json("GET", "/whoami")
        refs, told = {"refs/a": "refs/a"}, asked.headers
        with pytest.raises(StoreError):
            fetch(repo.root, f"{asked}/git", refs, lock=lock, headers=told)
        server.shutdown()
    os.close(lock)
    assert len(Moved.came) >= 3
    assert "/elsewhere" not in Moved.came


def test_no_other_password_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ~/.netrc has for a host and is no token of ours stays there."""
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / ".netrc"
    path.write_text(
        "machine ours login x password lin_a\nmachine ftp login x password b\n"
        "default login anonymous password me@example.com\n"
    )
    path.chmod(0o600)
    assert stored_token("ours") == "lin_a"
    assert stored_token("ftp") is None
    assert stored_token("elsewhere.example") is None
