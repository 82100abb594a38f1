"""The pages: what they say, what they link to, and what they never let through."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import quote

import html5lib
import pytest

from lineage import Edge, taints
from lineage.names_ops import set_branch
from lineage.server.answers import POLICY
from lineage.store.views import Move, Target

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

    from lineage import Registry
    from lineage.recording import Committed

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
    assert "model/tutor 2 loss model tutor" in words(page)
    assert f'href="/commits/{story[2].id}"' in page


def test_an_empty_registry_says_how_to_begin(client: TestClient) -> None:
    """Nothing recorded is no error, and the page says what to do."""
    assert "Nothing is recorded yet." in words(get(client, "/"))
    for address in ("/search", "/search?kind=model", "/events", "/names", "/taints"):
        get(client, address)


def test_the_page_of_a_commit_answers_first(
    client: TestClient, story: list[Committed]
) -> None:
    """It says what the commit is made of, what uses it and what it changed."""
    seed, first, second = story
    said = words(get(client, f"/commits/{second.id}"))
    assert "Made of through every generation 100 % human" in said
    assert f"trained on dataset seed {seed.id[:12]} 2 of 2 declared" in said
    assert f"What changed since model tutor {first.id[:12]}" in said
    assert "loss 2.5 2 -0.5 better" in said
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


def test_a_taint_stands_beside_every_name_that_it_reached(
    client: TestClient, repo: Registry, story: list[Committed]
) -> None:
    """Branches, tags and what is live say so on the first page and that of names."""
    tip = story[2].id
    repo.tag("v1", tip)
    repo.release(tip, "production")
    assert "tainted" not in words(get(client, "/")).replace("standing taints", "")
    taints.taint(repo, story[0].id, "contains the exam")
    told = f"model tutor {tip[:12]} tainted"
    first, names = (words(get(client, address)) for address in ("/", "/names"))
    assert first.count(told) == 2
    assert f"{told} in production" in first
    assert names.count(told) == 2


def test_a_search_shows_a_set_and_leads_to_what_one_name_means(
    client: TestClient, story: list[Committed]
) -> None:
    """A revset is a list, newest first; a branch or an id goes to its commit."""
    found = re.findall(r'"ref" href="/commits/([0-9a-f]+)"', get(client, "/search"))
    assert found == [made.id for made in reversed(story)]
    assert "1 commit of kind(dataset)" in words(get(client, "/search?q=kind(dataset)"))
    there = client.get("/search?q=model/tutor", follow_redirects=False)
    assert there.headers["location"] == f"/commits/{story[2].id}"


def test_a_wrong_search_says_where_it_is_wrong(client: TestClient) -> None:
    """The page of a set that cannot be read points at the place, and keeps the text."""
    page = get(client, "/search?q=metric(loss <)", status=400)
    assert "metric(loss &lt;<mark>)</mark>" in page
    assert 'value="metric(loss &lt;)"' in page


def test_a_long_list_comes_in_pages_that_meet(
    client: TestClient, repo: Registry
) -> None:
    """Following "Older" shows each commit and each event once, newest first."""
    made = [repo.commit("config", "c", params={"n": n}).id for n in range(52)]
    for start, pattern in (
        ("/search", r'"ref" href="/commits/([0-9a-f]+)"'),
        ("/search?q=kind(config)", r'"ref" href="/commits/([0-9a-f]+)"'),
        ("/search?kind=config", r'"ref" href="/commits/([0-9a-f]+)"'),
        ("/events", r'</strong></a> <a class="ref" href="/commits/([0-9a-f]+)"'),
    ):
        address, found = start, []
        while address:
            page = get(client, address)
            found += re.findall(pattern, page)
            older = re.search(r'rel="next" href="([^"]+)"', page)
            address = older[1].replace("&amp;", "&") if older else ""
        assert found == made[::-1], start


def test_what_takes_long_comes_after_the_page(
    client: TestClient, story: list[Committed], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Far from its roots a commit's page leaves the bar to a part that it asks for."""
    monkeypatch.setattr("lineage.server.pages.origins._NEAR", 0)
    model = story[2].id
    for address in (f"/commits/{model}", f"/compare/{story[1].id}...{model}"):
        page = get(client, address)
        assert f'data-load="/origins/{model}"' in page
        assert "100 % human" not in words(page)
    part = client.get(f"/origins/{model}").text
    assert words(f"<main>{part}").endswith("100 % human")
    assert "100 % human" in words(get(client, f"/commits/{model}"))


