"""A server with a registry behind it, and those who connect to it."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

import lineage
from tests.server.conftest import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lineage.client.remote import Remote
    from lineage.registry import Registry

    Connect = Callable[..., Remote]


@pytest.fixture(autouse=True)
def _http(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "file:http")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def url(repo: Registry) -> Iterator[str]:
    """Serve the registry on a real port; the URL."""
    with serving(repo.root) as url:
        yield url


@pytest.fixture
def connect(url: str, tmp_path: Path) -> Iterator[Connect]:
    """Connect as somebody with a cache folder of their own, who always looks anew."""
    with ExitStack() as stack:

        def connect(who: str = "one", **given: Any) -> Remote:
            cache = tmp_path / who
            remote = lineage.connect(given.pop("at_url", url), cache=cache, **given)
            stack.callback(remote.close)
            return remote

        yield connect
