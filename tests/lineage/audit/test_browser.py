"""The page in a real browser: accessible, silent, printable, without scripts.

Chromium is not part of Python: where it is missing these tests are skipped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import pytest
from axe_playwright_python.sync_playwright import Axe

from lineage.audit import as_html
from lineage.audit.report import from_facts, report
from tests import browser as chromium

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = chromium.needed

# what colours are does not depend on the width, and nothing else on the colours
RULES: dict[str, dict[str, Any]] = {
    "light": {},
    "dark": {"runOnly": {"type": "rule", "values": ["color-contrast"]}},
    "phone": {"rules": {"color-contrast": {"enabled": False}}},
}
A4 = 680  # pixels between the margins of a printed page


class Look(NamedTuple):
    """How somebody looks at the page."""

    width: int
    scheme: Literal["light", "dark"]


LOOKS = {
    "light": Look(1280, "light"),
    "dark": Look(1280, "dark"),
    "phone": Look(360, "light"),
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start one browser for all of these tests."""
    with chromium.started() as browser:
        yield browser


@pytest.fixture(scope="module")
def path(told: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the report of the story to a file."""
    made = tmp_path_factory.mktemp("page") / "report.html"
    text = as_html.render(report(told.registry, "loop/tutor"))
    made.write_text(text, encoding="utf-8")
    return made


@pytest.fixture(scope="module", params=LOOKS)
def page(
    request: pytest.FixtureRequest, browser: Browser, path: Path
) -> Iterator[Page]:
    """Open the report as somebody looks at it, with every fold open."""
    look = LOOKS[request.param]
    opened = browser.new_page(
        viewport={"width": look.width, "height": 800}, color_scheme=look.scheme
    )
    opened.goto(path.as_uri())
    opened.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    yield opened
    opened.close()


def test_nothing_serious_for_axe(page: Page, request: pytest.FixtureRequest) -> None:
    """The checker of the rules for accessibility finds nothing to mend."""
    rules = RULES[request.node.callspec.params["page"]]
    found = Axe().run(page, options=rules).response["violations"]

    assert [(v["id"], v["impact"], v["nodes"][0]["html"]) for v in found] == []


def test_nothing_sticks_out(page: Page) -> None:
    """At any width only tables and drawings scroll sideways, never the page."""
    assert page.evaluate(
        "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )


def test_no_request_and_no_complaint(browser: Browser, path: Path) -> None:
    """From a disk the page asks for nothing but itself, and the console is empty."""
    opened = browser.new_page()
    asked: list[str] = []
    told: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("console", lambda message: told.append(message.text))
    opened.on("pageerror", lambda error: told.append(str(error)))
    opened.goto(path.as_uri())
    opened.close()

    assert asked == [path.as_uri()]
    assert told == []


def test_all_of_it_is_there_without_scripts(browser: Browser, path: Path) -> None:
    """Where scripts are off the page is the same, to the pixel."""
    shots = []
    for enabled in (True, False):
        context = browser.new_context(java_script_enabled=enabled)
        opened = context.new_page()
        opened.goto(path.as_uri())
        shots.append(opened.screenshot())
        context.close()

    assert shots[0] == shots[1]


def test_the_keyboard_reaches_everything_in_order(browser: Browser, path: Path) -> None:
    """Tab goes through every link, fold and region in the order of the page."""
    opened = browser.new_page()
    opened.goto(path.as_uri())
    expected = opened.evaluate(_FOCUSABLE)
    found = []
    for _ in expected:
        opened.keyboard.press("Tab")
        found.append(opened.evaluate(_FOCUSED))
    opened.close()

    assert len(expected) > 40
    assert expected[0] == "Skip to the report"
    assert [text for text, _ in found] == expected
    assert all(seen for _, seen in found), "what has the focus is outlined"


_FOCUSABLE = """() => [...document.querySelectorAll('a, summary, [tabindex]')]
    .filter(part => part.checkVisibility({contentVisibilityAuto: true}))
    .map(part => part.textContent)"""
_FOCUSED = """() => {
    const at = document.activeElement
    return [at.textContent, getComputedStyle(at).outlineStyle !== 'none']
}"""


def test_paper_cuts_nothing(browser: Browser, path: Path) -> None:
    """On A4 every table fits between the margins, and folded parts are open."""
    opened = browser.new_page(viewport={"width": A4, "height": 1000})
    opened.goto(path.as_uri())
    opened.emulate_media(media="print")
    wide = opened.evaluate(_WIDE)
    hidden = opened.evaluate(_HIDDEN)
    opened.close()

    assert wide == []
    assert hidden == []


def test_paper_cuts_no_hostile_name(
    browser: Browser, story: Any, tmp_path: Path
) -> None:
    """Words without an end are broken, on paper and on a telephone."""
    word = "endless" * 60
    for type_ in ("review", "failed step", "noted"):
        data = {"verdict": word, "by": word, "note": word}
        story.registry.attest(type_, subject=story.turns[1], message=word, data=data)
    name = word[:190]
    story.registry.commit("dataset", name, params={word: word}, message=word)
    path = tmp_path / "hostile.html"
    made = report(story.registry, f"loop/tutor | dataset/{name}")
    path.write_text(as_html.render(made), encoding="utf-8")
    opened = browser.new_page(viewport={"width": A4, "height": 1000})
    opened.goto(path.as_uri())
    opened.emulate_media(media="print")
    wide = opened.evaluate(_WIDE)
    opened.close()

    assert wide == []


_WIDE = """() => [...document.querySelectorAll('table, svg, dl, pre, .scroll')]
    .filter(part => part.getBoundingClientRect().right > window.innerWidth + 1
        || part.scrollWidth > part.clientWidth + 1)
    .map(part => part.outerHTML.slice(0, 200))"""
_HIDDEN = """() => [...document.querySelectorAll('details:not(.long) > :not(summary)')]
    .filter(part => !part.checkVisibility({contentVisibilityAuto: true}))
    .map(part => part.outerHTML.slice(0, 200))"""


def test_a_thousand_generations_open_at_once(
    browser: Browser, long_loop: Any, tmp_path: Path
) -> None:
    """The page of a long loop is short on the screen, and small enough to send."""
    path = tmp_path / "long.html"
    path.write_text(as_html.render(from_facts(long_loop(1000))), encoding="utf-8")
    opened = browser.new_page()
    opened.goto(path.as_uri())
    height = opened.evaluate("document.documentElement.scrollHeight")
    opened.close()

    assert height < 40_000
    assert path.stat().st_size < 6_000_000
