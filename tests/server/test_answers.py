"""What every answer gets: a line in the access log, and compression that fits."""

from __future__ import annotations

import gzip
import json
import multiprocessing
from typing import TYPE_CHECKING, Any

import pytest
import zstandard

from lineage.server.access_log import KEPT, AccessLog
from lineage.server.tokens import Tokens

if TYPE_CHECKING:
    from pathlib import Path

    from fastapi.testclient import TestClient

    from lineage.registry import Registry

COMMIT = "/api/v1/commits/config/settings"


def lines(folder: Path) -> list[dict[str, Any]]:
    found = sorted(folder.glob("log*.jsonl"), reverse=True)
    return [
        json.loads(line) for path in found for line in path.read_text().splitlines()
    ]


def test_who_asked_what_is_noted(client: TestClient, repo: Registry) -> None:
    """A line says who, what, when and how it ended, refusals too, and no secret."""
    secret, token = Tokens(repo.home).create("CI", "ci@example.com", ["read"])
    bearer = {"Authorization": f"Bearer {secret}"}
    client.get("/api/v1/whoami?x=1", headers=bearer)
    client.get("/api/v1/whoami", headers={"Authorization": "Bearer lin_wrong"})
    client.get('/api/v1/commits/"\u2028{}')
    folder = repo.home / "access"
    first, second, third = lines(folder)
    assert (first["name"], first["token"], first["query"]) == ("CI", token.id, "x=1")
    assert (first["status"], first["address"], first["method"]) == (
        200,
        "127.0.0.1",
        "GET",
    )
    assert (second["status"], second["name"]) == (401, None)
    assert (third["status"], third["path"]) == (400, '/api/v1/commits/"\u2028{}')
    text = (folder / "log.jsonl").read_text()
    assert secret not in text
    assert "lin_wrong" not in text
    assert (folder / "log.jsonl").stat().st_mode & 0o077 == 0


def _write(home: Path, count: int) -> None:
    log = AccessLog(home, 2000)
    state: dict[str, Any] = {"address": "::1"}
    scope = {"state": state, "method": "GET", "path": "/", "query_string": b""}
    for number in range(count):
        log.note(scope, number, 0, 0)
    log.close()


def test_processes_share_a_log_that_rotates(tmp_path: Path) -> None:
    """No line is torn or lost while several processes write and rename."""
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_write, args=(tmp_path, 15)) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    noted = [line["status"] for line in lines(tmp_path / "access")]
    assert sorted(noted) == sorted([*range(15)] * 3)
    _write(tmp_path, 200)
    assert len(list((tmp_path / "access").glob("log*.jsonl"))) == KEPT + 1


def test_a_log_that_cannot_be_written_stops_nothing(
    client: TestClient, repo: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    """Where the log is in the way, requests are answered, and somebody is told."""
    (repo.home / "access").write_text("in the way")
    assert client.get("/api/v1/whoami").status_code == 200
    assert "the access log cannot be written" in caplog.text


def unpacked(coding: str, data: bytes) -> bytes:
    if coding == "zstd":
        return zstandard.ZstdDecompressor().decompressobj().decompress(data)
    return gzip.decompress(data)


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("zstd", "zstd"),
        ("gzip", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip;q=1.0, zstd;q=0", "gzip"),
        ("gzip;q=0.5", "gzip"),
        ("GZIP", "gzip"),
        ("br", None),
        ("zstd;q=0.0", None),
        ("", None),
    ],
)
def test_text_is_compressed_as_the_client_takes_it(
    client: TestClient, repo: Registry, accepted: str, coding: str | None
) -> None:
    """What comes back is what is said, however it travels."""
    repo.commit("config", "settings", params={f"p{i}": i for i in range(300)})
    plain = client.get(COMMIT, headers={"Accept-Encoding": "identity"})
    with client.stream("GET", COMMIT, headers={"Accept-Encoding": accepted}) as found:
        body = b"".join(found.iter_raw())
    assert found.headers.get("content-encoding") == coding
    assert "Accept-Encoding" in found.headers["vary"]
    assert (unpacked(coding, body) if coding else body) == plain.content
    assert not coding or len(body) < len(plain.content) / 2
    if tag := plain.headers.get("etag"):
        assert found.headers["etag"] == (f"W/{tag}" if coding else tag)


def test_what_is_small_stays_as_it_is(client: TestClient) -> None:
    """A short answer is not worth it."""
    found = client.get("/api/v1/whoami", headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in found.headers
