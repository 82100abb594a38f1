"""Reviews on pages: blind at first, decided in the reviewer's own name."""

from __future__ import annotations

import shutil
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

import lineage
from lineage.errors import WaitingForReview
from lineage.indexing import index_of
from lineage.loop.reviews.standing import TOLD, Reviews
from lineage.loop.running import runner
from lineage.server.tokens import Tokens
from lineage.store.index_events import events_of
from lineage.taints import taint
from tests.cli.loops.conftest import Toy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fastapi.testclient import TestClient

    from lineage import Registry


@pytest.fixture(scope="module")
def empty(empty: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make, for the copies that tests begin with, a registry whose loop waits."""
    root = tmp_path_factory.mktemp("waiting") / "repo"
    shutil.copytree(empty, root, symlinks=True)
    with closing(lineage.open(root)) as registry:
        path = Toy(registry).gated("review")
        with pytest.raises(WaitingForReview):
            runner.run(registry, path)
    return root


@pytest.fixture
def subject(repo: Registry) -> str:
    """Data that failed a gate; their loop waits. Gives their id."""
    return next(iter(Reviews.read(repo).waiting))


@pytest.fixture
def reviewer(client: TestClient, repo: Registry) -> TestClient:
    """Give a client with a reviewer's token."""
    secret, _ = Tokens(repo.home).create("Vera Review", "vera@example.com", ["review"])
    client.headers["authorization"] = f"Bearer {secret}"
    return client


def test_what_waits_is_listed(client: TestClient, subject: str) -> None:
    """The queue names what waits, why, and leads to it."""
    page = client.get("/reviews").text
    assert f'href="/reviews/{subject}"' in page
    assert "generation 2 of <bdi>toy</bdi>" in page
    assert "check_record: 0 of 40 records" in page
    assert "<strong>1 review</strong> waits for a person" in client.get("/").text


def test_records_are_shown_blind(client: TestClient, subject: str) -> None:
    """What gates and measures say is not on the page unless it is asked for."""
    said = ["check_record", "it is bad", "kept", "distinct_2", "failed"]
    blind = client.get(f"/reviews/{subject}").text
    assert "record 9 of 2 is bad" in blind
    assert [word for word in said[:1] + said[2:4] if word in blind] == []
    everything = client.get(f"/reviews/{subject}?all=1").text
    assert all(word in everything for word in said[:4])


def test_a_reviewer_is_told_of_taints(
    client: TestClient, repo: Registry, subject: str
) -> None:
    """Beside gates and measures; records alone lead nobody."""
    taint(repo, subject, "the prompts were private")
    assert "the prompts were private" in client.get(f"/reviews/{subject}?all=1").text
    assert "the prompts were private" not in client.get(f"/reviews/{subject}").text


def test_a_verdict_in_ones_own_name(
    reviewer: TestClient, subject: str, repo: Registry
) -> None:
    """An approval is an event of the token's identity, which says how it came."""
    page = reviewer.get(f"/reviews/{subject}").text
    packet = page.partition('name="packet" value="')[2][:64]
    data = {"verdict": "approve", "note": "a joke", "packet": packet}
    answer = reviewer.post(f"/reviews/{subject}", data=data, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/reviews")
    decided = Reviews.read(repo).decided[subject]
    assert (decided.verdict, decided.by, decided.note, decided.override) == (
        "approve", "Vera Review", "a joke", True,
    )  # fmt: skip
    event = next(event for id_, event in repo.events() if id_ == decided.event)
    assert event.actor == {"name": "Vera Review", "email": "vera@example.com"}
    assert event.data["via"] == "http"
    assert event.data["token"]
    assert "a joke" in reviewer.get("/reviews").text


def test_an_override_needs_a_reason(
    reviewer: TestClient, subject: str, repo: Registry
) -> None:
    """Without one the page says so, and nothing is recorded."""
    answer = reviewer.post(f"/reviews/{subject}", data={"verdict": "approve"})
    assert answer.status_code == 403
    assert "to override that needs a reason" in answer.text
    assert subject in Reviews.read(repo).waiting


def test_a_verdict_is_about_what_was_shown(
    reviewer: TestClient, subject: str, repo: Registry
) -> None:
    """When something else is asked about by now, it is not recorded."""
    data = {"verdict": "reject", "packet": "0" * 64, "note": "seen enough"}
    answer = reviewer.post(f"/reviews/{subject}", data=data)
    assert answer.status_code == 409
    assert "seen enough" in answer.text
    assert subject in Reviews.read(repo).waiting


def test_a_verdict_is_given_once(reviewer: TestClient, subject: str) -> None:
    """The second is told what the first was."""
    for status in (303, 400):
        answer = reviewer.post(
            f"/reviews/{subject}", data={"verdict": "reject"}, follow_redirects=False
        )
        assert answer.status_code == status
    assert "was rejected before, by Vera Review" in answer.text


def test_readers_look_and_do_not_decide(
    client: TestClient, subject: str, repo: Registry
) -> None:
    """A token that may read sees no form, and its verdict is refused."""
    secret, _ = Tokens(repo.home).create("Rea Der", "rea@example.com", ["read"])
    client.headers["authorization"] = f"Bearer {secret}"
    assert '<form class="body verdict"' not in client.get(f"/reviews/{subject}").text
    answer = client.post(f"/reviews/{subject}", data={"verdict": "reject"})
    assert answer.status_code == 403
    assert subject in Reviews.read(repo).waiting


@pytest.mark.usefixtures("own_config")
def test_nobody_signs_for_a_reviewer(
    reviewer: TestClient, subject: str, repo: Registry, run: Callable[..., Any]
) -> None:
    """Where verdicts are signed the server's key does not stand for a person."""
    assert run("key", "generate", "ada", "--no-passphrase").exit_code == 0
    answer = reviewer.post(f"/reviews/{subject}", data={"verdict": "reject"})
    assert answer.status_code == 403
    assert "signed in this registry" in answer.text
    assert subject in Reviews.read(repo).waiting


def test_nonsense_is_no_verdict(reviewer: TestClient, subject: str) -> None:
    """Neither another word, nor a review of what is none."""
    answer = reviewer.post(f"/reviews/{subject}", data={"verdict": "maybe"})
    assert (answer.status_code, "to approve or to reject" in answer.text) == (400, True)
    assert reviewer.get("/reviews/nothing").status_code == 404


def test_the_index_finds_what_the_log_says(
    reviewer: TestClient, subject: str, repo: Registry
) -> None:
    """Where the log is long, reviews come from the index: the same, as newest first."""
    reviewer.post(f"/reviews/{subject}", data={"verdict": "reject"})
    said = [one.git for one in repo.events_log.iterate() if one.event.type in TOLD]
    with index_of(repo) as index:
        found = index.read(lambda ask: events_of(ask, TOLD))
    assert found == said
    assert len(found) == 2
