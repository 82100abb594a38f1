"""Who is let in: this machine, proxies, tokens, and nobody who pretends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lineage.errors import UsageError
from lineage.server.guard import Rates
from lineage.server.peers import Peers, block, is_loopback, names_this_machine
from lineage.server.settings import Limits, Settings
from lineage.server.tokens import Tokens
from tests.server.conftest import asking

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

    from lineage.registry import Registry

WHO = "/api/v1/whoami"
PROXY = "10.0.0.5"


def test_without_a_token_only_this_machine_is_served(repo: Registry) -> None:
    """Another address is refused until there is a token, and then asked for it."""
    with asking(repo.root, address="203.0.113.9") as client:
        assert client.get(WHO).status_code == 403
        secret, _ = Tokens(repo.home).create("CI", "ci@example.com", ["read"])
        assert client.get(WHO).status_code == 401
        bearer = {"Authorization": f"Bearer {secret}"}
        assert client.get(WHO, headers=bearer).json()["name"] == "CI"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:8800", 200),
        ("127.0.0.1:8800", 200),
        ("[::1]:8800", 200),
        ("[::1]", 200),
        ("pc.localhost", 200),
        ("evil.example", 421),
        ("evil.example:8800", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("127.0.0.1@evil.example", 421),
        ("", 421),
    ],
)
def test_a_name_that_was_pointed_here_is_refused(
    client: TestClient, host: str, status: int
) -> None:
    """A page of evil.example, whose name leads here (DNS rebinding), reads nothing."""
    assert client.get(WHO, headers={"Host": host}).status_code == status


@pytest.mark.parametrize(
    "header", ["Forwarded", "Via", "X-Real-IP", "X-Forwarded-For", "X-Forwarded-User"]
)
def test_what_a_proxy_passed_on_is_not_from_here(
    client: TestClient, header: str
) -> None:
    """A proxy on this machine does not make everybody whoever runs the server."""
    assert client.get(WHO, headers={header: "203.0.113.9"}).status_code == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 405),
        ({"Origin": "http://127.0.0.1"}, 405),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "https://127.0.0.1:9"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://[::1"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 405),
    ],
)
def test_another_sites_page_changes_nothing(
    client: TestClient, headers: dict[str, str], status: int
) -> None:
    """What a browser sends for another site is refused before any route."""
    assert client.post(WHO, headers=headers).status_code == status


def test_no_other_site_may_read(client: TestClient) -> None:
    """There is no CORS: neither a preflight nor an answer lets another origin in."""
    headers = {"Origin": "http://evil.example"}
    asked = {**headers, "Access-Control-Request-Method": "POST"}
    for found in (client.get(WHO, headers=headers), client.options(WHO, headers=asked)):
        assert not [h for h in found.headers if h.startswith("access-control-")]
    assert found.status_code == 405
    assert found.headers["cross-origin-resource-policy"] == "same-origin"


def test_a_trusted_proxy_says_who_asks(repo: Registry) -> None:
    """Whoever a proxy names acts under that name, with the scopes of proxies alone."""
    settings = Settings(proxies=(PROXY,), proxy_scopes=("review",))
    named = {"X-Forwarded-User": "Ada", "X-Forwarded-Email": "ada@example.com"}
    with asking(repo.root, settings, PROXY) as client:
        assert client.get(WHO, headers=named).json() == {
            "name": "Ada",
            "email": "ada@example.com",
            "scopes": ["read", "review"],
            "token": None,
        }
        assert client.get(WHO).status_code == 401
        twice = [("X-Forwarded-User", "Ada"), ("X-Forwarded-User", "Eve")]
        assert client.get(WHO, headers=twice).status_code == 401
        alone = client.get(WHO, headers={"X-Forwarded-Email": "ada@example.com"})
        assert alone.json()["name"] == "ada@example.com"


@pytest.mark.parametrize("address", ["203.0.113.9", "127.0.0.1", "10.0.0.6", "evil"])
def test_nobody_else_says_who_asks(repo: Registry, address: str) -> None:
    """The proxy's headers are nobody's proof when they come from elsewhere."""
    named = {"X-Forwarded-User": "Ada", "X-Forwarded-Email": "ada@example.com"}
    with asking(repo.root, Settings(proxies=(PROXY,)), address) as client:
        assert client.get(WHO, headers=named).status_code == 401


def test_a_proxys_own_name_is_a_sites_name(repo: Registry) -> None:
    """Behind a proxy, a page's own origin is what the proxy was asked for."""
    settings = Settings(proxies=(PROXY,))
    named = {
        "X-Forwarded-User": "Ada",
        "X-Forwarded-Host": "lineage.example",
        "Origin": "https://lineage.example",
    }
    with asking(repo.root, settings, PROXY) as client:
        assert client.post(WHO, headers=named).status_code == 405
        other = {**named, "Origin": "https://evil.example"}
        assert client.post(WHO, headers=other).status_code == 403


