"""Reading through a server: the same answers, and nothing believed."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

import lineage
from lineage.errors import (
    LineageError,
    NotAllowed,
    NotFound,
    StoreError,
    UsageError,
    VerificationError,
)
from lineage.store import names
from lineage.store.events import now
from lineage.store.objects import Edge, Event
from tests.server.conftest import serving

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage import Registry
    from lineage.client.connecting import ConnectedRegistry

    Connect = Callable[..., ConnectedRegistry]


@pytest.fixture
def model(repo: Registry, tmp_path: Path) -> str:
    """Make a model with its data, some of which is tagged; the model's id."""
    (tmp_path / "text.jsonl").write_text('{"text": "a"}\n{"text": "b"}\n')
    data = repo.commit("dataset", "seed", tmp_path / "text.jsonl")
    repo.tag("v1", data.id)
    (tmp_path / "weights.bin").write_bytes(b"w" * 1000)
    edges = [Edge("trained_on", data.id, "declared")]
    made = repo.commit("model", "tutor", tmp_path / "weights.bin", edges=edges)
    return made.id


def later(remote: ConnectedRegistry) -> None:
    """Let some time pass: look anew, however short ago that was done."""
    remote._fresh_until = 0.0


def test_every_answer_is_the_same(repo: Registry, model: str, connect: Connect) -> None:
    """A question through the server is answered as where the registry lies."""
    remote = connect()
    asked = (
        lambda r: (r.branches(), r.tags(), r.resolve("model/tutor^trained_on")),
        lambda r: list(r.log("model/tutor")),
        lambda r: [*r.events()],
        lambda r: (r.trace(model).made, r.trace(model).weakest),
        lambda r: r.impact("v1"),
        lambda r: r.children("v1"),
        lambda r: r.select("kind(model) & descendants(v1)"),
        lambda r: r.diff("v1", model, "files", "metrics"),
        lambda r: (r.entry(model), r.files(model)),
    )
    for ask in asked:
        assert ask(remote) == ask(repo)


def test_bytes_come_when_they_are_asked_for(
    connect: Connect, model: str, tmp_path: Path
) -> None:
    """The mirror has no bytes; `get` brings those of one commit, verified."""
    remote = connect()
    entries = [*remote.files(model), *remote.files(remote.resolve("v1"))]
    assert not any(remote.payloads.has(entry.md5) for entry in entries)
    got = remote.get("model/tutor", tmp_path / "got.bin")
    assert got.read_bytes() == b"w" * 1000
    assert [remote.payloads.has(entry.md5) for entry in entries] == [True, False]


def test_bytes_are_brought_for_who_reads_them(
    connect: Connect, repo: Registry, model: str, tmp_path: Path
) -> None:
    """A comparison of records fetches the files that it reads."""
    del model
    (tmp_path / "text.jsonl").write_text('{"text": "a"}\n{"text": "c"}\n')
    repo.commit("dataset", "seed", tmp_path / "text.jsonl")
    found = connect().diff("dataset/seed", None, "records").records
    assert len(found) == 1
    assert found[0].added == found[0].removed == 1


def test_what_others_do_is_seen(repo: Registry, connect: Connect) -> None:
    """A connection follows the log: what came later is there, and only that is sent."""
    remote = connect()
    made = repo.commit("config", "later", params={"seed": 1})
    later(remote)
    assert remote.resolve("config/later") == made.id
    assert remote.head == "config/later"


def test_the_past_is_read(repo: Registry, connect: Connect) -> None:
    """`at` shows the registry as it was, and lets nobody write there."""
    first = repo.commit("config", "a", params={"seed": 1})
    event = next(id_ for id_, _ in repo.events())
    repo.commit("config", "a", params={"seed": 2})
    remote = connect(at=event)
    assert remote.branches() == {"config/a": first.id}
    with pytest.raises(NotAllowed):
        remote.tag("v1")


def test_a_mirror_is_checked_like_a_registry(
    repo: Registry, model: str, connect: Connect
) -> None:
    """`verify` goes through the mirror's history, and misses no bytes in it."""
    del repo, model
    assert connect().verify().problems == []


def test_a_server_is_not_believed(repo: Registry, connect: Connect) -> None:
    """An event that does not follow from those before it is refused, and forgotten."""
    made = repo.commit("config", "a", params={"seed": 1})
    remote = connect()
    tip = repo.events_log.tip()
    assert tip
    event = Event("branch", now(), repo.actor(), "quietly", prev=("0" * 64,))
    forged = repo.events_log.objects(event, [], [tip])
    repo.git.write(forged)
    repo.git.run("update-ref", names.EVENTS, forged[-1].oid)
    later(remote)
    with pytest.raises(VerificationError, match="is not believed: the event"):
        remote.branches()
    assert remote.events_log.tip() == tip
    repo.git.run("update-ref", names.EVENTS, tip)
    later(remote)
    assert remote.branches() == {"config/a": made.id}


