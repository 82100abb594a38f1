"""What docs/threats.md says is tested, and no route is open by mistake."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi.routing import iter_route_contexts

from lineage.server.app import create_app
from lineage.server.tokens import Tokens
from tests.server.conftest import asking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lineage.registry import Registry

ROOT = Path(__file__).parents[2]
SIGNING = {"/sign-in", "/sign-out"}
ANYBODY = SIGNING | {"/api/v1/health", "/api/v1/openapi.json", "/static/{file}"}
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
ASKING = {"/git/git-upload-pack", "/api/v1/verify"}  # POSTs that change nothing


def routes(repo: Registry) -> Iterator[tuple[str, str]]:
    """Give every method and path that the application answers."""
    for route in iter_route_contexts(create_app(repo.root).routes):
        for method in sorted(route.methods or ()):
            yield method, str(route.path)


def filled(path: str) -> str:
    """A path with something in place of its parameters."""
    return re.sub(r"\{[^}]+\}", "a" * 64, path)


def test_no_route_is_open_by_mistake(repo: Registry) -> None:
    """Without a token, every route but a few asks for one, whatever else is wrong."""
    Tokens(repo.home).create("CI", "ci@example.com", ["read"])
    asked = [(m, p) for m, p in routes(repo) if p not in ANYBODY]
    assert len(asked) > 20
    with asking(repo.root) as client:
        found = {
            (m, p): client.request(m, filled(p), follow_redirects=False).status_code
            for m, p in asked
        }
    assert {k: v for k, v in found.items() if v not in (401, 303)} == {}


def test_who_reads_changes_nothing(repo: Registry) -> None:
    """A token with the scope read is refused by every route that changes something."""
    secret, _ = Tokens(repo.home).create("CI", "ci@example.com", ["read"])
    bearer = {"Authorization": f"Bearer {secret}"}
    asked = [
        (m, p)
        for m, p in routes(repo)
        if m in UNSAFE and p not in ANYBODY and p not in ASKING
    ]
    tip = repo.events_log.tip()
    with asking(repo.root) as client:
        found = {
            (m, p): client.request(m, filled(p), headers=bearer).status_code
            for m, p in asked
        }
    by_type = ("POST", "/api/v1/events")  # an event's type says which scope it needs
    assert found.pop(by_type) == 422
    assert {k: v for k, v in found.items() if v != 403} == {}
    assert found
    assert repo.events_log.tip() == tip


def test_every_threat_names_its_tests() -> None:
    """Each line of the threat model ends with tests that there are."""
    text = (ROOT / "docs" / "threats.md").read_text(encoding="utf-8")
    rows = [row for row in text.splitlines() if row.startswith("| ")]
    told = [row for row in rows if not row.startswith("| threat |")]
    named = [re.findall(r"`(\w+)::(test_\w+)`", row) for row in told]
    assert len(named) > 20
    assert all(named)
    missing = [
        f"{module}::{name}"
        for row in named
        for module, name in row
        if not any(
            f"def {name}(" in path.read_text()
            for path in ROOT.glob(f"tests/**/{module}.py")
        )
    ]
    assert missing == []