def test_a_branch_shows_its_commits_and_curves(
    client: TestClient, story: list[Committed]
) -> None:
    """A metric that is measured twice is a curve, which says its values in words."""
    page = get(client, "/branches/model/tutor")
    assert "loss by generation" in page
    assert "generation 0: 2.5; generation 1: 2" in page
    assert f"model tutor {story[2].id[:12]} model/tutor" in words(page)


def test_two_commits_are_compared(client: TestClient, story: list[Committed]) -> None:
    """Metrics with a verdict, parameters and files; either way, from any name."""
    page = get(client, "/compare/model/tutor~1...model/tutor")
    assert "loss 2.5 2 -0.5 better" in words(page)
    assert "steps 1 2" in words(page)
    back = words(get(client, f"/compare/{story[2].id}...{story[1].id}"))
    assert "loss 2 2.5 +0.5 worse" in back
    form = client.get("/compare?a=model/tutor~1&b=model/tutor", follow_redirects=False)
    assert form.headers["location"] == "/compare/model/tutor~1...model/tutor"


def test_records_are_compared_when_asked(client: TestClient, repo: Registry) -> None:
    """What is inside files is read on demand, and shown."""
    data = repo.root / "data.jsonl"
    for texts in (["a", "b"], ["b", "c", "d"]):
        lines = (f'{{"text": "{text}"}}\n' for text in texts)
        data.write_text("".join(lines), encoding="utf-8")
        repo.commit("dataset", "data", data)
    address = "/compare/dataset/data~1...dataset/data"
    assert "compared when you ask" in words(get(client, address))
    said = words(get(client, f"{address}?read=records"))
    assert "records 3 from 2 added 2 removed 1" in said


def test_impact_and_trace_answer_both_ways(
    client: TestClient, story: list[Committed]
) -> None:
    """What came of a dataset, with its dose; and what a model is made of."""
    seed, first, _ = story
    said = words(get(client, "/impact/dataset/seed"))
    assert "It reached 2 commits : 2 models" in said
    assert f"model tutor {first.id[:12]} 2, 100 %" in said
    made = words(get(client, "/trace/model/tutor"))
    assert "0 machine turns from human data" in made
    assert f"dataset seed {seed.id[:12]} 100 % 2 human" in made
    assert "CC0-1.0, our docs" in made


def test_impact_says_where_its_shares_are_open(
    client: TestClient, repo: Registry, story: list[Committed]
) -> None:
    """A range is not the reader's mistake, and a share on an edge ends it."""
    other = repo.commit("dataset", "other", params={"rows": 2})
    edges = [Edge("derived_from", one.id) for one in (story[0], other)]
    both = repo.commit("dataset", "both", edges=edges)
    said = words(get(client, "/impact/dataset/seed"))
    begin = f"Where shares begin to be ranges dataset both {both.id[:12]}"
    assert f"{begin} no share on derived_from" in said


def test_the_weakest_step_is_a_sentence(
    client: TestClient, repo: Registry, story: list[Committed]
) -> None:
    """A generation includes its parts, and is not that."""
    repo.commit("generation", "turn", edges=[Edge("includes", story[2].id)])
    said = words(get(client, "/trace/loop/turn")).partition("The weakest: ")[2]
    assert re.match("generation 0 of turn [0-9a-f]{12} includes model tutor", said)


def test_many_names_are_folded(
    client: TestClient, repo: Registry, story: list[Committed]
) -> None:
    """The page of a commit begins with what it is, however many names it has."""
    for number in range(20):
        set_branch(repo, f"side/{number:02}", story[0].id)
    page = get(client, "/commits/dataset/seed")
    assert "side/06 13 more names side/07" in words(page)
    assert page.count("<summary>13 more names</summary>") == 1


def test_taints_are_listed_with_what_lifted_them(
    client: TestClient, repo: Registry, story: list[Committed]
) -> None:
    """Each with its reason, how far it went, and that it stands or does not."""
    assert "Nothing is tainted." in words(get(client, "/taints"))
    event = taints.taint(repo, story[0].id, "leaked")
    assert "stands leaked" in words(get(client, "/taints"))
    taints.lift(repo, taints.of_event(repo, event), "it was not")
    said = words(get(client, "/taints"))
    assert "lifted leaked" in said
    assert "it was not" in said