def test_a_log_that_was_cut_is_noticed(repo: Registry, connect: Connect) -> None:
    """A server that has lost events is refused: the mirror has seen them."""
    before = repo.events_log.tip()
    assert before
    made = repo.commit("config", "a", params={"seed": 1})
    remote = connect()
    repo.git.run("update-ref", names.EVENTS, before)
    later(remote)
    with pytest.raises(VerificationError, match="no longer has the event"):
        remote.branches()
    with connect(offline=True) as away:
        assert away.branches() == {"config/a": made.id}


def test_wrong_bytes_are_refused(
    repo: Registry, model: str, connect: Connect, tmp_path: Path
) -> None:
    """A file that is not what its commit says is not given out."""
    [entry] = repo.files(model)
    path = repo.payloads.path(entry.md5)
    path.chmod(0o644)
    path.write_bytes(b"x" * 1000)
    with pytest.raises(VerificationError, match="did not arrive from"):
        connect().get("model/tutor", tmp_path / "got.bin")
    assert not (tmp_path / "got.bin").exists()


def test_an_address_without_tls_or_with_a_wrong_port_says_so(
    repo: Registry, tmp_path: Path
) -> None:
    """What is wrong with an address is said in words, not by the name of an error."""
    with serving(repo.root) as url:
        secure = url.replace("http:", "https:")
        with pytest.raises(StoreError, match="does not answer: no TLS with it"):
            lineage.connect(secure, cache=tmp_path / "c")
    with pytest.raises(UsageError, match="is no address of a server"):
        lineage.connect(f"{url}x", cache=tmp_path / "c")


def test_without_the_server_what_was_seen_is_read(
    repo: Registry, tmp_path: Path
) -> None:
    """Offline reads the mirror as it was; what is not there says so in a sentence."""
    made = repo.commit("config", "a", params={"seed": 1})
    with serving(repo.root) as url:
        lineage.connect(url, cache=tmp_path / "c").close()
    with pytest.raises(StoreError, match=f"^{url} does not answer: Connection refused"):
        lineage.connect(url, cache=tmp_path / "c")
    with lineage.connect(url, cache=tmp_path / "c", offline=True) as remote:
        assert remote.branches() == {"config/a": made.id}
        with pytest.raises(NotAllowed, match="nothing is written while offline"):
            remote.tag("v1", made.id)
    with pytest.raises(StoreError, match="nothing was seen of http"):
        lineage.connect("http://127.0.0.1:1", cache=tmp_path / "c", offline=True)


def test_an_address_that_is_none_says_so(url: str, tmp_path: Path) -> None:
    """What is no server's address, or no registry there, is one sentence."""
    with pytest.raises(NotFound, match="there is no registry at"):
        lineage.connect(f"{url}/elsewhere", cache=tmp_path)
    for wrong in ("ftp://host/x", "https://", "https://ada:secret@host"):
        with pytest.raises(UsageError):
            lineage.connect(wrong, cache=tmp_path)
    assert not [*tmp_path.glob("elsewhere*")]


def test_a_mirror_can_be_thrown_away(
    repo: Registry, connect: Connect, tmp_path: Path
) -> None:
    """Nothing in the cache is anybody's only copy."""
    repo.commit("config", "a", params={"seed": 1})
    connect().close()
    shutil.rmtree(tmp_path / "one")
    assert connect().branches() == repo.branches()


@pytest.mark.parametrize("harm", ["objects", "packs", "ref", "config"])
def test_a_damaged_mirror_says_what_to_remove(
    repo: Registry, connect: Connect, harm: str
) -> None:
    """The hint is the command that throws it away, after which all is well."""
    made = repo.commit("config", "a", params={"seed": 1})
    with connect() as remote:
        root = remote.root
    git = root / ".git"
    if harm == "objects":
        shutil.rmtree(git / "objects")
    elif harm == "packs":
        for pack in git.rglob("*.pack"):
            pack.chmod(0o644)
            pack.write_bytes(b"")
    elif harm == "ref":
        (git / names.EVENTS).write_text("x\n", encoding="utf-8")
    else:
        (git / "config").write_text("[x\n", encoding="utf-8")
    with pytest.raises(LineageError) as caught:
        connect().load(made.id)
    assert caught.value.hint == f"remove the mirror, it is made anew: rm -rf {root}"

    shutil.rmtree(root)
    assert connect().load(made.id).params == {"seed": 1}


def test_plain_git_reads_the_mirror(repo: Registry, connect: Connect) -> None:
    """The mirror is a git repository without a fault, of the same log."""
    repo.commit("config", "a", params={"seed": 1})
    remote = connect()
    fsck = ["git", "-C", str(remote.root), "fsck", "--strict", "--no-dangling"]
    done = subprocess.run(fsck, capture_output=True, text=True, check=True)
    assert done.stdout == ""
    shown = remote.git.run("show", f"{names.EVENTS}:event.json")
    assert json.loads(shown)["type"] == "commit"
