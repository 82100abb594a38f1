"""Writing through a server: what a registry's own folder would have got, or nothing."""

from __future__ import annotations

import os
import socket
import socketserver
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest

import lineage
from lineage.bulk import Draft, import_commits
from lineage.client import files
from lineage.errors import Conflict, NotAllowed, StoreError, Unauthenticated
from lineage.keys import add
from lineage.server.tokens import Tokens
from lineage.store.key_files import generate
from lineage.store.objects import Commit, Edge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lineage import Registry
    from lineage.client.connecting import ConnectedRegistry

    Connect = Callable[..., ConnectedRegistry]


def token(repo: Registry, *scopes: str) -> str:
    """Make a token of Grace's; what she shows."""
    return Tokens(repo.home).create("Grace", "grace@example.com", scopes)[0]


def test_what_is_written_is_there(
    repo: Registry, connect: Connect, sound: Callable[..., None], tmp_path: Path
) -> None:
    """Commits, names, statements and undos land in the registry, bytes and all."""
    remote = connect()
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a.txt").write_text("a")
    (folder / "b.txt").write_bytes(os.urandom(300_000))
    data = remote.commit("dataset", "seed", folder, message="first")
    edges = [Edge("trained_on", data.id, "declared")]
    model = remote.commit("model", "tutor", params={"seed": 1}, edges=edges)
    remote.tag("v1", model.id)
    remote.branch("model/other", "v1")
    remote.undo()
    remote.taint(data.id, "scraped")
    remote.measure("v1", {"accuracy": 0.5})
    remote.state("v1", {"intended_use": "none"})
    assert repo.branches() == remote.branches()
    assert repo.tags() == {"v1": model.id}
    assert [e for _, e in repo.events()] == [e for _, e in remote.events()]
    assert repo.entry("v1").metrics["accuracy"].value == 0.5
    assert [one.reason for one in repo.taints()] == ["scraped"]
    got = repo.get(data.id, tmp_path / "got")
    assert (got / "b.txt").read_bytes() == (folder / "b.txt").read_bytes()
    sound(repo)
    sound(remote, lacking=True)


def test_the_same_again_is_nothing_new(connect: Connect, tmp_path: Path) -> None:
    """The same content on the same tip makes no second commit, whoever asks."""
    (tmp_path / "a.txt").write_text("a")
    first = connect().commit("dataset", "seed", tmp_path / "a.txt")
    again = connect("two").commit("dataset", "seed", tmp_path / "a.txt")
    assert (first.id, first.created) == (again.id, True)
    assert not again.created


def test_many_write_one_branch(repo: Registry, connect: Connect) -> None:
    """Writers with mirrors of their own, and threads of one, lose nothing."""
    remotes = [connect("one"), connect("two")]

    def commit(n: int) -> str:
        remote = remotes[n % 2]
        for _ in range(20):
            try:
                return remote.commit("config", "c", params={"n": n}).id
            except Conflict:
                continue
        raise AssertionError

    with ThreadPoolExecutor(3) as pool:
        ids = set(pool.map(commit, range(6)))
    history = [entry.id for entry in repo.log("config/c")]
    assert set(history) == ids
    assert len(history) == 6


def test_who_comes_second_changes_nothing(
    repo: Registry, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that moved between look and write is a conflict; the next try works."""
    remote = connect()
    ask = remote.server.json

    def late(method: str, path: str, body: Any = None, **named: Any) -> Any:
        if path == "/events":
            monkeypatch.setattr(remote.server, "json", ask)
            repo.commit("config", "c", params={"n": 1})
        return ask(method, path, body, **named)

    monkeypatch.setattr(remote.server, "json", late)
    with pytest.raises(Conflict, match="config/c"):
        remote.commit("config", "c", params={"n": 2})
    assert repo.entry("config/c").commit.params == {"n": 1}
    made = remote.commit("config", "c", params={"n": 2})
    assert repo.branches()["config/c"] == made.id


def test_events_are_those_of_the_token(repo: Registry, connect: Connect) -> None:
    """Who acts is whoever the token names, and what it may not do is refused."""
    remote = connect(token=token(repo, "write"))
    remote.commit("config", "c", params={"n": 1})
    event = next(e for _, e in repo.events())
    assert event.actor == {"name": "Grace", "email": "grace@example.com"}
    with pytest.raises(NotAllowed, match="this needs the scope review"):
        remote.taint("config/c", "bad")
    with pytest.raises(Unauthenticated, match="this needs a token"):
        connect("two")
    with pytest.raises(Unauthenticated, match="this is no token"):
        connect("two", token="lin_wrong")  # noqa: S106


def test_events_are_signed_here(
    repo: Registry, connect: Connect, tmp_path: Path
) -> None:
    """The key stays with whoever signs; the server keeps what it signed."""
    file = tmp_path / "key"
    public = generate(file, "", passphrase=False)
    who = repo.actor()
    with repo.signer.using(file):
        add(repo, public, who["name"], who["email"], roles=["releaser"])
    remote = connect(settings={"signing.key": str(file)})
    made = remote.commit("config", "c", params={"n": 1})
    assert repo.branches() == {"config/c": made.id}
    tip = repo.git.blob(repo.events_log.tip() or "")
    assert b"BEGIN SSH SIGNATURE" in (tip or b"")
    assert repo.verify().problems == []
    with pytest.raises(NotAllowed, match="signs with a key of its own"):
        connect("two").tag("v1", made.id)


def test_a_token_is_found_in_netrc(
    repo: Registry, connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file that git and curl read holds tokens, unless others may read it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    secret = token(repo, "read")
    path = tmp_path / ".netrc"
    path.write_text(f"machine 127.0.0.1 login lineage password {secret}\n")
    with pytest.raises(StoreError, match="others may read the token"):
        connect()
    path.chmod(0o600)
    assert connect().actor()["name"] == "Grace"


def test_no_token_is_shown_to_the_internet(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token goes over plain http to this machine and private networks alone."""
    for address, refused in (("203.0.113.7", False), ("8.8.8.8", True)):
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, f=found: f)
        if refused:
            with pytest.raises(NotAllowed, match="would show the token"):
                lineage.connect("http://lineage.example", "lin_x")


