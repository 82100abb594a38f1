"""What the API writes: commits, names, what is said of commits; each once."""

from __future__ import annotations

import os
from copy import deepcopy
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from lineage.keys import add
from lineage.keys.judge import Judge
from lineage.measured import attested
from lineage.releases import live
from lineage.server.tokens import Tokens
from lineage.stated import stated
from lineage.store.git_reader import Reader
from lineage.store.key_files import generate
from lineage.taints import taints
from tests.server.sending import EVENTS, address, caught, signed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest
    from fastapi.testclient import TestClient

    from lineage import Registry

API = "/api/v1"
CONFIG: dict[str, Any] = {"kind": "config", "name": "c", "params": {"seed": 1}}


def bearer(repo: Registry, *scopes: str) -> dict[str, str]:
    secret, _ = Tokens(repo.home).create("CI", "ci@example.com", scopes)
    return {"Authorization": f"Bearer {secret}"}


def count(repo: Registry) -> int:
    return sum(1 for _ in repo.events_log.iterate())


def test_a_commit_of_files_that_were_sent(
    client: TestClient, repo: Registry, sound: Callable[..., None], tmp_path: Path
) -> None:
    """A folder is committed by the addresses of its files, and comes back as it was."""
    data = {"a.jsonl": b'{"x":1}\n', "sub/b.bin": os.urandom(300)}
    files = [{"path": p, "sha256": sha256(d).hexdigest()} for p, d in data.items()]
    files.append({"path": "empty", "mode": "040000"})
    new = {"kind": "dataset", "name": "d", "payload": {"files": files}, "message": "m"}
    refused = client.post(f"{API}/commits", json=new)
    assert refused.status_code == 409
    assert refused.json()["lacking"] == {f["sha256"]: f["path"] for f in files[:2]}
    for content in data.values():
        client.put(address(content), content=content)
    made = client.post(f"{API}/commits", json=new)
    assert made.status_code == 201
    repo.get("dataset/d", tmp_path / "out")
    for path, content in data.items():
        assert (tmp_path / "out" / path).read_bytes() == content
    assert (tmp_path / "out" / "empty").is_dir()
    # what a commit on this machine would have been
    assert repo.commit("dataset", "d", tmp_path / "out").id == made.json()["id"]
    assert client.post(f"{API}/commits", json=new).json()["created"] is False
    sound(repo)


def test_a_commit_says_what_it_came_from(client: TestClient, repo: Registry) -> None:
    """Edges lead to any revision; a branch is moved from where it was seen."""
    client.post(f"{API}/commits", json=CONFIG)
    model = {
        "kind": "model",
        "name": "m",
        "edges": [{"role": "configured_by", "revision": "config/c"}],
        "external": {"uri": "https://example.com/m"},
        "metrics": {"loss": 0.5, "acc": {"value": 1, "direction": "higher"}},
        "expected": None,
    }
    made = client.post(f"{API}/commits", json=model).json()
    assert repo.load(made["id"]).ids("configured_by") == (repo.resolve("config/c"),)
    late = client.post(f"{API}/commits", json={**model, "params": {"late": True}})
    assert (late.status_code, late.json()["current"]) == (409, made["id"])


BAD: dict[str, tuple[dict[str, Any], int]] = {
    "a kind": ({"kind": "report"}, 422),
    "a name": ({"name": "a..b"}, 400),
    "a number": ({"metrics": {"loss": "low"}}, 400),
    "a role": ({"edges": [{"role": "likes", "revision": "HEAD"}]}, 404),
    "an edge": ({"edges": [{"role": "trained_on", "revision": "nowhere"}]}, 404),
    "a way up": ({"payload": {"files": [{"path": "../x", "mode": "040000"}]}}, 400),
    "a file twice": (
        {"payload": {"files": [{"path": "x", "mode": "040000"}] * 2}},
        400,
    ),
    "no file": ({"payload": {"files": [], "type": "file"}}, 400),
    "nothing": ({"params": {}}, 400),
    "a branch": ({"branch": "HEAD"}, 400),
    "a form": ({"params": []}, 422),
    "an origin": ({"origin": {"type": "martian"}}, 400),
}


