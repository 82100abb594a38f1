"""Real DVC remotes on this machine: a folder, and servers of S3, SSH and HTTP.

Each keeps its objects in a folder of this machine, where tests can harm them.
"""

from __future__ import annotations

import getpass
import os
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.servers import SSHD, free_port, running, ssh_keys, sshd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BIN = Path(sys.executable).parent
KEY, SECRET = "test-access-key", "test-secret-key"
FORGETFUL = 0.05  # seconds


@dataclass(frozen=True)
class Remote:
    """A DVC remote: its kind, its settings, and the folder where its objects end up."""

    kind: str
    settings: dict[str, str]
    folder: Path

    def configure(self, root: Path, **more: str) -> None:
        """Make it DVC's default remote of the repository at `root`."""
        lines = [f"    {k} = {v}\n" for k, v in {**self.settings, **more}.items()]
        text = f"[core]\n    remote = r\n['remote \"r\"']\n{''.join(lines)}"
        (root / ".dvc" / "config").write_text(text, encoding="utf-8")

    def object(self, oid: str) -> Path:
        """Where the server keeps an object."""
        return self.folder / "files" / "md5" / oid[:2] / oid[2:]

    def harm(self, oid: str) -> None:
        """Change a byte of an object, as a failing disk does."""
        path = self.object(oid)
        data = bytearray(path.read_bytes())
        data[0] ^= 1
        path.chmod(0o644)
        path.write_bytes(data)
        self._settle()

    def lose(self, oid: str) -> None:
        """Remove an object."""
        self.object(oid).unlink()
        self._settle()

    def _settle(self) -> None:
        """Wait until rclone has forgotten what it knew of its folders."""
        if self.kind == "s3":
            time.sleep(2 * FORGETFUL)

    @property
    def objects(self) -> set[str]:
        """All that the server keeps where DVC looks for objects."""
        found = (self.folder / "files" / "md5").glob("*/*")
        return {path.parent.name + path.name for path in found}


@dataclass(frozen=True)
class Server:
    """A running server: `at` makes the settings of a remote in a folder below `top`."""

    top: Path
    at: Callable[[str], dict[str, str]]


@pytest.fixture(scope="session")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Give the server of a kind, started when it is first asked for."""
    starts = {"local": _local, "s3": s3_server, "ssh": _ssh, "http": _http}
    running: dict[str, Server] = {}
    with ExitStack() as stack:

        def serve(kind: str) -> Server:
            if kind not in running:
                top = tmp_path_factory.mktemp(kind)
                running[kind] = stack.enter_context(starts[kind](top))
            return running[kind]

        yield serve


@pytest.fixture(params=["local", "s3", "ssh", "http"])
def remote(request: pytest.FixtureRequest, serve: Callable[[str], Server]) -> Remote:
    """Give an empty remote of each kind."""
    server = serve(request.param)
    name = f"r{len(list(server.top.iterdir()))}"  # a name that S3 takes
    folder = server.top / name
    folder.mkdir()
    return Remote(request.param, server.at(name), folder)


@contextmanager
def _local(top: Path) -> Iterator[Server]:
    yield Server(top, lambda name: {"url": str(top / name)})


@contextmanager
def s3_server(top: Path) -> Iterator[Server]:
    """Serve S3 with rclone; each folder below `top` is a bucket."""
    port = free_port()
    command: list[str | Path] = [
        BIN / "rclone",
        "serve",
        "s3",
        "--addr",
        f"127.0.0.1:{port}",
    ]
    command += ["--auth-key", f"{KEY},{SECRET}", "--dir-cache-time", f"{FORGETFUL}s"]
    command += ["--config", os.devnull, "--cache-dir", top.parent, top]
    with running(command, port):
        yield Server(
            top,
            lambda name: {
                "url": f"s3://{name}",
                "endpointurl": f"http://127.0.0.1:{port}",
                "access_key_id": KEY,
                "secret_access_key": SECRET,
                "region": "us-east-1",
            },
        )


@contextmanager
def _ssh(top: Path) -> Iterator[Server]:
    """Serve SFTP: with the machine's own sshd if it has one, else with asyncssh."""
    folder, port = top.parent / f"{top.name}-keys", free_port()
    ssh_keys(folder)
    if SSHD.exists():
        command = sshd(folder, port)
    else:
        command = [sys.executable, "-c", SFTP_SERVER, str(port), folder]
    with running(command, port):
        yield Server(
            top,
            lambda name: {
                "url": f"ssh://127.0.0.1{top / name}",
                "port": str(port),
                "user": getpass.getuser(),
                "keyfile": str(folder / "key"),
            },
        )


SFTP_SERVER = """
import asyncio, sys, asyncssh
port, folder = sys.argv[1:]
async def main():
    await asyncssh.listen(
        "127.0.0.1", int(port), server_host_keys=[folder + "/host"],
        authorized_client_keys=folder + "/key.pub", sftp_factory=True,
    )
    await asyncio.Event().wait()
asyncio.run(main())
"""


@contextmanager
def _http(top: Path) -> Iterator[Server]:
    """Serve a folder as web servers do that take uploads."""

    class Handler(SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(top))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            path = Path(self.translate_path(self.path))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"".join(self._body()))
            self.send_response(201)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _body(self) -> Iterator[bytes]:
            length = self.headers.get("Content-Length")
            if length:
                yield self.rfile.read(int(length))
                return
            while size := int(self.rfile.readline(), 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        port = server.server_address[1]
        yield Server(top, lambda name: {"url": f"http://127.0.0.1:{port}/{name}"})
        server.shutdown()
        thread.join()
