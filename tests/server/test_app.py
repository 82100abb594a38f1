"""The application as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

    from lineage.registry import Registry


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