def test_a_bad_commit_changes_nothing(client: TestClient, repo: Registry) -> None:
    """What cannot be recorded is refused with a sentence, and nothing is written."""
    for name, (spoilt, status) in BAD.items():
        refused = client.post(f"{API}/commits", json=CONFIG | spoilt)
        assert (name, refused.status_code) == (name, status), refused.text
        assert refused.json()["title"]
    assert count(repo) == 1


def test_a_request_with_a_name_is_done_once(client: TestClient, repo: Registry) -> None:
    """Sent again it has the answer that it had; the name is its sender's alone."""
    named = {"Idempotency-Key": "try-1"}
    first = client.post(f"{API}/commits", json=CONFIG, headers=named)
    again = client.post(f"{API}/commits", json=CONFIG, headers=named)
    assert (again.status_code, again.json()) == (201, first.json())
    other = client.post(f"{API}/commits", json=CONFIG | {"name": "d"}, headers=named)
    assert other.status_code == 400
    body = caught(repo, lambda r: r.attest("gate", message="passed"))
    told = [client.post(EVENTS, json=body, headers={"Idempotency-Key": "2"}).json()]
    told += [client.post(EVENTS, json=body, headers={"Idempotency-Key": "2"}).json()]
    assert told[0] == told[1]
    assert count(repo) == 3
    token = bearer(repo, "write")
    theirs = client.post(f"{API}/commits", json=CONFIG, headers=named | token)
    assert theirs.json()["event"] != first.json()["event"]


def test_a_request_whose_server_was_killed_is_done_once(
    client: TestClient, repo: Registry
) -> None:
    """The event is found in the log where the note of its request was not finished."""
    named = {"Idempotency-Key": "try-1"}
    first = client.post(f"{API}/commits", json=CONFIG, headers=named)
    [note] = (repo.home / "requests").iterdir()
    note.write_text(note.read_text().splitlines(keepends=True)[0])
    repo.attest("gate")
    again = client.post(f"{API}/commits", json=CONFIG, headers=named)
    assert again.json() == first.json()
    assert count(repo) == 3