def test_addresses_behind_proxies() -> None:
    """The address of a client is the last one that no trusted proxy is."""
    peers = Peers(["10.0.0.0/8"])

    def address(peer: str, *said: str) -> str:
        lines = [(b"x-forwarded-for", line.encode()) for line in said]
        return peers.address(peer, lines)

    assert address("10.0.0.5", "203.0.113.9") == "203.0.113.9"
    assert address("10.0.0.5", "1.2.3.4, 203.0.113.9, 10.0.0.7") == "203.0.113.9"
    assert address("10.0.0.5", "") == "10.0.0.5"
    assert address("203.0.113.9", "127.0.0.1") == "203.0.113.9"
    assert address("10.0.0.5", "1.2.3.4", "203.0.113.9") == "203.0.113.9"
    assert address("10.0.0.5", "203.0.113.9:4711") == "203.0.113.9"
    assert address("10.0.0.5", "[2001:db8::1]:4711") == "2001:db8::1"
    assert block(address("10.0.0.5", "whatever:it:says")) == "whatever:it:says"
    assert not Peers([]).trusts("127.0.0.1")
    with pytest.raises(UsageError):
        Peers(["proxy.example"])


def test_what_this_machine_is() -> None:
    """Only addresses of the loopback interface, however they are written."""
    here = ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "localhost"]
    elsewhere = ["::", "10.0.0.1", "::ffff:10.0.0.1", "", "a", "testclient"]
    assert [h for h in here if not is_loopback(h)] == []
    assert [h for h in elsewhere if is_loopback(h)] == []
    assert not names_this_machine("localhost:8800:9")
    assert block("2001:db8::1") == block("2001:db8::2%eth0") == "2001:db8::/64"
    assert block("203.0.113.9") == "203.0.113.9"


def test_an_address_has_a_rate(repo: Registry) -> None:
    """Whoever asks too often waits, and is told for how long; this machine never."""
    Tokens(repo.home).create("CI", "ci@example.com", ["read"])
    settings = Settings(limits=Limits(rate=0.01, burst=2))
    with asking(repo.root, settings, "203.0.113.9") as client:
        found = [client.get(WHO) for _ in range(3)]
    assert [one.status_code for one in found] == [401, 401, 429]
    assert 90 <= int(found[2].headers["retry-after"]) <= 100
    with asking(repo.root, settings) as client:
        assert {client.get(WHO).status_code for _ in range(5)} == {401}


def test_an_address_has_so_many_requests_at_once() -> None:
    """What one client leaves open is counted, and forgotten when it is over."""
    rates = Rates(Limits(at_once=2))
    assert (rates.wait("a"), rates.wait("a"), rates.wait("b")) == (0, 0, 0)
    assert rates.wait("a") == 1
    rates.leave("a")
    assert rates.wait("a") == 0


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{WHO}?q=%00", 400),
        ("/api/v1/commits/a%00b", 400),
        ("/api/v1/commits/a%0d%0aSet-Cookie:%20x", 400),
        ("/api/v1/commits/" + "a" * 20_000, 414),
        ("/api/v1/commits/..%2f..%2f..%2fetc%2fpasswd", 404),
        ("/api/v1/commits/--output=x", 404),
        ("/%2e%2e/%2e%2e/etc/passwd", 404),
        ("/static/..%2f..%2fserver/app.py", 404),
    ],
)
def test_an_address_leads_to_routes_alone(
    client: TestClient, path: str, status: int
) -> None:
    """No path leads to a file, to a git option, or into a header."""
    found = client.get(path)
    assert found.status_code in (status, 400)
    assert found.headers["content-type"].startswith(
        ("application/problem", "text/html")
    )


def test_a_header_that_is_there_twice_is_refused(client: TestClient) -> None:
    """Whoever reads the first, and whoever reads the last, read the same."""
    twice = [("Authorization", "Bearer a"), ("Authorization", "Bearer b")]
    assert client.get(WHO, headers=twice).status_code == 400


def test_headers_have_a_limit(client: TestClient) -> None:
    """Too many headers, and too long ones, are refused."""
    many = {f"X-{i}": "x" for i in range(200)}
    assert client.get(WHO, headers=many).status_code == 431
    assert client.get(WHO, headers={"X": "x" * 40_000}).status_code == 431


def test_every_answer_keeps_browsers_safe(client: TestClient) -> None:
    """Its headers are there whatever was asked, and it says nothing of the server."""
    for path in (WHO, "/api/v1/nothing", "/api/v1/commits/a%00"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "'unsafe-inline'" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == "private, no-cache"
        assert "server" not in headers
