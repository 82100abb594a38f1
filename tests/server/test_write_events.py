"""Events that were made elsewhere: checked, and appended in the sender's name."""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from copy import deepcopy
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from lineage.bulk import Draft, import_commits
from lineage.names_ops import delete_branch, protect_branch, set_branch, set_tag
from lineage.server.incoming import sent as incoming
from lineage.server.tokens import Tokens
from lineage.store.events import now
from lineage.store.git_objects import GitObject
from lineage.store.objects import Commit
from lineage.taints import standing, taint
from lineage.undo import undo
from tests.server.sending import EVENTS, caught, packed

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from fastapi.testclient import TestClient

    from lineage.registry import Registry

Body = dict[str, Any]


def config(seed: int, **more: Any) -> Callable[[Registry], object]:
    return lambda r: r.commit("config", "c", params={"seed": seed}, **more)


def newest(repo: Registry) -> Any:
    return next(repo.events_log.iterate()).event


def bearer(repo: Registry, *scopes: str) -> dict[str, str]:
    secret, _ = Tokens(repo.home).create("CI", "ci@example.com", scopes)
    return {"Authorization": f"Bearer {secret}"}


def test_a_commit_is_appended(
    client: TestClient, repo: Registry, sound: Callable[..., None]
) -> None:
    """A commit that another program made is on its branch, in its sender's name."""
    token = bearer(repo, "write")
    body = caught(repo, config(1))
    answer = client.post(EVENTS, json=body, headers=token)
    event = newest(repo)
    assert (answer.status_code, answer.json()["id"]) == (201, event.id)
    assert event.actor == {"name": "CI", "email": "ci@example.com"}
    assert event.data["via"] == "http"
    assert event.data["token"]
    assert repo.load(repo.resolve("config/c")).params == {"seed": 1}
    sound(repo)


def test_files_come_before_their_commit(
    client: TestClient, repo: Registry, sound: Callable[..., None]
) -> None:
    """A commit whose files were not sent is refused by name; after that it is not."""
    folder = repo.root / "data"
    folder.mkdir()
    for name in ("a", "b", "c"):
        (folder / name).write_text(name * 9)
    (folder / "empty").mkdir()
    body = caught(repo, lambda r: r.commit("dataset", "d", "data"))
    for pin in repo.payloads.cache.glob("**/*"):  # as if they had been elsewhere
        if pin.is_file():
            pin.unlink()
    refused = client.post(EVENTS, json=body)
    told = {sha256(name.encode() * 9).hexdigest(): name for name in "abc"}
    assert (refused.status_code, refused.json()["lacking"]) == (409, told)
    for address, name in told.items():
        client.put(f"/api/v1/files/{address}", content=name.encode() * 9)
    assert client.post(EVENTS, json=body).status_code == 201
    assert [*(repo.payloads.cache / "lineage" / "uploads").glob("*/*/*")] == []
    sound(repo)


def test_two_writers_of_one_branch(client: TestClient, repo: Registry) -> None:
    """The later of two is refused, and told where the branch is by then."""
    bodies = [caught(repo, config(seed)) for seed in (1, 2)]
    assert client.post(EVENTS, json=bodies[0]).status_code == 201
    refused = client.post(EVENTS, json=bodies[1])
    assert refused.status_code == 409
    assert refused.json()["current"] == repo.resolve("config/c")


def test_a_parent_is_the_newest_event(client: TestClient, repo: Registry) -> None:
    """Who says after which event theirs comes is told when that is not the newest."""
    body = caught(repo, config(1)) | {"parent": repo.events_log.tip()}
    repo.attest("gate")
    refused = client.post(EVENTS, json=body)
    assert (refused.status_code, refused.json()["current"]) == (
        409,
        repo.events_log.tip(),
    )


def test_a_commit_that_came_meanwhile_comes_once(
    client: TestClient, repo: Registry, sound: Callable[..., None]
) -> None:
    """Two who make one commit on two branches both get theirs."""
    bodies = [caught(repo, config(1, branch=name)) for name in ("one", "two")]
    for body in bodies:
        assert client.post(EVENTS, json=body).status_code == 201
    assert repo.resolve("one") == repo.resolve("two")
    sound(repo)


def test_a_batch_comes_whole(
    client: TestClient, repo: Registry, sound: Callable[..., None]
) -> None:
    """Many commits come with one event; those without a name are kept too."""

    def act(registry: Registry) -> None:
        commits = [Commit("config", f"c{i}", params={"i": i}) for i in range(30)]
        drafts = [Draft(c, branch="" if i % 2 else None) for i, c in enumerate(commits)]
        list(import_commits(registry, drafts))

    body = caught(repo, act)
    assert client.post(EVENTS, json=body).status_code == 201
    repo.git.run("gc", "--prune=now", "--quiet")
    assert len(repo.ids) == 30
    sound(repo)


def test_names_statements_and_undo(
    client: TestClient, repo: Registry, sound: Callable[..., None]
) -> None:
    """Branches, tags, taints and undos come the same way."""
    made = repo.commit("config", "c", params={"seed": 1})
    acts: list[Callable[[Registry], object]] = [
        lambda r: set_branch(r, "b", made.id),
        lambda r: set_tag(r, "v1", made.id),
        lambda r: taint(r, made.id, "it is bad"),
        lambda r: protect_branch(r, "b"),
        undo,
        lambda r: delete_branch(r, "b"),
    ]
    for act in acts:
        assert client.post(EVENTS, json=caught(repo, act)).status_code == 201
    assert [one.reason for one in standing(repo)] == ["it is bad"]
    assert (repo.tags(), "b" in repo.branches()) == ({"v1": made.id}, False)
    sound(repo)


