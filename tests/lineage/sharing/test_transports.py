"""Remotes over ssh and http: real servers on this machine."""

from __future__ import annotations

import base64
import getpass
import os
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lineage.errors import Conflict, StoreError
from lineage.sharing import remotes
from lineage.sharing.clone import clone
from lineage.sharing.push import push
from tests.servers import SSHD, free_port, running, ssh_keys, sshd

if TYPE_CHECKING:
    from collections.abc import Iterator

    Hub = Any

USER, PASSWORD = "ada", "lovelace"

# Where a machine has no OpenSSH: what ssh does to a command, without the way there.
STAND_IN = """\
#!/bin/sh
for command; do :; done
exec sh -c "$command"
"""


@pytest.fixture
def ssh(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve the hub by ssh; give its URL."""
    folder, port = tmp_path / "keys", free_port()
    ssh_keys(folder)
    monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "file:ssh")
    monkeypatch.setenv("GIT_SSH_VARIANT", "ssh")
    url = f"ssh://{getpass.getuser()}@127.0.0.1:{port}{hub.path}"
    if SSHD.exists() and shutil.which("ssh"):
        client = "ssh -F none -o IdentitiesOnly=yes -o StrictHostKeyChecking=no"
        client += f" -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -i {folder}/key"
        monkeypatch.setenv("GIT_SSH_COMMAND", client)
        with running(sshd(folder, port), port):
            yield url
        return
    client = str(folder / "ssh")
    Path(client).write_text(STAND_IN, encoding="utf-8")
    Path(client).chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", client)
    yield url


class Backend(BaseHTTPRequestHandler):
    """Git's smart HTTP for those who know the password, through git's own CGI."""

    folder: Path

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(b"".join(self._body()))

    def _body(self) -> Iterator[bytes]:
        if length := self.headers.get("Content-Length"):
            yield self.rfile.read(int(length))
            return
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _answer(self, body: bytes) -> None:
        expected = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {expected}":
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="hub"')
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        environment = {
            **os.environ,
            "GIT_PROJECT_ROOT": str(self.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "REMOTE_USER": USER,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
        }
        command = ["git", "http-backend"]
        done = subprocess.run(
            command, input=body, env=environment, capture_output=True, check=True
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = [line.partition(": ") for line in head.decode().split("\r\n")]
        status = [value for name, _, value in fields if name == "Status"]
        self.send_response(int(status[0].split()[0]) if status else 200)
        for name, _, value in fields:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def http(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Serve the hub by http; the password comes from GIT_ASKPASS."""
    ask = tmp_path / "ask"
    script = f'#!/bin/sh\ncase "$1" in U*) echo {USER};; *) echo {PASSWORD};; esac\n'
    ask.write_text(script, encoding="utf-8")
    ask.chmod(0o755)
    monkeypatch.setenv("GIT_ASKPASS", str(ask))
    monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "file:http")
    backend = type("Here", (Backend,), {"folder": tmp_path})
    with ThreadingHTTPServer(("127.0.0.1", 0), backend) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/{hub.path.name}"
        server.shutdown()
        thread.join()


def _share(hub: Hub, url: str) -> None:
    """Push, clone, diverge, be refused, meet and publish, all through `url`."""
    ours = hub.first()
    remotes.remove(ours, "origin")
    remotes.add(ours, "origin", url)
    hub.commit(ours, 1)
    assert hub.push(ours).events == 1
    theirs = hub.stack.enter_context(clone(url, hub.folder / "theirs"))
    one, two = hub.commit(theirs, 2), hub.commit(ours, 3)
    hub.push(theirs)
    with pytest.raises(Conflict):
        hub.push(ours)
    hub.pull(ours)
    hub.push(ours)
    hub.pull(theirs)
    expected = {"main": two.id, "main@origin": one.id}
    assert ours.branches() == theirs.branches() == expected


def test_ssh(hub: Hub, ssh: str) -> None:
    """GIT_SSH_COMMAND chooses the key; git-shell commands go through a real server."""
    _share(hub, ssh)


def test_http(hub: Hub, http: str) -> None:
    """The password is asked for as git asks for it."""
    _share(hub, http)


def test_a_wrong_password_is_git_s_to_tell(
    hub: Hub, http: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is asked at a terminal; the error says why."""
    ours = hub.first()
    remotes.add(ours, "web", http)
    monkeypatch.delenv("GIT_ASKPASS")

    with pytest.raises(StoreError, match="terminal prompts disabled"):
        push(ours, remotes.find(ours, "web"))


def test_rewritten_urls(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """`url.….insteadOf` of the user's configuration leads where it says."""
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.{hub.folder}/.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "company:")
    ours = hub.first()
    remotes.remove(ours, "origin")
    remotes.add(ours, "origin", "company:hub.git")
    hub.commit(ours, 1)

    assert hub.push(ours).events == 1


def test_a_remote_of_gits_own(hub: Hub) -> None:
    """What `git remote add` knows need not be said again."""
    ours = hub.first()
    remotes.remove(ours, "origin")
    ours.git.run("remote", "add", "origin", str(hub.path))
    hub.commit(ours, 1)

    assert hub.push(ours).remote.url == str(hub.path)
