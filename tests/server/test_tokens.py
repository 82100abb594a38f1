"""Tokens: made, used, ended, and what they let somebody do."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import httpx
import pytest

from lineage.errors import Ambiguous, NotFound, UsageError
from lineage.server.tokens import Tokens
from tests.server.conftest import serving

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

    from lineage.registry import Registry

COMMIT = "/api/v1/commits/config/settings"


@pytest.fixture
def tokens(repo: Registry) -> Tokens:
    return Tokens(repo.home)


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def test_the_secret_is_kept_nowhere(repo: Registry, tokens: Tokens) -> None:
    """What is on disk does not let anybody ask, and only its owner may read it."""
    secret, token = tokens.create("CI", "ci@example.com", ["read"])
    [path] = (repo.home / "tokens").iterdir()
    assert secret not in path.read_text()
    assert path.parent.stat().st_mode & 0o077 == 0
    assert len(secret) == len("lin_") + 43
    assert tokens.find(secret) == token
    assert tokens.find(secret[:-1] + ("A" if secret[-1] != "A" else "B")) is None


def test_a_token_is_asked_for_once_there_is_one(
    client: TestClient, repo: Registry, tokens: Tokens
) -> None:
    """Without tokens this machine may all; with one, whoever has none may nothing."""
    repo.commit("config", "settings", params={"seed": 1})
    assert client.get(COMMIT).status_code == 200
    secret, _ = tokens.create("CI", "ci@example.com", ["read"])
    refused = client.get(COMMIT)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Bearer")
    assert client.get(COMMIT, headers=bearer(secret)).status_code == 200


def test_git_sends_the_token_as_a_password(
    client: TestClient, repo: Registry, tokens: Tokens
) -> None:
    """Basic authentication takes the token as the password."""
    repo.commit("config", "settings", params={"seed": 1})
    secret, _ = tokens.create("CI", "ci@example.com", ["read"])
    pair = b64encode(f"anybody:{secret}".encode()).decode()
    good = client.get(COMMIT, headers={"Authorization": f"Basic {pair}"})
    assert good.status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer lin_",
        "Basic",
        "Basic !",
        "Basic Og==",
        "Basic 8J8=",
        "lin_x",
        "Digest x=1",
    ],
)
def test_no_other_header_is_a_proof(
    client: TestClient, tokens: Tokens, header: str
) -> None:
    """A header that is no token is refused, never taken for nobody's or everybody's."""
    given = {"Authorization": header}
    assert client.get(COMMIT, headers=given).status_code == 401
    tokens.create("CI", "ci@example.com", ["admin"])
    assert client.get(COMMIT, headers=given).status_code == 401


def test_a_revoked_token_is_refused_at_once(
    client: TestClient, repo: Registry, tokens: Tokens
) -> None:
    """A running server refuses what was revoked beside it, and says so."""
    repo.commit("config", "settings", params={"seed": 1})
    secret, token = tokens.create("CI", "ci@example.com", ["read"])
    assert client.get(COMMIT, headers=bearer(secret)).status_code == 200
    assert tokens.revoke(token.id[:4]).revoked
    found = client.get(COMMIT, headers=bearer(secret))
    assert (found.status_code, found.json()["title"]) == (
        401,
        f"the token {token.id} is revoked",
    )
    assert client.get(COMMIT).status_code == 401


def test_a_stream_ends_with_its_token(repo: Registry, tokens: Tokens) -> None:
    """Who listens hears of nothing that came after their token was revoked."""
    secret, token = tokens.create("CI", "ci@example.com", ["read"])
    bearer = {"Authorization": f"Bearer {secret}"}
    with (
        serving(repo.root) as url,
        httpx.stream("GET", f"{url}/api/v1/events/stream", headers=bearer) as answer,
    ):
        lines = answer.iter_lines()
        assert next(lines) == "retry: 1000"
        tokens.revoke(token.id)
        repo.commit("config", "settings", params={"seed": 1})
        assert "".join(lines) == ""


def test_an_expired_token_is_refused(client: TestClient, tokens: Tokens) -> None:
    """A token ends by itself."""
    soon = "2999-01-01T00:00:00.000000Z"
    secret, token = tokens.create("CI", "ci@example.com", ["read"], soon)
    assert token.state("2998-12-31T23:59:59.999999Z") == "active"
    assert token.state(soon) == "expired"
    path = next(tokens._files())
    path.write_text(path.read_text().replace("2999", "2001"))
    found = client.get(COMMIT, headers=bearer(secret))
    assert (found.status_code, found.json()["title"]) == (
        401,
        f"the token {token.id} is expired",
    )


def test_what_was_used_is_known(tokens: Tokens) -> None:
    """When a token was last used is kept, and survives that it is revoked."""
    secret, token = tokens.create("CI", "ci@example.com", ["read"])
    assert tokens.all()[0].used is None
    tokens.note_use(secret)
    used = tokens.all()[0].used
    assert used
    assert used >= token.created[:10]
    tokens.revoke(token.id)
    assert tokens.all()[0].used == used


def test_what_cannot_be_made_or_found_is_said(tokens: Tokens) -> None:
    """Scopes that there are not, ends that have passed, ids of none or several."""
    with pytest.raises(UsageError, match="no scope root"):
        tokens.create("x", "x@example.com", ["read", "root"])
    with pytest.raises(UsageError, match="has passed"):
        tokens.create("x", "x@example.com", ["read"], "2001-01-01T00:00:00.000000Z")
    assert not tokens
    _, token = tokens.create("x", "x@example.com", ["read"])
    with pytest.raises(NotFound):
        tokens.revoke(token.id[:3])
    with pytest.raises(NotFound):
        tokens.revoke("zzzz")
    [path] = tokens._files()
    path.with_name(f"{path.stem[:-1]}~.json").write_bytes(path.read_bytes())
    with pytest.raises(Ambiguous):
        tokens.revoke(token.id[:4])
