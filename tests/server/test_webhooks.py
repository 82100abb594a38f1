"""Webhooks: told of events in order, signed, again until they take them."""

from __future__ import annotations

import json
import socket
import stat
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from lineage.server import delivery
from lineage.server.hooks import Hooks
from lineage.server.posting import _is_public, send, signature

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lineage.registry import Registry
    from tests.conftest import Run


@contextmanager
def receiver(*answers: int) -> Iterator[tuple[str, list[Any]]]:
    """Listen for what is told; the first answers are given, then 204."""
    heard: list[Any] = []
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = left.pop(0) if left else 204
            heard.append((self.headers, body, status))
            self.send_response(status)
            self.send_header("Location", "http://169.254.169.254/")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/hook?x=1", heard
        finally:
            server.shutdown()
            thread.join()


def until(heard: list[Any], count: int) -> None:
    end = time.monotonic() + 30
    while len(heard) < count and time.monotonic() < end:
        time.sleep(0.02)
    assert len(heard) >= count


def test_a_hook_hears_of_events_in_order(
    repo: Registry, run: Run, monkeypatch: pytest.MonkeyPatch, request: Any
) -> None:
    """What it did not take, a redirect too, is told again, and nothing overtakes it."""
    monkeypatch.setattr(delivery, "_PAUSE", 0.05)
    with receiver(500, 302) as (url, heard):
        told = run("webhook", "add", url, "--event", "commit", "--allow-private")
        secret = told.stdout.strip()
        for seed in range(2):
            repo.commit("config", "c", params={"seed": seed})
            repo.attest("gate")
        request.getfixturevalue("url")  # the server starts, and tells what waited
        until(heard, 4)
    bodies = [json.loads(body) for _, body, _ in heard]
    ids = [e.event.id for e in repo.events_log.iterate() if e.event.type == "commit"]
    assert [body["id"] for body in bodies] == [ids[1], ids[1], ids[1], ids[0]]
    headers, body, _ = heard[0]
    stamp, mac = headers["Lineage-Signature"].removeprefix("t=").split(",v1=")
    assert signature(secret, stamp, body) == mac
    assert headers["Lineage-Event"] == bodies[0]["id"]


def test_a_hook_that_fails_holds_up_no_other(
    repo: Registry, run: Run, monkeypatch: pytest.MonkeyPatch, request: Any
) -> None:
    """One never answers; another goes on after an event that it would not take."""
    for name, value in {"_PAUSE": 0.05, "_TRIES": 2, "_LATEST": 0.01}.items():
        monkeypatch.setattr(delivery, name, value)
    silent = socket.create_server(("127.0.0.1", 0))
    with receiver(500, 500) as (url, heard):
        slow = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        for place in (slow, slow, url):
            run("webhook", "add", place, "--allow-private")
        repo.attest("gate")
        repo.attest("gate")
        request.getfixturevalue("url")
        until(heard, 3)
    silent.close()
    ids = [json.loads(body)["id"] for _, body, _ in heard]
    newest = [logged.event.id for logged in repo.events_log.iterate()]
    assert ids == [newest[1], newest[1], newest[0]]
    assert listed(run)[url] == (0, 1, "")


def listed(run: Run) -> dict[str, tuple[int, int, str]]:
    hooks = run("webhook", "list", "--format", "json").json()["webhooks"]
    return {
        hook["url"]: (hook["failed"], hook["left_out"], hook["error"]) for hook in hooks
    }


def test_a_hook_is_not_led_into_our_network(repo: Registry) -> None:
    """Addresses of our own machines are not asked, however they are written."""
    tip = repo.events_log.tip() or ""
    newest = next(repo.events_log.iterate())
    with receiver() as (url, heard):
        for place in (url, url.replace("127.0.0.1", "localhost"), "http://0x7f.1/"):
            hook = Hooks(repo.home).add(place, [], tip, private=False)
            assert "a network of our own" in send(hook, newest)
        assert heard == []
    for place in ("file:///etc/passwd", "ftp://example.com", "https://u:p@example.com"):
        with pytest.raises(Exception, match="address"):
            Hooks(repo.home).add(place, [], tip, private=False)
    private = "10.1.2.3 192.168.0.1 169.254.169.254 ::1 fe80::1%eth0 fd00::1 0.0.0.0"
    private += " ::ffff:10.0.0.1 64:ff9b::7f00:1 2002:7f00:1:: 100.64.0.1 224.0.0.1"
    private += " ::7f00:1 fec0::1 ::ffff:0:127.0.0.1"
    assert not any(map(_is_public, private.split()))
    assert all(map(_is_public, ["93.184.216.34", "2606:2800:220:1::1"]))


def test_hooks_are_listed_and_removed(repo: Registry, run: Run) -> None:
    """The list says who is told and never the secret, which only its owner can read."""
    secret = run("webhook", "add", "https://example.com/hook").stdout.strip()
    [path] = (repo.home / "hooks").glob("*.json")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    [hook] = run("webhook", "list", "--format", "json").json()["webhooks"]
    assert (hook["url"], hook["failed"]) == ("https://example.com/hook", 0)
    assert secret not in run("webhook", "list", "--format", "json").stdout
    assert run("webhook", "remove", hook["id"]).exit_code == 0
    assert run("webhook", "remove", hook["id"]).exit_code == 5
