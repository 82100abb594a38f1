"""Limits: what is too large, too slow or too long ends, and the server goes on."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Annotated, Any

import httpx
import pytest
from fastapi import Body
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient

from lineage.server.app import create_app
from lineage.server.settings import Limits, Settings
from tests.server.conftest import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lineage.registry import Registry

MIB = 1 << 20
QUICK = Limits(head=8 << 10, head_seconds=1, body=1 << 16, idle_seconds=1)


@contextmanager
def wire(url: str) -> Iterator[socket.socket]:
    """Connect to a server without a client in between."""
    host, port = url.removeprefix("http://").split(":")
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 18)
        connection.settimeout(10)
        connection.connect((host, int(port)))
        yield connection


def said(connection: socket.socket) -> bytes:
    """Read what comes until the server closes."""
    parts = []
    with suppress(ConnectionResetError):
        while part := connection.recv(1 << 16):
            parts.append(part)
    return b"".join(parts)


@pytest.fixture
def quick(repo: Registry) -> Iterator[str]:
    """Serve a registry with limits that a test need not wait for."""
    with serving(repo.root, Settings(limits=QUICK)) as url:
        yield url


def test_a_head_that_does_not_come_ends_the_connection(quick: str) -> None:
    """Slow heads hold a connection no longer than they may, also on a kept one."""
    with wire(quick) as silent, wire(quick) as slow, wire(quick) as kept:
        slow.sendall(b"GET / HTTP/1.1\r\nHost: 127")
        kept.sendall(b"GET /api/v1/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert kept.recv(1 << 16).startswith(b"HTTP/1.1 200 OK")
        kept.sendall(b"GET /api")
        began = time.monotonic()
        for one in (silent, slow, kept):
            assert said(one) == b""
        assert time.monotonic() - began < 3
    assert httpx.get(f"{quick}/api/v1/health").status_code == 200


def test_a_head_without_end_is_cut(quick: str) -> None:
    """Headers that go on for ever take no memory."""
    with wire(quick) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX: ")
        sent = 0
        with suppress(ConnectionError):
            while sent < 64 * MIB:
                sent += connection.send(b"x" * 4096)
        assert sent < 8 * MIB


SMUGGLED = {
    "both lengths": b"Content-Length: 4\r\nTransfer-Encoding: chunked",
    "two lengths": b"Content-Length: 4\r\nContent-Length: 5",
    "no chunked": b"Transfer-Encoding: xchunked",
    "a space": b"Content-Length : 4",
    "a fold": b"X: 1\r\n Content-Length: 4",
    "a negative": b"Content-Length: -4",
    "a bare CR": b"X: 1\rContent-Length: 4",
    "a NUL": b"X: a\0b",
}


@pytest.mark.parametrize("header", SMUGGLED.values(), ids=SMUGGLED)
def test_nothing_is_smuggled(quick: str, header: bytes) -> None:
    """A request that two readers would read differently is refused, and the last."""
    lines = b"POST /api/v1/whoami HTTP/1.1\r\nHost: 127.0.0.1\r\n" + header
    inner = b"GET /api/v1/whoami HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with wire(quick) as connection:
        connection.sendall(lines + b"\r\n\r\n0\r\n\r\n" + inner)
        answered = said(connection)
    assert answered.startswith(b"HTTP/1.1 400")
    assert b"200 OK" not in answered


def test_what_follows_a_body_is_no_header(repo: Registry) -> None:
    """A proxy that lets trailers pass lets nobody say in them who they are."""
    settings = Settings(proxies=("127.0.0.1",), proxy_scopes=("write",))
    start = b"POST /api/v1/files/lacking HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    body = b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    who = b"X-Forwarded-User: Eve\r\n"
    with serving(repo.root, settings) as url:
        for request, status in (
            (start + who + body + b"2\r\n[]\r\n0\r\n\r\n", b"200"),
            (start + body + b"2\r\n[]\r\n0\r\n" + who + b"\r\n", b"401"),
        ):
            with wire(url) as connection:
                connection.sendall(request)
                assert connection.recv(1 << 16).split(b" ")[1] == status


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_has_a_limit(quick: str, *, chunked: bool) -> None:
    """Too much is refused, whether it is announced or just comes."""
    large = b"x" * (QUICK.body + 1)
    body: Any = iter([large[:100], large[100:]]) if chunked else large
    found = httpx.post(f"{quick}/api/v1/events", content=body)
    assert (found.status_code, found.json()["title"]) == (413, "the body is too large")
    assert found.headers["connection"] == "close"


def test_a_slow_body_ends(quick: str) -> None:
    """A body that stops on the way is answered with 408, and nothing happens."""
    with wire(quick) as connection:
        connection.sendall(
            b"POST /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b'Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"event": '
        )
        assert said(connection).startswith(b"HTTP/1.1 408")


def trickle(count: int, seconds: float) -> Iterator[bytes]:
    """Give bytes, one after the other, slowly."""
    for _ in range(count):
        time.sleep(seconds)
        yield b"x"


@contextmanager
def routed(repo: Registry, limits: Limits) -> Iterator[TestClient]:
    """Give a client of an application with routes that take as long as it says."""
    app = create_app(repo.root, Settings(limits=limits))

    @app.get("/slow")
    def slow(seconds: float) -> str:
        time.sleep(seconds)
        return "done"

    @app.post("/json")
    def parsed(body: Annotated[dict[str, Any], Body()]) -> int:
        return len(body)

    @app.get("/broken")
    def broken() -> None:
        raise ZeroDivisionError("a secret")

    @app.get("/stream")
    def stream() -> StreamingResponse:
        return StreamingResponse(trickle(8, 0.2))

    with TestClient(
        app, base_url="http://127.0.0.1", client=("127.0.0.1", 9)
    ) as client:
        yield client


def test_a_long_answer_is_not_waited_for(repo: Registry) -> None:
    """What takes too long is 503 by then; what has begun goes on."""
    with routed(repo, Limits(seconds=1)) as client:
        assert client.get("/slow?seconds=0").json() == "done"
        found = client.get("/slow?seconds=1.6")
        assert (found.status_code, found.json()["title"]) == (503, "this took too long")
        assert client.get("/stream").text == "x" * 8


def test_a_trickle_is_too_slow(repo: Registry) -> None:
    """A body that keeps coming, a byte at a time, ends too."""
    limits = Limits(idle_seconds=0.2, slowest=1000)
    with serving(repo.root, Settings(limits=limits)) as url:
        found = httpx.put(f"{url}/api/v1/files/{'0' * 64}", content=trickle(20, 0.05))
    assert (found.status_code, found.json()["title"]) == (
        408,
        "the body came too slowly",
    )


def test_what_breaks_is_said_without_its_secrets(
    repo: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    """An error that nobody foresaw is a problem for the client, a trace for us."""
    with routed(repo, Limits()) as client:
        found = client.get("/broken")
        assert found.status_code == 500
        assert found.headers["content-type"] == "application/problem+json"
        assert found.headers["x-content-type-options"] == "nosniff"
        assert "secret" not in found.text
        assert "ZeroDivisionError: a secret" in caplog.text
        assert client.get("/slow?seconds=0").json() == "done"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[1, 2]", 422),
        (b"\xff", 400),
        (b'{"a": ' * 5000 + b"1" + b"}" * 5000, 400),
        (b"1" * 5000, 400),
    ],
)
def test_what_is_no_json_is_a_problem(repo: Registry, body: bytes, status: int) -> None:
    """A body that cannot be read says where, and breaks nothing."""
    with routed(repo, Limits()) as client:
        kind = {"Content-Type": "application/json"}
        found = client.post("/json", content=body, headers=kind)
    assert found.status_code == status
    assert found.json()["detail"]


def test_who_does_not_read_is_let_go(repo: Registry) -> None:
    """A client that asks for much and reads nothing loses its connection."""
    (repo.root / "large").write_bytes(bytes(24 * MIB))
    made = repo.commit("dataset", "large", "large")
    [entry] = repo.files(made.id)
    log = repo.home / "access" / "log.jsonl"
    with serving(repo.root, Settings(limits=QUICK)) as url, wire(url) as connection:
        path = f"/api/v1/files/{entry.sha256}"
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        while not (log.exists() and log.read_bytes()):
            time.sleep(0.05)
        assert len(said(connection)) < 24 * MIB
    told = json.loads(log.read_text())
    assert (told["path"], told["status"]) == (path, 200)
    assert told["bytes"] < 24 * MIB


def test_many_that_hold_on_do_not_keep_others_out(quick: str) -> None:
    """While a hundred clients send nothing, one that asks is answered."""
    with wire(quick) as first:
        host, port = first.getpeername()
        others = [socket.create_connection((host, port)) for _ in range(100)]
        answers: list[int] = []

        def ask() -> None:
            answers.append(httpx.get(f"{quick}/api/v1/health").status_code)

        asking = [threading.Thread(target=ask) for _ in range(4)]
        for each in asking:
            each.start()
        for each in asking:
            each.join()
        for other in others:
            other.close()
    assert answers == [200] * 4
