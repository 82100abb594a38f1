"""The application as a whole."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

    from lineage.registry import Registry

HEAD_GET = ("HEAD", "GET")


def test_a_commit_is_what_show_prints(client: TestClient, repo: Registry) -> None:
    """The API gives what the command line gives as JSON."""
    made = repo.commit("config", "settings", params={"seed": 1})
    found = client.get("/api/v1/commits/config/settings").json()
    assert (found["id"], found["params"]) == (made.id, {"seed": 1})


def test_what_is_not_there_is_a_problem(client: TestClient) -> None:
    """An error is a problem with a status, a sentence and what to do next."""
    found = client.get("/api/v1/commits/nothing")
    assert found.status_code == 404
    assert found.headers["content-type"] == "application/problem+json"
    assert found.json()["detail"]


def test_a_real_port_answers(url: str, repo: Registry) -> None:
    """The server says that it is there, and up to which event it has read."""
    tip = repo.events_log.tip()
    assert httpx.get(f"{url}/api/v1/health").json() == {"status": "ok", "event": tip}


def test_head_is_get_without_its_body(url: str, repo: Registry) -> None:
    """Wherever there is a GET, HEAD answers the same and no body; streams end."""
    made = repo.commit("config", "settings", params={"seed": 1})
    api = f"{url}/api/v1"
    for place in ("/", f"/commits/{made.id}", "/static/pages.css", "/none"):
        plain = {"Accept": "text/html", "Accept-Encoding": "identity"}
        head, get = (httpx.request(m, url + place, headers=plain) for m in HEAD_GET)
        assert (head.status_code, head.content) == (get.status_code, b"")
        assert head.headers["content-length"] == str(len(get.content))
    assert httpx.head(f"{api}/commits/HEAD").headers["etag"]
    assert httpx.head(f"{api}/events/stream", timeout=5).status_code == 200
    assert httpx.head(f"{url}/git/info/refs?service=git-upload-pack").is_success
    wrong = httpx.head(f"{url}/git/git-upload-pack")
    assert wrong.status_code == 405


def test_a_crowd_opens_few_registries(url: str, repo: Registry) -> None:
    """Many who ask at once wait for a registry; few stay open once they are gone."""
    repo.commit("config", "settings", params={"seed": 1})

    def gits() -> int:
        told = Path("/proc/self/task").glob("*/children")
        kids = {kid for path in told for kid in path.read_text().split()}
        lines = (Path("/proc", kid, "cmdline") for kid in kids)
        return sum(str(repo.root).encode() in line.read_bytes() for line in lines)

    before = gits()
    with ThreadPoolExecutor(80) as crowd, httpx.Client(timeout=60) as client:
        page = {"Accept": "text/html"}
        asked = [crowd.submit(client.get, url, headers=page) for _ in range(80)]
        assert {one.result().status_code for one in asked} == {200}
    assert gits() - before <= 16
