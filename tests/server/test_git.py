"""Git's own protocol: a registry is cloned and followed over HTTP, and only read."""

from __future__ import annotations

import gzip
import os
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from lineage.errors import StoreError
from lineage.sharing.clone import clone
from lineage.store import names, transport

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fastapi.testclient import TestClient

    from lineage import Registry


@pytest.fixture(autouse=True)
def _http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "file:http")


def fetched(where: Path, url: str, oid: str, *, version: int) -> str:
    """Ask for an object by its oid; what git says on stderr."""
    subprocess.run(["git", "init", "-q", str(where)], check=True)
    words = ["git", "-C", str(where), "-c", f"protocol.version={version}", "fetch"]
    done = subprocess.run(
        [*words, f"{url}/git", oid], capture_output=True, text=True, check=False
    )
    return done.stderr if done.returncode else ""


def test_a_registry_is_cloned_from_its_server(
    url: str, repo: Registry, tmp_path: Path
) -> None:
    """`lineage clone URL/git` brings the whole history, verified."""
    made = repo.commit("config", "settings", params={"seed": 1})
    repo.commit("config", "settings", params={"seed": 2})
    with clone(f"{url}/git", tmp_path / "copy") as copy:
        assert copy.branches() == repo.branches()
        assert copy.load(made.id).params == {"seed": 1}
        assert [e for e, _ in copy.events()] == [e for e, _ in repo.events()]


def test_only_the_registry_is_shown(url: str, repo: Registry, tmp_path: Path) -> None:
    """Branches that people work on, and what this clone saw elsewhere, stay unseen."""
    repo.commit("config", "settings", params={"seed": 1})
    repo.git.run("update-ref", f"{names.ROOT}remotes/origin/events", "HEAD")
    listed = transport.listing(tmp_path, f"{url}/git")
    shown = (names.EVENTS, f"{names.ROOT}heads/config%2Fsettings")
    assert tuple(listed) == shown


@pytest.mark.parametrize("version", [0, 2])
def test_what_is_not_shown_is_not_given(
    url: str, repo: Registry, tmp_path: Path, version: int
) -> None:
    """Whoever knows the oid of a hidden commit does not get it, by either protocol."""
    own = repo.git.ref("refs/heads/main")
    event = repo.events_log.tip()
    assert own
    assert event
    said = fetched(tmp_path / "a", url, own, version=version)
    assert f"Server does not allow request for unadvertised object {own}" in said
    assert fetched(tmp_path / "b", url, event, version=version) == ""


def test_nothing_is_pushed(url: str, repo: Registry) -> None:
    """A push is refused, and the registry is as it was."""
    tip = repo.events_log.tip()
    with pytest.raises(StoreError, match="403"):
        transport.push(
            repo.root, f"{url}/git", {names.EVENTS: tip}, (names.EVENTS, tip)
        )
    assert repo.events_log.tip() == tip


def test_the_tip_is_told_without_git(client: TestClient, repo: Registry) -> None:
    """One small answer says whether there is anything to fetch."""
    assert client.get("/git/refs/lineage/events").text == f"{repo.events_log.tip()}\n"


def test_a_request_that_unpacks_without_end_is_refused(client: TestClient) -> None:
    """A small body that becomes a large one costs the server no memory."""
    bomb = gzip.compress(b"0" * (64 << 20))
    headers = {"Content-Encoding": "gzip"}
    found = client.post("/git/git-upload-pack", content=bomb, headers=headers)
    assert (found.status_code, found.json()["title"]) == (
        400,
        "the request is longer than git's can be",
    )


def large(repo: Registry) -> str:
    """Make a commit of 12 MB that does not get smaller, in the attic; its oid."""
    blob = repo.git.run("hash-object", "-w", "--stdin", data=os.urandom(12 << 20))
    tree = repo.git.run("mktree", data=b"100644 blob " + blob.strip() + b"\tnoise\n")
    who = ("-c", "user.name=A", "-c", "user.email=a@b")
    words = ("commit-tree", "-m", "x", tree.decode().strip())
    oid = repo.git.run(*words, options=who)
    name = oid.decode().strip()
    repo.git.run("update-ref", f"{names.ROOT}attic/{name}", name)
    return name


def answering() -> list[str]:
    """The gits that this process has answering somebody, as the system shows them."""
    lines = (" ".join(child.cmdline()) for child in psutil.Process().children())
    return [line for line in lines if "upload-pack" in line]


def comes(true: Callable[[], object]) -> bool:
    """Wait for something to be true, on a busy machine too."""
    until = time.monotonic() + 20
    while not true() and time.monotonic() < until:
        time.sleep(0.02)
    return bool(true())


def test_a_reader_who_goes_leaves_no_git_behind(url: str, repo: Registry) -> None:
    """A connection that ends in the middle of an answer ends its git."""
    want = f"want {large(repo)} side-band-64k\n".encode()
    asked = b"%04x%s00000009done\n" % (len(want) + 4, want)
    head = b"POST /git/git-upload-pack HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.connect(("127.0.0.1", int(url.rpartition(":")[2])))
        reader.sendall(head + b"%d\r\n\r\n" % len(asked) + asked)
        assert reader.recv(100).startswith(b"HTTP/1.1 200")
        assert comes(answering)
    assert comes(lambda: not answering())
