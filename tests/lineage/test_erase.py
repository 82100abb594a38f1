"""erase: the bytes go, the tombstone stays."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from fractions import Fraction
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

import lineage
from lineage.erase import Erasure, erase, plan_erasure
from lineage.errors import NotAllowed, NotFound, StoreError, UsageError
from lineage.gc import gc
from lineage.loop.running.workshop import opened
from lineage.names_ops import delete_branch
from lineage.store.objects import Edge
from lineage.store.pins import Pins
from lineage.tombstones import tombstones
from lineage.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage import Registry
    from lineage.recording import Committed

    Sound = Callable[[Registry], None]

SECRET = "name and address\n"  # noqa: S105 - what must go


@pytest.fixture
def chats(repo: Registry) -> Committed:
    """Commit a folder of three files, one of which must go."""
    folder = repo.root / "chats"
    folder.mkdir()
    for name, text in (("1", "hello"), ("2", SECRET), ("3", "goodbye")):
        (folder / name).write_text(text, encoding="utf-8")
    return repo.commit("dataset", "chats", folder)


def wipe(registry: Registry, revision: str, **chosen: Any) -> Erasure:
    plan = plan_erasure(registry, revision, **chosen)
    return erase(registry, plan, reason="consent withdrawn", authority="DPO")


def holders(*roots: Path) -> list[Path]:
    """Every file that has the secret in it."""
    files = (path for root in roots for path in root.rglob("*") if path.is_file())
    return [path for path in files if SECRET.encode() in path.read_bytes()]


def test_bytes_go_and_all_else_stays(
    repo: Registry, chats: Committed, sound: Sound, tmp_path: Path
) -> None:
    """No file below the registry has them; the log says who, why and which."""
    before = repo.files(chats.id)
    done = wipe(repo, "dataset/chats")

    assert holders(repo.git.common, repo.payloads.cache) == []
    assert (len(done.files), done.size) == (3, 29)
    assert repo.files(chats.id) == before
    assert repo.branches() == {"dataset/chats": chats.id}
    id_, event = next(repo.events())
    assert (id_, event.type, event.subject) == (done.event, "erase", chats.id)
    assert event.data["reason"] == "consent withdrawn"
    assert event.data["authority"] == "DPO"
    assert {item.get("path") for item in event.data["objects"]} == {
        "1", "2", "3", None
    }  # fmt: skip
    with pytest.raises(StoreError, match=r"was erased on .* by Ada Example for DPO"):
        repo.get("dataset/chats", tmp_path / "got")
    sound(repo)
    assert verify(repo).notes[-1] == "objects that were erased: 4"


def test_one_file_of_a_folder(repo: Registry, chats: Committed, sound: Sound) -> None:
    """The others stay, and so does DVC's list of the folder."""
    wipe(repo, chats.id, paths=["2"])

    assert holders(repo.git.common, repo.payloads.cache) == []
    pins = Pins(repo.payloads)
    left = [entry for entry in repo.files(chats.id) if pins.is_here(entry.md5)]
    assert [entry.path for entry in left] == ["1", "3"]
    got = repo.get(chats.id, repo.root / "got", without_erased=True)
    assert sorted(path.name for path in got.iterdir()) == ["1", "3"]
    sound(repo)
    wipe(repo, chats.id)
    assert not any(pins.is_here(entry.md5) for entry in repo.files(chats.id))
    with pytest.raises(StoreError, match=r"all files of .* were erased"):
        repo.get(chats.id, repo.root / "none", without_erased=True)
    sound(repo)


def test_bytes_that_others_have(repo: Registry, chats: Committed, sound: Sound) -> None:
    """They are refused with the commits that have them, or go from all together."""
    (repo.root / "copy").write_text(SECRET, encoding="utf-8")
    other = repo.commit("dataset", "other", repo.root / "copy")

    with pytest.raises(NotAllowed, match=f"the same bytes: {other.id[:12]}"):
        wipe(repo, chats.id)
    assert Pins(repo.payloads).is_here(repo.files(other.id)[0].md5)
    done = wipe(repo, chats.id, paths=["2"], together=True)
    assert done.commits == [chats.id, other.id]
    assert not Pins(repo.payloads).is_here(repo.files(other.id)[0].md5)
    sound(repo)


def test_datasets_that_were_mixed_from_it(repo: Registry) -> None:
    """Those with records of it and files left are named, with their share."""

    def commit(name: str, *edges: Edge, kind: str = "dataset") -> str:
        (repo.root / name).write_text(name, encoding="utf-8")
        return repo.commit(kind, name, repo.root / name, edges=edges).id

    seed, other = commit("seed"), commit("other")
    counted = {"records": [1, 4]}, {"records": [3, 4]}
    mixed = commit("mixed", *map(
        Edge, ["derived_from"] * 2, [seed, other], ["declared"] * 2, counted
    ))  # fmt: skip
    again = commit("again", Edge("derived_from", mixed), Edge("derived_from", other))
    model = commit("model", Edge("trained_on", again), kind="model")
    commit("written", Edge("generated_by", model), Edge("derived_from", seed))

    done = wipe(repo, seed)
    quarter, none = Fraction(1, 4), Fraction(0)
    assert done.mixed == [
        (mixed, "mixed", seed, (quarter, quarter)),
        (again, "again", seed, (none, quarter)),
    ]
    wipe(repo, mixed)
    assert [each.id for each in plan_erasure(repo, seed).mixed] == [again]


