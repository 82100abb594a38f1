"""Files by content address: sent whole or in pieces, checked, read back."""

from __future__ import annotations

import os
import socket
import time
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from lineage.erase import erase, plan_erasure
from lineage.gc import gc
from lineage.store.uploads import Uploads
from tests import packs
from tests.server.sending import address

if TYPE_CHECKING:
    from typing import Any

    from fastapi.testclient import TestClient

    from lineage.registry import Registry

DATA = b"some bytes\n" * 1000
LACKING = "/api/v1/files/lacking"


def piece(at: int, whole: bytes = DATA) -> dict[str, str]:
    return {
        "Upload-Offset": str(at),
        "Upload-Length": str(len(whole)),
        "Content-Type": "application/offset+octet-stream",
    }


def asked(data: bytes) -> dict[str, Any]:
    return {"sha256": sha256(data).hexdigest(), "size": len(data)}


def uploads(repo: Registry) -> list[Path]:
    return [*(repo.payloads.cache / "lineage" / "uploads").glob("*/*/*")]


def test_a_file_is_sent_once(client: TestClient, repo: Registry) -> None:
    """What is lacking is sent; what was sent, or a commit stores, is not lacking."""
    (repo.root / "stored").write_bytes(b"stored")
    repo.commit("dataset", "d", "stored")
    both = [asked(DATA), asked(b"stored")]
    found = client.post(LACKING, json=both).json()
    assert found == [{**asked(DATA), "offset": 0}]
    assert client.put(address(DATA), content=DATA).status_code == 201
    assert client.put(address(DATA), content=DATA).status_code == 204
    assert client.post(LACKING, json=both).json() == []


def test_a_file_that_is_only_referred_to_is_lacking(
    client: TestClient, repo: Registry
) -> None:
    """A commit that stores no bytes is no reason to think that they are here."""
    (repo.root / "away").write_bytes(DATA)
    repo.commit("dataset", "d", "away", reference=True)
    assert client.post(LACKING, json=[asked(DATA)]).json()


def test_wrong_bytes_are_not_kept(client: TestClient, repo: Registry) -> None:
    """Bytes that are not what their address says are a 422, and gone."""
    refused = client.put(address(DATA), content=DATA + b"x")
    assert (refused.status_code, uploads(repo)) == (422, [])
    assert client.head(address(DATA)).status_code == 404
    client.patch(address(DATA), content=b"y" * 100, headers=piece(0))
    rest = client.patch(address(DATA), content=DATA[100:], headers=piece(100))
    assert (rest.status_code, uploads(repo)) == (422, [])


def test_pieces_make_a_file(client: TestClient) -> None:
    """A file comes in pieces, each from where the one before ended."""
    half = len(DATA) // 2
    first = client.patch(address(DATA), content=DATA[:half], headers=piece(0))
    assert (first.status_code, first.headers["upload-offset"]) == (204, str(half))
    assert client.head(address(DATA)).headers["upload-offset"] == str(half)
    assert client.post(LACKING, json=[asked(DATA)]).json()[0]["offset"] == half
    wrong = client.patch(address(DATA), content=DATA[9:], headers=piece(9))
    assert (wrong.status_code, wrong.headers["upload-offset"]) == (409, str(half))
    over = client.patch(address(DATA), content=DATA, headers=piece(half))
    assert over.status_code == 413
    rest = client.patch(address(DATA), content=DATA[half:], headers=piece(half))
    assert rest.status_code == 201
    assert client.get(address(DATA)).content == DATA


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "text/plain"}, 415),
        ({"Upload-Offset": "-1"}, 422),
        ({"Upload-Offset": str(len(DATA) + 1)}, 400),
        ({"Upload-Length": "many"}, 422),
    ],
)
def test_a_malformed_piece_is_refused(
    client: TestClient, repo: Registry, headers: dict[str, str], status: int
) -> None:
    """A piece says where it belongs, and of how much; otherwise nothing is kept."""
    told = {**piece(0), **headers}
    refused = client.patch(address(DATA), content=DATA, headers=told)
    assert (refused.status_code, uploads(repo)) == (status, [])


@pytest.mark.parametrize(
    "path", ["..%2F..%2Fconfig", "A" * 64, "0" * 63, "0" * 64 + "%0a", "0" * 65]
)
def test_only_an_address_is_one(client: TestClient, repo: Registry, path: str) -> None:
    """No path leads anywhere but to 64 hexadecimal digits."""
    for method in ("GET", "HEAD", "PUT", "PATCH"):
        found = client.request(method, f"/api/v1/files/{path}", headers=piece(0))
        assert found.status_code in (400, 404, 405, 422)
    assert uploads(repo) == []


def test_reading_a_file(client: TestClient, repo: Registry) -> None:
    """A file is given whole or in part, under its address, to be saved by a name."""
    (repo.root / "stored").write_bytes(DATA)
    repo.commit("dataset", "d", "stored")
    found = client.get(address(DATA), params={"name": 'Zoë "x"\r\n/../y.bin'})
    assert (found.status_code, found.content) == (200, DATA)
    said = found.headers["content-disposition"]
    assert said.startswith("attachment; filename*=utf-8''Zo%C3%AB%20%22x%22%0D%0A")
    part = client.get(address(DATA), headers={"Range": "bytes=5-9"})
    assert (part.status_code, part.content) == (206, DATA[5:10])
    known = {"If-None-Match": f'"other", W/{found.headers["etag"]}'}
    assert client.get(address(DATA), headers=known).status_code == 304
    beyond = client.get(address(DATA), headers={"Range": f"bytes={len(DATA)}-"})
    assert beyond.status_code == 416


