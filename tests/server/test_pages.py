"""The pages: what they say, what they link to, and what they never let through."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import html5lib
import pytest

from lineage import Edge, taints
from lineage.server.pages.serving import POLICY

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

    from lineage.recording import Committed
    from lineage.registry import Registry

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7*7 }}"
BIDI = "safe\u202egnp.exe"


def get(client: TestClient, address: str, status: int = 200) -> str:
    """Give a page, which has to be whole and correct HTML."""
    answer = client.get(address)
    assert answer.status_code == status, answer.text
    html5lib.HTMLParser(strict=True).parse(answer.text)
    return answer.text


def words(page: str) -> str:
    """Give what a page says, without its tags."""
    text = re.sub(r"<[^>]+>", " ", page.partition("<main")[2])
    return " ".join(text.split())


@pytest.fixture
def story(repo: Registry) -> list[Committed]:
    """A dataset, a model trained on it, and a better model after that."""
    (repo.root / "seed.txt").write_text("one\ntwo\n", encoding="utf-8")
    human = {"type": "human", "source": "our docs", "licence": "CC0-1.0"}
    seed = repo.commit("dataset", "seed", repo.root / "seed.txt", origin=human)
    shared = Edge("trained_on", seed.id, share={"records": [2, 2]})
    found = [seed]
    for step, loss in enumerate((2.5, 2.0)):
        metric = {"value": loss, "direction": "lower"}
        made = repo.commit(
            "model",
            "tutor",
            edges=[shared],
            params={"steps": step + 1},
            metrics={"loss": metric},
            message=f"try {step}",
        )
        found.append(made)
    return found


def test_the_first_page_shows_what_there_is(
    client: TestClient, story: list[Committed]
) -> None:
    """The registry at a glance: how much there is, its branches, its newest events."""
    page = get(client, "/")
    assert "commits 3 branches 2 tags 0 standing taints 0" in words(page)
    assert "model/tutor model tutor" in words(page)
    assert f'href="/commits/{story[2].id}"' in page


def test_an_empty_registry_says_how_to_begin(client: TestClient) -> None:
    """Nothing recorded is no error, and the page says what to do."""
    assert "Nothing is recorded yet." in words(get(client, "/"))


def test_the_page_of_a_commit_answers_first(
    client: TestClient, story: list[Committed]
) -> None:
    """It says what the commit is made of, what uses it and what it changed."""
    seed, first, second = story
    said = words(get(client, f"/commits/{second.id}"))
    assert "Made of through every generation 100 % human" in said
    assert f"trained on dataset seed {seed.id[:12]} 2 of 2 declared" in said
    assert f"What changed since model tutor {first.id[:12]}" in said
    assert "loss 2.5 2 \N{MINUS SIGN}0.5 better" in said
    assert "steps 1 2" in said
    assert "Used by 2 times" in words(get(client, f"/commits/{seed.id}"))


def test_a_name_leads_to_the_page_of_its_commit(
    client: TestClient, story: list[Committed]
) -> None:
    """A branch, a prefix or a revset that means one commit is redirected to its id."""
    for name in ("model/tutor", story[2].id[:12], "latest(all())"):
        answer = client.get(f"/commits/{name}", follow_redirects=False)
        assert answer.status_code == 303
        assert answer.headers["location"] == f"/commits/{story[2].id}"


def test_a_taint_stands_on_what_it_reached(
    client: TestClient, repo: Registry, story: list[Committed]
) -> None:
    """A tainted commit says so on top, and so does what came of it."""
    taints.taint(repo, story[0].id, "contains the exam")
    assert "Tainted : contains the exam" in words(
        get(client, f"/commits/{story[0].id}")
    )
    said = words(get(client, f"/commits/{story[1].id}"))
    assert f"Tainted by dataset seed {story[0].id[:12]} : contains the exam" in said


def test_nothing_that_was_recorded_becomes_markup(
    client: TestClient, repo: Registry
) -> None:
    """Names, messages and values are text, and what would hide is made visible."""
    made = repo.commit(
        "config",
        HOSTILE,
        params={HOSTILE: HOSTILE},
        message=f"{HOSTILE} {BIDI}",
        branch="config/x",
    )
    for address in ("/", f"/commits/{made.id}"):
        page = get(client, address)
        assert "<script>alert" not in page
        assert "<img" not in page
        assert ">49<" not in page
        assert "\u202e" not in page


def test_a_page_asks_nobody_else_for_anything(
    client: TestClient, story: list[Committed]
) -> None:
    """Scripts and styles come from here alone, and nothing stands in the page."""
    answer = client.get(f"/commits/{story[2].id}")
    assert answer.headers["content-security-policy"] == POLICY
    assert "default-src 'none'" in POLICY
    assert not re.findall(r'(?:src|href)="(?!/|#)', answer.text)
    assert not re.findall(r"<style|<script>| style=| on[a-z]+=", answer.text)
    for asset in re.findall(r'(?:src|href)="(/static/[^"]+)"', answer.text):
        assert "immutable" in client.get(asset).headers["cache-control"]