def test_a_commit_reads_little_of_the_log(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The questions to git that a commit costs are as many after many events."""
    asked: list[list[str]] = []
    real = Reader.ask

    def ask(reader: Reader, batch: list[str]) -> list[Any]:
        asked.append(batch)
        return real(reader, batch)

    monkeypatch.setattr(Reader, "ask", ask)
    for seed in range(24):
        before = len(asked)
        data = bytes([seed])
        file = {"path": "a", "sha256": sha256(data).hexdigest()}
        new = {"kind": "dataset", "name": "d", "payload": {"files": [file]}}
        assert client.put(address(data), content=data).status_code == 201
        assert client.post(f"{API}/commits", json=new).status_code == 201
    assert len(asked) - before < 25


def test_names_move_from_where_they_were_seen(
    client: TestClient, repo: Registry
) -> None:
    """A branch moves if it is where its mover saw it; a tag never does."""
    ids = [repo.commit("config", "c", params={"seed": i}).id for i in range(3)]
    place = f"{API}/refs/heads/of/mine"
    made = client.put(place, json={"target": ids[0][:12]})
    assert (made.status_code, made.json()["id"]) == (200, ids[0])
    taken = client.put(place, json={"target": ids[1]})
    assert (taken.status_code, taken.json()["current"]) == (409, ids[0])
    moved = client.put(place, json={"target": ids[1], "expected": ids[0]})
    assert moved.json()["id"] == ids[1]
    late = client.delete(place, params={"expected": ids[0]})
    assert (late.status_code, late.json()["current"]) == (409, ids[1])
    assert client.delete(place, params={"expected": ids[1]}).status_code == 204
    gone = client.put(place, json={"target": ids[0], "expected": ids[1]})
    assert (gone.status_code, gone.json()["current"]) == (409, None)
    tag = f"{API}/refs/tags/v1"
    for status in (200, 200):
        assert client.put(tag, json={"target": ids[0]}).status_code == status
    assert client.put(tag, json={"target": ids[1]}).status_code == 403
    assert client.delete(tag, params={"expected": ids[0]}).status_code == 204
    assert client.put(tag, json={"target": ids[0]}).status_code == 403


def test_what_is_said_of_commits(client: TestClient, repo: Registry) -> None:
    """Taints, metrics, statements and releases are events in the sender's name."""
    made = repo.commit("config", "c", params={"seed": 1})

    def say(what: str, **told: Any) -> Any:
        answer = client.post(f"{API}/{what}", json={"subject": "config/c", **told})
        assert answer.status_code == 201, answer.text
        return answer.json()

    said = say("taints", reason="bad")
    assert (said["subject"], said["data"]["via"]) == (made.id, "http")
    place = f"{API}/taints/{said['id'][:12]}/lift"
    assert client.post(place, json={"reason": "it was not"}).status_code == 201
    assert client.post(place, json={"reason": "it was not"}).status_code == 403
    assert [one.lifted and one.lifted.reason for one in taints(repo)] == ["it was not"]
    say("metrics", metrics={"loss": 0.5})
    assert attested(repo, made.id)["loss"].metric.value == 0.5
    say("statements", stated={"purpose": "tests"})
    assert stated(repo, made.id)["purpose"].text == "tests"
    say("releases", environment="prod")
    assert [one.environment for one in live(repo)] == ["prod"]
    say("releases", environment="prod", live=False)
    assert not live(repo)
    nothing = client.post(f"{API}/taints", json={"subject": "config/c", "reason": " "})
    assert nothing.status_code == 400


def test_a_scope_opens_its_routes_and_no_other(
    client: TestClient, repo: Registry
) -> None:
    """A token without the scope of a route gets a 403 there, whatever it sends."""
    made = repo.commit("config", "c", params={"seed": 1})
    about = {"subject": made.id}
    routes: list[tuple[str, str, str, Any]] = [
        ("write", "POST", "commits", CONFIG),
        ("write", "PUT", "refs/heads/x", {"target": made.id}),
        ("write", "DELETE", f"refs/heads/config/c?expected={made.id}", None),
        ("write", "POST", "metrics", {**about, "metrics": {"a": 1}}),
        ("write", "POST", "files/lacking", []),
        ("write", "PUT", f"files/{'0' * 64}", None),
        ("review", "POST", "taints", {**about, "reason": "r"}),
        ("review", "POST", "statements", {**about, "stated": {"a": "b"}}),
        ("review", "POST", "reviews", {**about, "verdict": "approve"}),
        ("admin", "POST", "releases", {**about, "environment": "e"}),
    ]
    tip = repo.events_log.tip()
    scopes = ("read", "write", "review", "admin")
    tokens = {scope: bearer(repo, scope) for scope in scopes}
    for needed, method, path, body in routes:
        for scope in {"read", "write", "review"} - {needed}:
            found = client.request(
                method, f"{API}/{path}", json=body, headers=tokens[scope]
            )
            assert (path, scope, found.status_code) == (path, scope, 403)
    assert repo.events_log.tip() == tip


def test_a_signature_that_came_is_kept(
    client: TestClient, repo: Registry, tmp_path: Path, sound: Callable[..., None]
) -> None:
    """A signed event is appended as signed, and once; no server speaks for a person."""
    key = tmp_path / "key"
    public = generate(key, "Ada", passphrase=False)
    roles = ["releaser", "reviewer"]
    add(repo, public, "Ada", "ada@example.com", roles=roles, sign_with=key)
    unsigned = client.post(f"{API}/commits", json=CONFIG)
    assert unsigned.status_code == 403
    assert "a server signs with a key of its own" in unsigned.json()["title"]
    elsewhere = tmp_path / "elsewhere"
    made = signed(
        repo, elsewhere, key, lambda r: r.commit("config", "c", params={"seed": 1})
    )
    spoilt = deepcopy(made)
    spoilt["event"]["message"] = "another"
    assert client.post(EVENTS, json=spoilt).status_code == 422
    first, again = (client.post(EVENTS, json=made) for _ in range(2))
    assert (first.status_code, first.json()) == (201, again.json())
    standing = [found and found.state for _, found in Judge(repo).standings()]
    assert standing == [None, "good", "good"]
    sound(repo)


def test_a_body_that_no_json_holds_is_refused(client: TestClient) -> None:
    """Half characters and endless depth are the sender's mistake, not a failure."""
    deep = "[" * 500 + "]" * 500
    for params in ('{"\\ud800": 1}', f'{{"a": {deep}}}'):
        body = f'{{"kind": "config", "name": "c", "params": {params}}}'
        kind = {"Content-Type": "application/json"}
        answer = client.post(f"{API}/commits", content=body, headers=kind)
        assert answer.status_code == 400