def test_the_log_can_be_filtered_and_read(
    client: TestClient, repo: Registry, story: list[Committed]
) -> None:
    """Events by type or name, and one of them in full."""
    repo.move("tag", [Move("tags/v1", None, Target(story[2].id, story[2].git))], "ours")
    said = words(get(client, "/events?type=tag"))
    assert "tag v1 ours" in said
    assert "commit" not in said.partition("The log")[2]
    event = next(id_ for id_, event in repo.events() if event.type == "tag")
    whole = words(get(client, f"/events/{event}"))
    assert f"tags/v1 nothing {story[2].id[:12]}" in whole
    assert words(get(client, f"/events/{event[:8]}")) == whole


def test_names_are_found_by_a_part(client: TestClient, story: list[Committed]) -> None:
    """Branches and tags with the commits that they name."""
    said = words(get(client, "/names?part=TUT"))
    assert "Branches 1" in said
    assert f"model/tutor HEAD model tutor {story[2].id[:12]}" in said
    assert "dataset/seed" not in said


def test_every_link_leads_somewhere(
    client: TestClient, repo: Registry, story: list[Committed]
) -> None:
    """Whatever names are made of, following each link from page to page finds one."""
    taints.taint(repo, story[0].id, "leaked")
    here = Target(story[2].id, story[2].git)
    for name in ("a/50% off", "#1?x&y=z", 'q"<b>ü', "a//b"):
        moves = [Move(f"{space}/{name}", None, here) for space in ("heads", "tags")]
        repo.move("branch", moves)
    todo, seen = ["/"], {"/"}
    while todo:
        page = get(client, todo.pop())
        found = re.findall(r'(?:href|data-load)="(/[^"#]*)', page)
        links = {unescape(one) for one in found if "/static/" not in one}
        pages = {one for one in links if not one.startswith(("/api/", "/origins/"))}
        todo += pages - seen
        seen |= pages
        for other in links - pages - seen:
            assert client.get(other).status_code == 200
            seen.add(other)
    assert len(seen) > 50


WRONG = {
    "/nowhere": 404,
    "/commits/nothing": 404,
    "/commits/" + "0" * 64: 404,
    "/commits/kind(model)": 409,
    "/branches/nothing": 404,
    "/compare/one": 400,
    "/compare/dataset/seed...nothing": 404,
    "/events/zzzz": 400,
    "/events/abcd": 404,
    "/events?since=no+day": 400,
    "/events?tip=zz": 422,
    "/search?q=" + "x" * 3000: 422,
    "/search?q=all()&after=abcdef": 400,
    "/static/../routes.py": 404,
}


def test_errors_are_pages_for_browsers(
    client: TestClient, story: list[Committed]
) -> None:
    """What is wrong is said in a page of the same look, with the right status."""
    assert story
    for address, status in WRONG.items():
        answer = client.get(address, headers={"accept": "text/html"})
        assert (address, answer.status_code) == (address, status)
        html5lib.HTMLParser(strict=True).parse(answer.text)
        assert answer.headers["content-security-policy"] == POLICY


def test_programs_still_get_problems(client: TestClient) -> None:
    """Who does not ask for HTML, or asks the API, gets a problem as JSON."""
    for address, accept in (("/commits/x", "*/*"), ("/api/v1/commits/x", "text/html")):
        answer = client.get(address, headers={"accept": accept})
        assert answer.headers["content-type"] == "application/problem+json"


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
    taints.taint(repo, made.id, HOSTILE)
    later = repo.commit("config", HOSTILE, params={HOSTILE: 1}, branch="config/x")
    for address in (
        "/",
        f"/commits/{made.id}",
        f"/compare/{made.id}...{later.id}",
        f"/impact/{made.id}",
        f"/trace/{later.id}",
        "/branches/config/x",
        "/taints",
        "/names",
        "/search",
        "/events",
        f"/events/{next(repo.events())[0]}",
        f"/search?q={quote(HOSTILE)}",
        f"/commits/{quote(HOSTILE)}",
    ):
        page = client.get(address, headers={"accept": "text/html"}).text
        html5lib.HTMLParser(strict=True).parse(page)
        assert "<script>alert" not in page
        assert "<img" not in page
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
