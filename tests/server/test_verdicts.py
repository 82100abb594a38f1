"""Verdicts over the API on loops that wait: what they do to the loop's next run."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import lineage
from lineage.keys import add
from lineage.keys.judge import Judge
from lineage.loop.reviews.deciding import decide
from lineage.loop.reviews.standing import Reviews
from lineage.server.tokens import Tokens
from lineage.store.key_files import generate
from tests.cli.loops.conftest import Toy
from tests.server.sending import EVENTS, signed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fastapi.testclient import TestClient

    from lineage.registry import Registry

    Run = Callable[..., Any]

REVIEWS = "/api/v1/reviews"


def person(repo: Registry, name: str) -> dict[str, str]:
    """What a request of a reviewer has in its head."""
    address = f"{name.lower()}@example.com"
    secret, _ = Tokens(repo.home).create(name, address, ["review"])
    return {"Authorization": f"Bearer {secret}"}


def test_a_loop_acts_on_what_two_people_say(
    client: TestClient, repo: Registry, run: Run, sound: Callable[..., None]
) -> None:
    """One approval of two is not enough, twice the same one neither; no stops it."""
    Toy(repo).configure(num_generations=2, review={"every": 1, "approvals": 2})
    assert run("loop", "run").exit_code == 10
    ada, vera = person(repo, "Ada"), person(repo, "Vera")
    yes = {"subject": "toy", "verdict": "approve", "note": "reads well"}
    assert client.post(REVIEWS, json=yes, headers=ada).status_code == 201
    again = client.post(REVIEWS, json=yes, headers=ada)
    assert (again.status_code, "counts once" in again.json()["title"]) == (400, True)
    assert run("loop", "run").exit_code == 10
    named = vera | {"Idempotency-Key": "mine"}
    made = [client.post(REVIEWS, json=yes, headers=named) for _ in range(2)]
    assert [one.status_code for one in made] == [201, 201]
    assert made[0].json() == made[1].json()
    event = made[0].json()
    assert event["author"] == "Vera <vera@example.com>"
    assert (event["data"]["by"], event["data"]["via"]) == ("Vera", "http")
    assert client.post(REVIEWS, json=yes, headers=vera).status_code == 400

    assert run("loop", "run").exit_code == 10  # the next generation waits
    no = {"subject": "toy", "verdict": "reject", "note": "nonsense"}
    assert client.post(REVIEWS, json=no, headers=vera).status_code == 201
    stopped = run("loop", "run")
    assert (stopped.exit_code, "rejected by Vera" in stopped.stderr) == (3, True)
    sound(repo)


def test_a_verdict_that_was_signed_elsewhere(
    client: TestClient, repo: Registry, run: Run, tmp_path: Path
) -> None:
    """Where verdicts are signed a reviewer sends the event, and the loop goes on."""
    Toy(repo).configure(num_generations=1, review={"every": 1})
    assert run("loop", "run").exit_code == 10
    key = tmp_path / "key"
    public = generate(key, "Ada", passphrase=False)
    roles = ["reviewer", "releaser"]
    add(repo, public, "Ada Example", "ada@example.com", roles=roles, sign_with=key)
    yes = {"subject": "toy", "verdict": "approve"}
    assert client.post(REVIEWS, json=yes).status_code == 403

    def approve(copy: Registry) -> None:
        decide(copy, "toy", "approve", "reads well")

    made = signed(repo, tmp_path / "elsewhere", key, approve)
    assert client.post(EVENTS, json=made).status_code == 201
    with closing(lineage.open(repo.root)) as registry:
        [done] = Reviews.read(registry).decided.values()
        assert (done.by, done.verdict) == ("Ada Example", "approve")
        standing = [found and found.state for _, found in Judge(registry).standings()]
    assert standing[-1] == "good"
    runner = tmp_path / "runner"
    public = generate(runner, "runner", passphrase=False)
    whose = "runner", "runner@example.com"
    add(repo, public, *whose, roles=["runner"], sign_with=key)
    repo.settings.set("signing.runner-key", str(runner))
    assert run("loop", "run").exit_code == 0
