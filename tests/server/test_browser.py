"""The pages in a real browser: accessible, silent, at any width, without scripts too.

Chromium is not part of Python: where it is missing these tests are skipped.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from axe_playwright_python.sync_playwright import Axe

import lineage
from lineage.loop.reviews.standing import Reviews
from lineage.server.tokens import Tokens
from lineage.server.written import write
from lineage.taints import taint
from tests import browser as chromium
from tests.cli.loops.conftest import Toy
from tests.server.conftest import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = chromium.needed

# what colours are does not depend on the width, and nothing else on the colours
DARK: dict[str, Any] = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}


class Served(NamedTuple):
    """A registry on a port, with a loop that waits for a review of `waiting`."""

    root: Path
    url: str
    waiting: str
    model: str
    pages: tuple[str, ...]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start one browser for all of these tests."""
    with chromium.started() as browser:
        yield browser


@pytest.fixture(scope="module")
def root(empty: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a registry with a loop that waits, a taint, a tag and a rough name."""
    root: Path = tmp_path_factory.mktemp("served") / "registry"
    shutil.copytree(empty, root, symlinks=True)
    with closing(lineage.open(root)) as registry:
        Toy(registry).gated("review")
        command = [sys.executable, "-m", "lineage", "loop", "run"]
        done = subprocess.run(command, cwd=root, check=False, capture_output=True)
        assert done.returncode == 10, done.stderr
        seed = registry.select("roots(kind(dataset))")[-1]
        taint(registry, seed, "a whole book in it, " + "endless" * 40)
        registry.commit("dataset", "endless" * 25, params={"endless" * 40: "1" * 300})
    return root


@pytest.fixture(scope="module")
def served(root: Path) -> Iterator[Served]:
    """Serve it, with one address of each kind of page."""
    with closing(lineage.open(root)) as registry:
        [waiting] = Reviews.read(registry).waiting
        model, turn, before = (
            registry.resolve(revset)
            for revset in ("latest(kind(model))", "loop/toy", "loop/toy~1")
        )
        rough = registry.resolve("latest(kind(dataset))")
        event = next(registry.events())[0]
    pages = (
        "/", "/search?q=all()", f"/events/{event}", "/branches/loop/toy",
        f"/commits/{turn}", f"/commits/{rough}", f"/graph/{turn}?hops=3",
        f"/compare/{before}...{turn}", f"/impact/{model}", f"/trace/{turn}",
        f"/reviews/{waiting}?all=1", "/names", "/events", "/taints", "/reviews",
    )  # fmt: skip
    with serving(root) as url:
        yield Served(root, url, waiting, model, pages)


@contextmanager
def opened(browser: Browser, **how: Any) -> Iterator[Page]:
    """Open a page of its own, as somebody looks at it."""
    context = browser.new_context(**how)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_for_axe(browser: Browser, served: Served, scheme: Any) -> None:
    """The checker of the rules for accessibility finds nothing on any page."""
    found = {}
    with opened(browser, color_scheme=scheme) as page:
        for path in (
            *served.pages[: 11 if scheme == "light" else 8],
            "/search?q=kind(",
        ):
            page.goto(served.url + path)
            rules = DARK if scheme == "dark" else {}
            wrong = Axe().run(page, options=rules).response["violations"]
            if wrong:
                found[path] = [(v["id"], v["nodes"][0]["html"][:200]) for v in wrong]
    assert found == {}


def test_no_request_elsewhere_and_no_complaint(
    browser: Browser, served: Served
) -> None:
    """Pages ask for nothing but the registry's own, and the console is empty."""
    asked: list[str] = []
    told: list[str] = []
    with opened(browser) as page:
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: told.append(message.text))
        page.on("pageerror", lambda error: told.append(str(error)))
        for path in served.pages:
            page.goto(served.url + path, wait_until="networkidle")
    assert [url for url in asked if not url.startswith(served.url + "/")] == []
    assert told == []


@pytest.mark.parametrize("width", [360, 3840])
def test_nothing_sticks_out(browser: Browser, served: Served, width: int) -> None:
    """At any width only tables and drawings scroll sideways, never the page."""
    found = []
    with opened(browser, viewport={"width": width, "height": 800}) as page:
        for path in (*served.pages, "/commits/nothing"):
            page.goto(served.url + path)
            if page.evaluate(_STICKS_OUT):
                found.append(path)
    assert found == []