@pytest.mark.parametrize("form", ["plain", "packed"])
def test_ranges_of_a_file(client: TestClient, repo: Registry, form: str) -> None:
    """One range is sent, out of a pack as well; what is no range is the whole file."""
    (repo.root / "stored").write_bytes(DATA)
    id_ = repo.commit("dataset", "d", "stored").id
    if form == "packed":
        [entry] = repo.files(id_)
        packs.pack(repo.payloads, [entry.md5])
        assert repo.payloads.is_packed(entry.md5)
    size = len(DATA)
    etag = f'"{sha256(DATA).hexdigest()}"'

    def ask(asked: str, **headers: str) -> tuple[int, bytes]:
        found = client.get(address(DATA), headers={"Range": asked, **headers})
        length = found.headers["content-length"]
        assert int(length) == len(found.content)
        return found.status_code, found.content

    assert ask("bytes=5-9") == (206, DATA[5:10])
    assert ask(f"bytes={size - 3}-") == ask("bytes=-3") == (206, DATA[-3:])
    assert ask(f"bytes=0-{9 * size}") == ask(f"bytes=-{9 * size}") == (206, DATA)
    assert ask(f"bytes={size}-") == ask("bytes=-0") == (416, b"")
    for other in ("bytes=9-5", "bytes=-", "bytes=1-2,4-5", "lines=1-2", "bytes=a-b"):
        assert ask(other) == (200, DATA)
    assert ask("bytes=5-9", **{"If-Range": etag}) == (206, DATA[5:10])
    assert ask("bytes=5-9", **{"If-Range": '"other"'}) == (200, DATA)
    head = client.head(address(DATA), headers={"Range": "bytes=5-9"})
    assert (head.status_code, head.headers["content-range"], head.content) == (
        206,
        f"bytes 5-9/{size}",
        b"",
    )


def test_erased_bytes_do_not_come_back(client: TestClient, repo: Registry) -> None:
    """What was erased is gone for who reads, and is not taken from who sends."""
    client.put(address(DATA), content=DATA)
    (repo.root / "stored").write_bytes(DATA)
    made = repo.commit("dataset", "d", "stored")
    erase(repo, plan_erasure(repo, made.id), reason="privacy", authority="Ada")
    assert client.get(address(DATA)).status_code == 410
    assert client.put(address(DATA), content=DATA).status_code == 403
    assert uploads(repo) == []


def test_an_interrupted_upload_is_gone_on_with(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What came before the sender died is kept, and the rest is enough."""
    large = os.urandom(3 << 20)
    place = address(large)
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as sender:
        head = f"PUT {place} HTTP/1.1\r\nHost: {host}\r\n"
        sender.sendall(f"{head}Content-Length: {len(large)}\r\n\r\n".encode())
        sender.sendall(large[: 2 << 20])
        while not (came := int(httpx.head(url + place).headers["upload-offset"])):
            time.sleep(0.02)
    while httpx.head(url + place).headers["upload-offset"] == str(came):
        if came == 2 << 20:
            break
        time.sleep(0.02)
    came = int(httpx.head(url + place).headers["upload-offset"])
    assert 0 < came <= 2 << 20
    told = piece(came, large)
    rest = httpx.patch(url + place, content=large[came:], headers=told)
    assert rest.status_code == 201
    assert httpx.get(url + place).content == large
    assert "Traceback" not in caplog.text


def test_a_full_disk_keeps_nothing(
    client: TestClient, repo: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the disk takes no more it is a 507, and what was there before stays."""
    client.patch(address(DATA), content=DATA[:10], headers=piece(0))
    real = os.write

    def full(descriptor: int, data: bytes) -> int:
        if "uploads" in str(Path(f"/proc/self/fd/{descriptor}").readlink()):
            raise OSError(28, "No space left on device")
        return real(descriptor, data)

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        assert client.put(address(b"other"), content=b"other").status_code == 507
        rest = client.patch(address(DATA), content=DATA[10:], headers=piece(10))
        assert rest.status_code == 507
    assert [path.stat().st_size for path in uploads(repo)] == [10]
    rest = client.patch(address(DATA), content=DATA[10:], headers=piece(10))
    assert rest.status_code == 201


def test_what_no_commit_took_is_swept(client: TestClient, repo: Registry) -> None:
    """Old uploads go, begun or whole; `gc` takes them for nobody's pins."""
    client.put(address(DATA), content=DATA)
    client.patch(address(b"abc"), content=b"a", headers=piece(0, b"abc"))
    assert (gc(repo).objects, len(uploads(repo))) == (0, 2)
    for path in uploads(repo):
        os.utime(path, (1, 1))
    gc(repo)
    assert uploads(repo) == []
    assert Uploads(repo.payloads).find(sha256(DATA).hexdigest()) is None
