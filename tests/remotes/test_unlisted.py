"""An object store whose key may read objects, but not list them."""

from __future__ import annotations

import http.client
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from lineage.store.dvc import remote as remote_of
from lineage.transfer import push_payloads

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lineage import Registry
    from tests.remotes.conftest import Remote

pytestmark = pytest.mark.parametrize("remote", ["s3"], indirect=True)
DENIED = b"<Error><Code>AccessDenied</Code><Message>no list</Message></Error>"


class Guard(BaseHTTPRequestHandler):
    """Hands on to the server behind it all but requests for a list."""

    protocol_version = "HTTP/1.1"
    behind = ""

    def _hand_on(self) -> None:
        if "list-type" in self.path:
            self._answer(403, [("Content-Type", "application/xml")], DENIED)
            return
        server = http.client.HTTPConnection(self.behind)
        server.request(self.command, self.path, headers=dict(self.headers))
        answer = server.getresponse()
        self._answer(answer.status, answer.getheaders(), answer.read())
        server.close()

    do_GET = do_HEAD = _hand_on  # noqa: N815 - what http.server calls

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        told = {name.lower(): value for name, value in headers}
        told.setdefault("content-length", str(len(body)))
        self.send_response(status)
        for name, value in told.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def guarded(remote: Remote) -> Iterator[Remote]:
    """Give the remote as that key sees it."""
    behind = urlsplit(remote.settings["endpointurl"]).netloc
    handler = type("Here", (Guard,), {"behind": behind})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        yield replace(remote, settings={**remote.settings, "endpointurl": address})
        server.shutdown()


def test_objects_that_cannot_be_listed_are_asked_for(
    repo: Registry, remote: Remote, guarded: Remote
) -> None:
    """Who may only read them hears what is there, as `verify --remote` asks."""
    remote.configure(repo.root)
    folder = repo.root / "folder"
    folder.mkdir()
    for name in "abcdef":
        (folder / name).write_text(f"text of {name}", encoding="utf-8")
    made = repo.commit("dataset", "folder", folder).id
    push_payloads(repo, None, [made])
    guarded.configure(repo.root)

    with remote_of(repo.git, None) as store:
        found = store.sizes(entry.md5 for entry in repo.files(made))

    assert found == {entry.md5: entry.size for entry in repo.files(made)}