class Cutting(socketserver.ThreadingTCPServer):
    """Passes a server on, but cuts the first connection that sends too much."""

    daemon_threads = True

    def __init__(self, url: str, after: int) -> None:
        super().__init__(("127.0.0.1", 0), socketserver.BaseRequestHandler)
        self.there, self.after, self.cut = url.rpartition(":")[2], after, False
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def finish_request(self, request: Any, client_address: Any) -> None:
        del client_address
        with socket.create_connection(("127.0.0.1", int(self.there))) as far:
            back = threading.Thread(target=self.pump, args=(far, request))
            back.start()
            self.pump(request, far, up=True)
            back.join()

    def pump(self, source: Any, target: Any, *, up: bool = False) -> None:
        """Pass on what comes until one end closes, or it has to be cut."""
        count = 0
        with suppress(OSError):
            while data := source.recv(1 << 14):
                count += len(data)
                target.sendall(data)
                if up and count > self.after and not self.cut:
                    self.cut = True
                    break
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class Losing(Cutting):
    """Passes a server on, but loses its first answer to who sends an event."""

    def __init__(self, url: str) -> None:
        super().__init__(url, 0)
        self.asked = False

    def pump(self, source: Any, target: Any, *, up: bool = False) -> None:
        """Pass on what comes, until it is what has to be lost."""
        with suppress(OSError):
            while data := source.recv(1 << 14):
                self.asked |= up and b"POST /api/v1/events" in data
                if self.asked and not up and not self.cut:
                    self.cut = True
                    break
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def passing(way: Cutting) -> Iterator[Cutting]:
    with way:
        thread = threading.Thread(target=way.serve_forever, args=(0.05,))
        thread.start()
        yield way
        way.shutdown()
        thread.join()


@pytest.fixture
def cutting(url: str) -> Iterator[Cutting]:
    """Give a way to the server that breaks once, after 4 MiB."""
    with passing(Cutting(url, 4 << 20)) as way:
        yield way


def test_an_answer_that_is_lost_is_asked_for_again(
    repo: Registry, connect: Connect, url: str
) -> None:
    """The server has recorded it, once, and whoever sent it comes to know."""
    with passing(Losing(url)) as way:
        remote = connect(at_url=way.url)
        made = remote.commit("config", "c", params={"n": 1})
        assert way.cut
    assert repo.branches() == {"config/c": made.id}
    assert [event.type for _, event in repo.events()] == ["commit", "init"]


def test_many_commits_come_at_once(
    repo: Registry, connect: Connect, sound: Callable[..., None], tmp_path: Path
) -> None:
    """An import goes to the server with its files, and is nowhere else if refused."""
    secret = token(repo, "read")
    remote = connect(token=token(repo, "write"))
    (tmp_path / "a.txt").write_text("a")
    payload, entries = remote.payloads.add(tmp_path / "a.txt")
    data = Commit("dataset", "d", payload=payload)
    drafts = [Draft(data, tuple(entries), branch="")]
    drafts += [Draft(Commit("config", f"c{n}", params={"n": n})) for n in range(3)]
    drafts += [Draft(Commit("model", "m", (Edge("trained_on", data.id),)))]
    with pytest.raises(NotAllowed):
        [*import_commits(connect("two", token=secret), drafts[1:2])]
    assert not connect("two", token=secret, offline=True).git.read(drafts[1].commit.id)
    [done] = import_commits(remote, drafts)
    assert done.created == 5
    assert repo.get(data.id, tmp_path / "got").read_text() == "a"
    sound(repo)
    sound(remote, lacking=True)


def test_a_broken_upload_goes_on(
    repo: Registry,
    connect: Connect,
    cutting: Cutting,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A connection that breaks in the middle costs the rest, not the beginning."""
    (tmp_path / "large.bin").write_bytes(os.urandom(6 << 20))
    starts: list[int] = []
    send = files._send_from

    def noted(server: Any, path: Any, entry: Any, offset: int, tick: Any) -> None:
        starts.append(offset)
        send(server, path, entry, offset, tick)

    monkeypatch.setattr(files, "_send_from", noted)
    remote = connect(at_url=cutting.url)
    made = remote.commit("dataset", "large", tmp_path / "large.bin")
    assert cutting.cut
    assert starts[0] == 0
    assert starts[-1] > 0
    got = repo.get(made.id, tmp_path / "got.bin")
    assert got.read_bytes() == (tmp_path / "large.bin").read_bytes()


def test_nothing_is_merged_from_afar(connect: Connect) -> None:
    """An event that joins two logs is made where the registry lies."""
    remote = connect()
    event = next(e for _, e in remote.events())
    with (
        remote.events_log.locked() as lock,
        pytest.raises(NotAllowed, match="two logs meet"),
    ):
        remote.record(event, lock=lock, merged=["0" * 40])
