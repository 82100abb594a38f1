"""The documentation as a site: whole, by itself, and the same that a forge shows."""

from __future__ import annotations

import re
import shutil
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

import pytest
from markdown_it import MarkdownIt

from tests import browser as chromium
from tests.docs.site import CONFIG, ROOT, BuildError, build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_TAG = re.compile(
    r"<([a-z][a-z0-9]*)((?:\s+[a-z-]+(?:=(?:\"[^\"]*\"|[^\s>]*))?)*)\s*/?>"
)
_ATTRIBUTE = re.compile(r"\s(href|src|id|name)=\"?([^\s\">]*)")
_IN_HEADINGS = re.compile(r"[^\w\- ]")


class Page(NamedTuple):
    """A page of the site: what can be linked to in it, and what it asks for."""

    anchors: set[str]
    links: set[tuple[str, str]]  # tag and address


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {page: _read(page) for page in site.rglob("*.html")}


def _read(page: Path) -> Page:
    anchors, links = set(), set()
    for tag in _TAG.finditer(page.read_text(encoding="utf-8")):
        for name, value in _ATTRIBUTE.findall(tag[2]):
            if name in ("id", "name"):
                anchors.add(value)
            else:
                links.add((tag[1], value))
    return Page(anchors, links)


def test_every_link_leads_somewhere(site: Path, pages: dict[Path, Page]) -> None:
    """A link within the site leads to a file that is there, and to its anchor."""
    count, lost = 0, []
    for place, page in pages.items():
        for _, link in page.links:
            parts = urlsplit(link)
            if parts.scheme or place.name == "404.html":
                continue
            count += 1
            goal = (
                (place.parent / unquote(parts.path)).resolve() if parts.path else place
            )
            there = goal.is_file() and goal.is_relative_to(site.resolve())
            if there and parts.fragment and goal in pages:
                there = unquote(parts.fragment) in pages[goal].anchors
            if not there:
                lost.append(f"{place.relative_to(site)}: {link}")
    assert lost == []
    assert count > 5000


def test_every_page_is_in_the_navigation(site: Path, pages: dict[Path, Page]) -> None:
    """From the first page, every other is reached by the navigation alone."""
    linked = {urlsplit(link).path for _, link in pages[site / "index.html"].links}
    there = {page.relative_to(site).as_posix() for page in pages} - {"404.html"}
    assert there - {link.removeprefix("./") for link in linked} == set()
    shown = {page.relative_to(ROOT / "docs") for page in (ROOT / "docs").rglob("*.md")}
    assert {page.with_suffix(".html").as_posix() for page in shown} <= there


def test_nothing_is_asked_from_the_network(site: Path, pages: dict[Path, Page]) -> None:
    """Scripts, styles, fonts and pictures are the site's own."""
    asked = {
        link
        for page in pages.values()
        for tag, link in page.links
        if tag != "a" and urlsplit(link).scheme not in ("", "data")
    }
    assert asked == set()
    for sheet in site.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        assert not re.findall(r"(?:@import|url\()\s*[\"']?https?:", text), sheet.name


@chromium.needed
def test_the_site_works_from_the_disk(site: Path) -> None:
    """Opened as a file, it finds a word, fits a phone and asks for files alone."""
    asked: list[str] = []
    with chromium.started() as browser:
        page = browser.new_page()
        page.set_default_timeout(120_000)  # of a machine with other things to do
        page.on("request", lambda request: asked.append(urlsplit(request.url).scheme))
        page.goto((site / "loop.html").as_uri())
        page.get_by_role("button", name="Search").first.click()
        page.get_by_placeholder("Search").first.fill("flock")
        page.get_by_text("Backup and restore").first.wait_for()
        page.set_viewport_size({"width": 390, "height": 800})
        for name in ("index", "commands", "loop", "benchmarks", "api"):
            page.goto((site / f"{name}.html").as_uri())
            room = "window.innerWidth - document.documentElement.scrollWidth"
            assert page.evaluate(room) >= 0, name
    assert set(asked) <= {"file", "data"}


def test_a_broken_link_ends_the_build(tmp_path: Path) -> None:
    """A link or an entry that leads to nothing is an error that says where it is."""
    shutil.copytree(ROOT / ".changelog", tmp_path / ".changelog")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / CONFIG).write_text(
        "site_name: x\nnav:\n  - changelog.md\n  - more.md\n"
    )
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "changelog.md").write_text("# Changes\n\n<!-- releases -->\n")
    (tmp_path / "docs" / "more.md").write_text("# More\n\n[here](none.md)\n")
    with pytest.raises(BuildError, match=r"more\.md:3"):
        build(tmp_path, tmp_path / "build")
    (tmp_path / "docs" / "more.md").write_text("# More\n\n[here](../none.py)\n")
    with pytest.raises(BuildError, match=r"more\.md: \.\./none\.py is no file"):
        build(tmp_path, tmp_path / "build")
    (tmp_path / "docs" / "more.md").unlink()
    with pytest.raises(BuildError, match=r"there is no page more\.md"):
        build(tmp_path, tmp_path / "build")


def test_links_work_on_a_forge_too() -> None:
    """Links of README.md and docs/ lead to files and headings as forges make them."""
    lost = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
        for link in _links(page)
        if not _on_a_forge(page, link)
    ]
    assert lost == []


def _links(page: Path) -> Iterator[str]:
    for token in (
        MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8"))
    ):
        for inner in token.children or ():
            address = inner.attrs.get("href") or inner.attrs.get("src")
            if address and not urlsplit(str(address)).scheme:
                yield str(address)


def _on_a_forge(page: Path, link: str) -> bool:
    path, _, anchor = unquote(link).partition("#")
    goal = (page.parent / path).resolve() if path else page
    if not goal.exists() or not goal.is_relative_to(ROOT):
        return False
    return not anchor or goal.suffix != ".md" or anchor in _headings(goal)


@cache
def _headings(page: Path) -> set[str]:
    """The anchors that a forge gives: lower case, spaces as hyphens, numbered."""
    found: list[str] = []
    tokens = MarkdownIt("commonmark").parse(page.read_text(encoding="utf-8"))
    for mark, text in pairwise(tokens):
        if mark.type == "heading_open":
            words = "".join(t.content for t in text.children or ())
            slug = _IN_HEADINGS.sub("", words.lower()).replace(" ", "-")
            same = sum(
                re.fullmatch(rf"{re.escape(slug)}(-\d+)?", s) is not None for s in found
            )
            found.append(f"{slug}-{same}" if same else slug)
    return set(found)