_STICKS_OUT = "() => document.documentElement.scrollWidth > window.innerWidth"


def test_all_of_it_is_there_without_scripts(browser: Browser, served: Served) -> None:
    """Where scripts are off every link and every word is there, and forms are."""
    with opened(browser, java_script_enabled=False) as bare, opened(browser) as page:
        for path in served.pages[:8]:
            bare.goto(served.url + path)
            page.goto(served.url + path)
            links = [part.get_attribute("href") for part in bare.locator("a").all()]
            with_script = page.locator("a").evaluate_all(
                "parts => parts.map(part => part.getAttribute('href'))"
            )
            assert set(links) >= set(with_script), path


def test_the_keys_of_a_drawing(browser: Browser, served: Served) -> None:
    """Arrow keys go along arrows, + and 0 zoom, Enter opens what has the focus."""
    with opened(browser) as page:
        page.goto(f"{served.url}/commits/{served.model}")
        center = page.locator("svg.graph a[aria-current]")
        center.focus()
        width = page.locator("svg.graph").evaluate("part => part.clientWidth")
        page.keyboard.press("+")
        wider = page.locator("svg.graph").evaluate("part => part.clientWidth")
        assert wider > width
        page.keyboard.press("0")
        page.keyboard.press("ArrowRight")
        focused = page.evaluate("document.activeElement.getAttribute('href')")
        assert focused.startswith("/commits/")
        assert served.model not in focused
        page.keyboard.press("ArrowLeft")
        back = page.evaluate("document.activeElement.getAttribute('href')")
        assert back == f"/commits/{served.model}"
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**{focused}")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_reviewer_signs_in_and_decides(
    browser: Browser, served: Served, tmp_path: Path, *, scripts: bool
) -> None:
    """From a link to a verdict: sign in, look, be asked for a reason, sign out."""
    root = shutil.copytree(served.root, tmp_path / "registry", symlinks=True)
    with closing(lineage.open(root)) as registry:
        secret, _ = Tokens(registry.home).create("Vera", "vera@example.com", ["review"])
    with serving(root) as url, opened(browser, java_script_enabled=scripts) as page:
        page.goto(f"{url}/reviews")
        page.get_by_label("A token of this registry").fill("lin_wrong")
        page.get_by_role("button", name="Sign in").click()
        assert "no token" in page.get_by_role("alert").inner_text()
        page.get_by_label("A token of this registry").fill(secret)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{url}/reviews")
        page.get_by_role("link", name="toy-synthetic").click()
        assert page.get_by_text("check_record").count() == 0
        page.get_by_role("button", name="Approve").click()
        assert "needs a reason" in page.get_by_role("alert").inner_text()
        page.get_by_label("What you have to say").fill("they were jokes")
        page.get_by_role("button", name="Approve").click()
        page.wait_for_url(f"{url}/reviews")
        assert page.get_by_text("they were jokes").count() == 1
        page.get_by_role("button", name="Sign out").click()
        page.goto(f"{url}/events")
        assert page.get_by_label("A token of this registry").count() == 1
    with closing(lineage.open(root)) as registry:
        assert Reviews.read(registry).decided[served.waiting].by == "Vera"


def test_files_need_no_server(browser: Browser, root: Path, tmp_path: Path) -> None:
    """From a disk one gets from the first page to a drawing; nothing else is asked."""
    folder = tmp_path / "site"
    with ThreadPoolExecutor() as apart:  # Playwright has a loop of its own here
        apart.submit(write, root, folder).result()
    asked: list[str] = []
    told: list[str] = []
    with opened(browser) as page:
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: told.append(message.text))
        page.on("pageerror", lambda error: told.append(str(error)))
        page.goto((folder / "index.html").as_uri())
        page.get_by_role("link", name="generation 1 of toy").first.click()
        page.get_by_role("link", name="on a page of its own").click()
        page.locator("svg.graph a[data-id]").first.click()
        assert page.locator("h1").count() == 1
    assert [url for url in asked if not url.startswith(folder.as_uri())] == []
    assert told == []