def test_erased_bytes_do_not_come_back(
    repo: Registry, chats: Committed, sound: Sound
) -> None:
    """Neither by a commit nor from the trash; a reference to them is no copy."""
    delete_branch(repo, "dataset/chats")
    gc(repo, grace=timedelta())
    wipe(repo, chats.id)
    assert Pins(repo.payloads).trash() == []
    assert holders(repo.git.common, repo.payloads.cache) == []

    with pytest.raises(NotAllowed, match="the bytes of 1 were erased"):
        repo.commit("dataset", "again", repo.root / "chats")
    (repo.root / "renamed").write_text(SECRET, encoding="utf-8")
    with pytest.raises(NotAllowed, match="the bytes of renamed were erased"):
        repo.commit("dataset", "again", repo.root / "renamed")
    repo.commit("dataset", "again", repo.root / "renamed", reference=True)
    assert holders(repo.git.common, repo.payloads.cache) == []
    sound(repo)


def test_work_and_digests_go_too(repo: Registry, chats: Committed) -> None:
    """Copies in a loop's work, and what is known of unchanged files."""
    work = repo.home / "loops" / "tutor" / "1"
    work.mkdir(parents=True)
    (work / "copy.txt").write_text(SECRET, encoding="utf-8")
    (work / "own.txt").write_text("x" * len(SECRET), encoding="utf-8")
    wipe(repo, chats.id)

    assert [path.name for path in work.iterdir()] == ["own.txt"]


def test_a_clone_that_hears_of_it_removes_its_copy(
    repo: Registry, chats: Committed, sound: Sound
) -> None:
    """Verify tells of bytes that should be gone, and gc removes them."""
    entry = repo.files(chats.id)[1]
    kept = Pins(repo.payloads).pin(entry.md5).read_bytes()
    wipe(repo, chats.id)
    pin = Pins(repo.payloads).pin(entry.md5)
    pin.parent.mkdir(exist_ok=True)
    pin.write_bytes(kept)

    [problem] = verify(repo).problems
    assert "was erased, but its bytes are still here" in problem.what
    assert gc(repo).erased == 1
    sound(repo)


def test_an_erasure_can_be_repeated(repo: Registry, chats: Committed) -> None:
    """A second one writes no second tombstone."""
    wipe(repo, chats.id)
    count = len(list(repo.events()))

    assert wipe(repo, chats.id).event == ""
    assert len(list(repo.events())) == count


def test_the_remote_is_cleaned(
    repo: Registry, chats: Committed, tmp_path: Path
) -> None:
    """On the remotes that are named; others are among the copies that are left."""
    from lineage.transfer import push_payloads

    config = repo.root / ".dvc" / "config"
    for name in ("near", "far"):
        with config.open("a", encoding="utf-8") as file:
            file.write(f"['remote \"{name}\"']\n    url = {tmp_path / name}\n")
        push_payloads(repo, name, [chats.id])
    assert len(holders(tmp_path / "near", tmp_path / "far")) == 2
    plan = plan_erasure(repo, chats.id)
    done = erase(repo, plan, reason="r", authority="a", remotes=["near"])

    assert holders(tmp_path / "near") == []
    assert done.copies[-1] == "the DVC remote far: erase again with --remote far"
    again = plan_erasure(repo, chats.id)
    erase(repo, again, reason="r", authority="a", remotes=["far"])
    assert holders(tmp_path / "near", tmp_path / "far") == []


def test_a_loop_may_clear_its_work_meanwhile(repo: Registry, chats: Committed) -> None:
    """Folders that go while gc looks through them for erased bytes stop nothing."""
    wipe(repo, chats.id, paths=["2"])
    work, over = repo.home / "loops" / "l" / "inputs", Event()

    def churn() -> None:
        with opened(repo, "l") as workshop:
            while not over.is_set():
                for name in "abcdefgh":
                    (work / name / "human").mkdir(parents=True, exist_ok=True)
                    (work / name / "human" / "2").write_text(SECRET, encoding="utf-8")
                workshop.clear()

    with ThreadPoolExecutor(1) as pool:
        churning = pool.submit(churn)
        try:
            for _ in range(30):
                gc(repo)
        finally:
            over.set()
        churning.result()


def test_what_cannot_be_erased(repo: Registry, chats: Committed) -> None:
    """Bytes that are not here, paths that are none, and no reason."""
    made = repo.commit("model", "api", external={"uri": "https://example.com"})
    with pytest.raises(UsageError, match="no bytes of"):
        plan_erasure(repo, made.id)
    with pytest.raises(NotFound, match="there is no 4"):
        plan_erasure(repo, chats.id, paths=["4"])
    plan = plan_erasure(repo, chats.id)
    with pytest.raises(UsageError, match="a reason and an authority"):
        erase(repo, plan, reason=" ", authority="DPO")


def test_the_list_of_what_is_gone_is_derived(repo: Registry, chats: Committed) -> None:
    """Without it, or with a damaged one, everything is known as before."""
    wipe(repo, chats.id)
    known = tombstones(repo)
    assert len(known.erased) == 4

    path = repo.home / "gone"
    for damage in (b"", b"\0" * 9, path.read_bytes()[:-2]):
        path.write_bytes(damage)
        assert tombstones(repo) == known
    path.unlink()
    with closing(lineage.open(repo.root)) as again:
        assert tombstones(again) == known