REFUSED: list[tuple[str, Callable[[Registry], object]]] = [
    ("read", config(2)),
    ("write", lambda r: taint(r, r.resolve("config/c"), "bad")),
    ("review", config(2)),
    ("write", lambda r: protect_branch(r, "config/c")),
    ("write", lambda r: r.attest("release", subject=r.resolve("config/c"))),
    ("write", lambda r: r.attest("key")),
    ("admin", lambda r: r.attest("init")),
    ("admin", lambda r: r.attest("pull")),
]


def test_a_token_does_what_its_scopes_say(client: TestClient, repo: Registry) -> None:
    """An event of another scope is refused, and nothing is appended."""
    repo.commit("config", "c", params={"seed": 1})
    tip = repo.events_log.tip()
    tokens = {scope: bearer(repo, scope) for scope in ("read", "write", "review")}
    tokens["admin"] = bearer(repo, "admin")
    for scope, act in REFUSED:
        refused = client.post(EVENTS, json=caught(repo, act), headers=tokens[scope])
        assert (refused.status_code, repo.events_log.tip()) == (403, tip)


def _object(body: Body, kind: str) -> int:
    for number, text in enumerate(body["objects"]):
        if zlib.decompress(b64decode(text)).startswith(kind.encode()):
            return number
    raise AssertionError(kind)


def _strange(body: Body) -> None:
    body["objects"].append(packed(GitObject("blob", b"anything")))


def _changed(body: Body) -> None:
    number = _object(body, "blob")
    data = zlib.decompress(b64decode(body["objects"][number])).partition(b"\0")[2]
    body["objects"][number] = packed(GitObject("blob", data + b" "))


def _bomb(body: Body) -> None:
    body["objects"].append(
        b64encode(zlib.compress(b"blob 1\0" + bytes(1 << 21))).decode()
    )


SPOILT: dict[str, tuple[Callable[[Body], object], int]] = {
    "an object of nothing": (_strange, 400),
    "another manifest": (_changed, 422),
    "a commit that is lacking": (lambda b: b.update(objects=[]), 422),
    "no git object": (lambda b: b["objects"].append("AAAA"), 400),
    "no base64": (lambda b: b["objects"].append("%%%"), 400),
    "a bomb": (_bomb, 400),
    "another id": (lambda b: b["event"]["commits"][0].update(id="0" * 64), 422),
    "another oid": (lambda b: b["event"]["commits"][0].update(git="0" * 40), 422),
    "a place in the log": (lambda b: b["event"].update(prev=[]), 400),
    "no time": (lambda b: b["event"].update(time="now"), 422),
    "no type": (lambda b: b["event"].pop("type"), 422),
    "a subject from nowhere": (lambda b: b["event"].update(subject="0" * 64), 404),
    "a target from nowhere": (lambda b: b["moves"][0].update(after="0" * 64), 404),
    "another target": (lambda b: b["moves"][0].update(git="0" * 40), 422),
    "no name": (lambda b: b["moves"][0].update(ref="heads/a..b"), 400),
    "no space": (lambda b: b["moves"][0].update(ref="attic/x"), 403),
    "no ref": (lambda b: b["moves"][0].update(ref=""), 403),
    "a tag": (lambda b: b["moves"][0].update(ref="tags/x"), 403),
    "no signature": (lambda b: b.update(signature="-----"), 422),
}


def test_what_is_not_sound_changes_nothing(
    client: TestClient, repo: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event that is not what it says is refused, and nothing of it is there."""
    monkeypatch.setattr(incoming, "_LARGEST", 1 << 20)
    sound, tip = caught(repo, config(1)), repo.events_log.tip()
    for name, (spoil, status) in SPOILT.items():
        body = deepcopy(sound)
        spoil(body)
        refused = client.post(EVENTS, json=body)
        assert (name, refused.status_code) == (name, status), refused.text
        assert repo.events_log.tip() == tip
    assert repo.git.read(sound["event"]["commits"][0]["git"]) is None


def test_an_event_says_its_way_as_it_was(client: TestClient, repo: Registry) -> None:
    """Nobody writes another token into an event; a time stamp keeps its own."""
    token = bearer(repo, "write")
    lies = {"via": "cli", "token": "0" * 12, "request": "another's", "of": "it"}
    for type_, kept in (("note", {"of"}), ("timestamp", {"of", "token"})):
        event = {"type": type_, "time": now(), "actor": repo.actor(), "data": lies}
        sent = {"event": {"schema": "lineage/1", **event}}
        assert client.post(EVENTS, json=sent, headers=token).status_code == 201
        data = newest(repo).data
        assert {key for key in data if data[key] == lies.get(key)} == kept
        assert (data["via"], "request" in data) == ("http", False)


def test_what_no_reader_expects_stops_no_report(
    client: TestClient, repo: Registry
) -> None:
    """An event can hold anything in its data: reports are made all the same."""
    repo.commit("config", "c", params={"seed": 1})
    values: list[Any] = [{}, [1], 5, "x", None]
    for junk in values:
        data = {"loop": junk, "rolled_back": junk, "reused": junk}
        event = {"type": "note", "time": now(), "actor": repo.actor(), "data": data}
        sent = {"event": {"schema": "lineage/1", **event}}
        assert client.post(EVENTS, json=sent).status_code == 201
    found = client.get("/api/v1/reports?revset=config/c&format=json")
    assert found.status_code == 200, found.text
