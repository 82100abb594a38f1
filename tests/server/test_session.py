"""Signing in with a browser, and what other sites cannot have it do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from lineage.server.session import COOKIE
from lineage.server.tokens import Tokens

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

    from lineage.registry import Registry

FORM = {"follow_redirects": False}


@pytest.fixture
def secret(repo: Registry) -> str:
    """Make a token that may read."""
    return Tokens(repo.home).create("Rea Der", "rea@example.com", ["read"])[0]


def sign_in(client: TestClient, secret: str, to: str = "/") -> Any:
    data = {"token": secret, "to": to}
    return client.post("/sign-in", data=data, follow_redirects=False)


def test_a_token_once_is_a_session(client: TestClient, secret: str) -> None:
    """Whoever gave a token goes on with a cookie that no script can read."""
    assert client.get("/api/v1/whoami").status_code == 401
    answer = sign_in(client, secret, "/events?n=2")
    assert (answer.status_code, answer.headers["location"]) == (303, "/events?n=2")
    cookie = answer.headers["set-cookie"].lower()
    for part in ("httponly", "samesite=strict", "path=/", "max-age=43200"):
        assert part in cookie
    assert "secure" not in cookie
    assert secret not in cookie
    assert client.get("/api/v1/whoami").json()["name"] == "Rea Der"


def test_the_cookie_is_secure_behind_tls(client: TestClient, secret: str) -> None:
    """Where the browser came by HTTPS the cookie never goes another way."""
    client.headers["x-forwarded-proto"] = "https"
    assert "secure" in sign_in(client, secret).headers["set-cookie"].lower()


def test_a_wrong_token_is_no_session(client: TestClient, secret: str) -> None:
    """The page says what is wrong, and keeps where to go."""
    answer = sign_in(client, secret[:-1] + "~", "/events")
    assert answer.status_code == 401
    assert "this is no token of this registry" in answer.text
    assert 'name="to" value="/events"' in answer.text
    assert COOKIE not in client.cookies


def test_signing_out_ends_it_everywhere(
    client: TestClient, secret: str, repo: Registry
) -> None:
    """A cookie that somebody has copied is worth nothing afterwards."""
    sign_in(client, secret)
    copied = client.cookies[COOKIE]
    client.post("/sign-out")
    client.cookies.set(COOKIE, copied)
    assert client.get("/api/v1/whoami").status_code == 401
    assert list((repo.home / "sessions").iterdir()) == []


def test_a_session_ends_with_its_token(
    client: TestClient, secret: str, repo: Registry
) -> None:
    """Whoever revokes a token ends what was begun with it."""
    sign_in(client, secret)
    tokens = Tokens(repo.home)
    tokens.revoke(tokens.all()[0].id)
    assert client.get("/api/v1/whoami").status_code == 401


def test_a_session_ends_with_its_time(
    client: TestClient, secret: str, repo: Registry
) -> None:
    """What is kept says until when; after that, or damaged, it is no session."""
    sign_in(client, secret)
    [path] = (repo.home / "sessions").iterdir()
    kept = json.loads(path.read_bytes())
    assert (path.parent.stat().st_mode & 0o777) == 0o700
    assert "lin_" not in path.read_text()
    for text in (json.dumps({**kept, "until": "2026-01-01"}), "{", '{"until": "3"}'):
        path.write_text(text, encoding="utf-8")
        assert client.get("/api/v1/whoami").status_code == 401


@pytest.mark.parametrize(
    "to", ["//evil.example", "https://evil.example", "/\\evil.example", "", "\n/x", "x"]
)
def test_signing_in_leads_nowhere_else(
    client: TestClient, secret: str, to: str
) -> None:
    """A link to the sign-in page cannot lead to another site."""
    assert sign_in(client, secret, to).headers["location"] == "/"


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": "http://127.0.0.1"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:81"},
    ],
)
def test_no_other_site_writes(
    client: TestClient, repo: Registry, headers: dict[str, str]
) -> None:
    """What a browser sends for another site changes nothing, token or none."""
    before = repo.events_log.tip()
    for path in ("/sign-in", "/sign-out", "/reviews/x"):
        answer = client.post(path, data={"verdict": "approve"}, headers=headers)
        assert answer.status_code == 403, path
        assert "another site" in answer.text
    assert repo.events_log.tip() == before


def test_its_own_pages_write(client: TestClient, secret: str) -> None:
    """What a browser sends for the page itself is taken."""
    for headers in (
        {"sec-fetch-site": "same-origin"},
        {"origin": "http://127.0.0.1"},
    ):
        client.headers.update(headers)
        assert sign_in(client, secret).status_code == 303


def test_a_form_is_a_form(client: TestClient) -> None:
    """Other content, too much of it or bytes that are no text are refused."""
    for content, kind, status in [
        (b"{}", "application/json", 400),
        (b"a" * 300_000, "application/x-www-form-urlencoded", 400),
        (b"\xff=1", "application/x-www-form-urlencoded", 400),
        (b"a=1&" * 3000, "application/x-www-form-urlencoded", 400),
    ]:
        headers = {"content-type": kind}
        answer = client.post("/sign-in", content=content, headers=headers)
        assert answer.status_code == status, kind


def test_a_page_leads_to_signing_in(client: TestClient, secret: str) -> None:
    """Whoever looks without a session signs in, and comes back; programs are told."""
    page = {"accept": "text/html,*/*;q=0.8"}
    answer = client.get("/events?n=2", headers=page, follow_redirects=False)
    assert answer.status_code == 303
    assert "www-authenticate" not in answer.headers
    form = client.get(answer.headers["location"]).text
    assert 'name="to" value="/events?n=2"' in form
    assert client.get("/events").status_code == 401
    sign_in(client, secret)
    answer = client.get(answer.headers["location"], follow_redirects=False)
    assert answer.headers["location"] == "/events?n=2"
