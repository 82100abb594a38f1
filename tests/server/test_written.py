"""Pages as files: whole, linked among themselves, and asking nobody."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pytest

from lineage.errors import StoreError, UsageError
from lineage.server.tokens import Tokens
from lineage.server.written import place, write
from lineage.store.objects import Edge
from lineage.taints import taint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lineage.registry import Registry


@pytest.fixture
def filled(repo: Registry) -> Registry:
    """Record commits with names that files, addresses and HTML find hard."""
    hard = 'it\'s/100% "ü" & <b>?#'
    seed = repo.commit("dataset", "seed", params={"a": 1}, branch=hard).id
    edges = [Edge("trained_on", seed)]
    model = repo.commit("model", "m" * 180, edges=edges, metrics={"loss": 2.0}).id
    repo.commit("model", "m" * 180, edges=edges, metrics={"loss": 1.0})
    taint(repo, seed, "a <script>alert(1)</script> in it")
    assert model
    return repo


def links(folder: Path) -> Iterator[tuple[Path, str]]:
    """Every link of every page."""
    found = re.compile(r'\b(?:href|src|action|data-load)="([^"]*)"')
    for page in folder.rglob("*.html"):
        for link in found.findall(page.read_text("utf-8")):
            yield page, unescape(link)


def test_every_link_leads_to_a_file(filled: Registry, tmp_path: Path) -> None:
    """Links are relative, and what they lead to was written, whatever its name."""
    folder = tmp_path / "site"
    made = write(filled.root, folder)
    assert made.pages == len(list(folder.rglob("*.html")))
    assert made.size == sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
    found = [(page, link) for page, link in links(folder) if not link.startswith("#")]
    assert len(found) > 100
    for page, link in found:
        parts = urlsplit(link)
        assert (parts.scheme, parts.netloc, link[:1] == "/") == ("", "", False), link
        goal = (page.parent / unquote(parts.path)).resolve()
        assert goal.is_file(), (page, link)
        assert goal.is_relative_to(folder.resolve())
    for record in filled.ids:
        assert (folder / "commits" / f"{record.id}.html").is_file()


def test_nothing_on_them_needs_a_server(filled: Registry, tmp_path: Path) -> None:
    """There is no form and no address of the API, and nobody has to sign in."""
    Tokens(filled.home).create("Rea Der", "rea@example.com", ["read"])
    write(filled.root, tmp_path / "site")
    for page in (tmp_path / "site").rglob("*.html"):
        text = page.read_text("utf-8")
        found = [w for w in ("<form", "api/v1", "<script>al", "Sign in") if w in text]
        assert (page, found) == (page, [])


def test_what_is_there_stays(filled: Registry, tmp_path: Path) -> None:
    """A folder with something in it is not written to."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site/mine").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="there is something at"):
        write(filled.root, tmp_path / "site")
    assert [path.name for path in (tmp_path / "site").iterdir()] == ["mine"]


def test_whole_or_not_at_all(filled: Registry, tmp_path: Path) -> None:
    """Interrupted, or with a page that cannot be made, nothing is left behind."""
    before = set(tmp_path.iterdir())

    def interrupt(pages: int) -> None:
        if pages == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(filled.root, tmp_path / "site", interrupt)
    assert set(tmp_path.iterdir()) == before
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StoreError):
        write(filled.root, tmp_path / "file" / "site")


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("/", "index.html"),
        ("/reviews", "reviews.html"),
        ("/branches/loop/tutor", "branches/loop/tutor.html"),
        ("/static/pages.css", "static/pages.css"),
    ],
)
def test_places(url: str, file: str) -> None:
    """An address has the file that one expects."""
    assert str(place(url)) == file


@pytest.mark.parametrize("name", ["..", ".", "a\\b", "x" * 300, "nul:", "%2e%2e", "?"])
def test_places_lead_nowhere_else(name: str) -> None:
    """A name that files cannot have everywhere has a digest for one."""
    found = place(f"/branches/{name.replace('?', '%3F')}/a")
    assert found.parts[0] == "branches"
    assert re.fullmatch("[0-9a-f]{32}", found.parts[1])


def test_the_command(filled: Registry, run: Callable[..., Any], tmp_path: Path) -> None:
    """The command prints the first page, and says how much there is."""
    del filled
    done = run("serve", "--static", tmp_path / "site")
    assert (done.exit_code, done.stdout) == (0, f"{tmp_path}/site/index.html\n")
    assert re.search(r"^\d+ pages, \d+\.\d MB, written to ", done.stderr)
