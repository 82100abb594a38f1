"""gc: what nothing needs goes, first to the trash; everything else stays."""

from __future__ import annotations

import subprocess
import threading
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

import lineage
from lineage import gc as gc_module
from lineage.errors import StoreError, UsageError, VerificationError
from lineage.gc import age, gc, restore
from lineage.names_ops import delete_branch, delete_tag, set_branch, set_tag
from lineage.store.pins import Pins
from lineage.verify import verify
from tests.dvc import dvc

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage import Registry
    from lineage.recording import Committed

    Sound = Callable[[Registry], None]

NOW = timedelta()


def put(registry: Registry, text: str, name: str = "d") -> Committed:
    """Commit a file with `text` as a dataset."""
    path = registry.root / "file.txt"
    path.write_text(text, encoding="utf-8")
    return registry.commit("dataset", name, path)


def bytes_of(registry: Registry, made: Committed) -> list[Path]:
    """Where the bytes of a commit's files are, but for the trash."""
    pins = Pins(registry.payloads)
    oids = [entry.md5 for entry in registry.files(made.id)]
    paths = [path for oid in oids for path in (pins.pin(oid), pins.place(oid))]
    return [path for path in paths if path.exists()]


@pytest.fixture
def dropped(repo: Registry) -> Committed:
    """Commit something and delete its branch; another commit stays."""
    put(repo, "stays", "other")
    made = put(repo, "goes")
    delete_branch(repo, "dataset/d")
    return made


def test_what_no_name_reaches_goes_and_comes_back(
    repo: Registry, dropped: Committed, sound: Sound, tmp_path: Path
) -> None:
    """Freed bytes are no damage, `get` says where they went, restore brings them."""
    found = gc(repo, grace=NOW)
    [row] = found.rows

    assert (row.id, row.objects, row.size) == (dropped.id, 1, 4)
    assert row.why.startswith("no name reaches it since ")
    assert bytes_of(repo, dropped) == []
    sound(repo)
    assert verify(repo).notes[-1] == "objects that gc freed: 1"
    with pytest.raises(StoreError, match="were freed by gc on"):
        repo.get(dropped.id, tmp_path / "got")
    assert repo.load(dropped.id).kind == "dataset"

    assert restore(repo) == 1
    assert repo.get(dropped.id, tmp_path / "got").read_text() == "goes"
    sound(repo)


def test_a_period_of_grace(repo: Registry, dropped: Committed) -> None:
    """What had a name within it stays; by default that is a month."""
    assert gc(repo).rows == gc(repo, grace=timedelta(hours=1)).rows == []
    assert len(bytes_of(repo, dropped)) == 2
    repo.settings.set("gc.grace", "0d")
    assert len(gc(repo).rows) == 1


def test_what_the_policy_selects_stays(repo: Registry, dropped: Committed) -> None:
    """The setting gc.keep is a revset; it and what it came from are kept."""
    repo.settings.set("gc.keep", "kind(dataset) & name(d)")
    assert gc(repo, grace=NOW).rows == []
    repo.settings.set("gc.keep", "kind(model)")
    assert [row.id for row in gc(repo, grace=NOW).rows] == [dropped.id]


def test_a_log_that_was_cut_frees_nothing(repo: Registry) -> None:
    """Else the bytes of the commits that it lost would be nobody's."""
    put(repo, "text")
    cut = ["update-ref", "refs/lineage/events", "refs/lineage/events~1"]
    subprocess.run(["git", "-C", str(repo.root), *cut], check=True)
    with (
        closing(lineage.open(repo.root)) as again,
        pytest.raises(VerificationError, match="the log has lost the event"),
    ):
        gc(again, grace=NOW)
    pins = Pins(repo.payloads)
    assert len(list(pins)) == 1


def test_a_clock_that_was_wrong_frees_nothing(
    repo: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event is no older than those before it, whatever it says of itself."""
    made = put(repo, "goes")
    monkeypatch.setattr(
        "lineage.store.events.stamp", lambda _: "1970-01-01T00:00:00.000000Z"
    )
    delete_branch(repo, "dataset/d")

    assert gc(repo, grace=timedelta(hours=1)).rows == []
    assert len(bytes_of(repo, made)) == 2


def test_names_and_what_they_came_from_stay(repo: Registry, sound: Sound) -> None:
    """Old versions of a branch, tags, and what a child was made from."""
    versions = [put(repo, text) for text in ("one", "two")]
    seed = put(repo, "seed", "seed")
    repo.commit(
        "model",
        "m",
        repo.root / "file.txt",
        edges=[lineage.Edge("trained_on", seed.id)],
    )
    tagged = put(repo, "tagged", "t")
    set_tag(repo, "v1", tagged.id)
    for branch in ("dataset/seed", "dataset/t"):
        delete_branch(repo, branch)

    assert gc(repo, grace=NOW).rows == []
    delete_tag(repo, "v1")
    assert [row.id for row in gc(repo, grace=NOW).rows] == [tagged.id]
    assert all(bytes_of(repo, made) for made in [*versions, seed])
    sound(repo)


def test_bytes_that_a_kept_commit_shares_stay(repo: Registry, sound: Sound) -> None:
    """An object goes with the last commit that has it."""
    made = put(repo, "shared", "a")
    put(repo, "shared", "b")
    delete_branch(repo, "dataset/a")

    assert gc(repo, grace=NOW).rows == []
    delete_branch(repo, "dataset/b")
    assert sum(row.objects for row in gc(repo, grace=NOW).rows) == 1
    assert bytes_of(repo, made) == []
    sound(repo)


def test_a_dry_run_changes_nothing(repo: Registry, dropped: Committed) -> None:
    """It lists what gc would free."""
    tip = repo.events_log.tip()
    planned = gc(repo, grace=NOW, dry_run=True)

    assert repo.events_log.tip() == tip
    assert len(bytes_of(repo, dropped)) == 2
    assert gc(repo, grace=NOW).rows == planned.rows


def test_the_trash_is_emptied_after_a_while(repo: Registry, dropped: Committed) -> None:
    """By default after a week; at once when asked to, or set so."""
    gc(repo, grace=NOW)
    pins = Pins(repo.payloads)
    [batch] = pins.trash()
    assert batch.oids == (repo.files(dropped.id)[0].md5,)
    assert gc(repo).emptied == []

    repo.settings.set("gc.trash", "0d")
    assert gc(repo, dry_run=True).emptied_size == 4
    assert len(pins.trash()) == 1
    assert gc(repo).emptied_size == 4
    assert pins.trash() == []
    assert restore(repo) == 0


def test_committing_freed_bytes_again_brings_them_back(
    repo: Registry, dropped: Committed, sound: Sound
) -> None:
    """The same id, whole again, and no longer anything for gc."""
    gc(repo, grace=NOW, empty_trash=True)
    again = put(repo, "goes")

    assert again.id == dropped.id
    assert len(bytes_of(repo, again)) == 2
    sound(repo)
    assert gc(repo, grace=NOW).rows == []


@pytest.mark.parametrize("where", ["work tree", "index", "branch", "tag", "stash"])
def test_dvc_keeps_what_it_uses(repo: Registry, dropped: Committed, where: str) -> None:
    """A `.dvc` file that names the object keeps it in the cache, without our pin."""
    [entry] = repo.files(dropped.id)
    git = ["git", "-C", str(repo.root)]
    file = repo.root / "own.dvc"
    file.write_text(f"outs:\n- md5: {entry.md5}\n  hash: md5\n  path: own\n")
    if where != "work tree":
        subprocess.run([*git, "add", "own.dvc"], check=True)
    words = {
        "branch": ["checkout", "-q", "-b", "side"],
        "tag": ["checkout", "-q", "--detach"],
    }
    if where in words:
        subprocess.run([*git, *words[where]], check=True)
        subprocess.run([*git, "commit", "-q", "-m", "own"], check=True)
        if where == "tag":
            subprocess.run([*git, "tag", "own"], check=True)
        subprocess.run([*git, "checkout", "-q", "main"], check=True)
    if where == "stash":
        subprocess.run([*git, "stash", "-q"], check=True)
    assert file.exists() == (where in ("work tree", "index"))
    found = gc(repo, grace=NOW, empty_trash=True)

    assert (found.objects, found.left_to_dvc) == (1, 1)
    pins = Pins(repo.payloads)
    assert pins.place(entry.md5).read_text(encoding="utf-8") == "goes"
    assert not pins.pin(entry.md5).exists()


def test_a_folder_that_dvc_added_stays_whole(repo: Registry) -> None:
    """`dvc add` and a commit share list and members: dvc checkout works after gc."""
    folder = repo.root / "data"
    folder.mkdir()
    for name in "ab":
        (folder / name).write_text(name, encoding="utf-8")
    dvc("--cd", repo.root, "add", "-q", "data").check_returncode()
    repo.commit("dataset", "data", folder)
    delete_branch(repo, "dataset/data")
    found = gc(repo, grace=NOW, empty_trash=True)
    assert (found.objects, found.left_to_dvc) == (3, 3)

    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    dvc("--cd", repo.root, "checkout", "-q").check_returncode()
    assert (folder / "b").read_text(encoding="utf-8") == "b"


def test_registries_share_a_cache(tmp_path: Path, sound: Sound) -> None:
    """Each drops its own pins only; in a cache elsewhere DVC's links all stay."""
    registries = []
    for name in ("one", "two"):
        registry = lineage.init(tmp_path / name)
        config = registry.root / ".dvc" / "config"
        config.write_text(f"[cache]\n    dir = {tmp_path / 'cache'}\n")
        registries.append(registry)
    first, second = registries
    with closing(first), closing(second):
        for registry in registries:
            made = put(registry, "shared")
        delete_branch(first, "dataset/d")
        found = gc(first, grace=NOW, empty_trash=True)

        assert (found.objects, found.left_to_dvc) == (1, 1)
        [shared] = first.files(made.id)
        assert not Pins(first.payloads).pin(shared.md5).exists()
        assert second.get(made.id, tmp_path / "got").read_text() == "shared"
        sound(first)
        sound(second)


def test_what_a_stopped_writer_left_goes(repo: Registry, sound: Sound) -> None:
    """Pins of no commit are freed at once: nobody is writing while gc looks."""
    (repo.root / "file.txt").write_text("never recorded", encoding="utf-8")
    _, [entry] = repo.payloads.add(repo.root / "file.txt")
    found = gc(repo)

    assert [(row.id, row.size) for row in found.rows] == [("", 14)]
    assert "no commit names them" in found.rows[0].why
    assert not repo.payloads.has(entry.md5)
    assert [event.type for _, event in repo.events()] == ["init"]
    sound(repo)


def test_gc_waits_for_those_who_write(
    repo: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes on their way into a commit are never taken, however slow it is."""
    stored, started = threading.Event(), threading.Event()
    original = gc_module._plan

    def plan(*args: Any) -> Any:
        started.set()
        return original(*args)

    monkeypatch.setattr(gc_module, "_plan", plan)

    def collect() -> None:
        with closing(lineage.open(repo.root)) as other:
            stored.wait()
            gc(other, grace=NOW)

    thread = threading.Thread(target=collect)
    thread.start()
    with repo.payloads.writing():
        (repo.root / "file.txt").write_text("on its way", encoding="utf-8")
        _, [entry] = repo.payloads.add(repo.root / "file.txt")
        stored.set()
        assert not started.wait(0.3)
        made = repo.commit("dataset", "d", repo.root / "file.txt")
    thread.join()

    assert started.is_set()
    assert repo.payloads.has(entry.md5)
    assert repo.get(made.id, repo.root / "got").read_text() == "on its way"


def test_a_name_made_meanwhile_counts(
    repo: Registry, dropped: Committed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What gets a name between gc's look and its work is not freed."""
    original = gc_module._spare

    def spare(*args: Any) -> set[str]:
        if not repo.target("heads/again"):
            set_branch(repo, "again", dropped.id)
        return original(*args)

    monkeypatch.setattr(gc_module, "_spare", spare)
    gc(repo, grace=NOW)

    assert len(bytes_of(repo, dropped)) == 2


def test_damaged_trash_is_not_brought_back(repo: Registry, dropped: Committed) -> None:
    """An object is compared with the MD5 that it is called after."""
    gc(repo, grace=NOW)
    [batch] = Pins(repo.payloads).trash()
    path = batch.folder / batch.oids[0]
    path.chmod(0o644)
    path.write_text("evil", encoding="utf-8")

    with pytest.raises(VerificationError, match="does not have the MD5"):
        restore(repo)
    assert bytes_of(repo, dropped) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30d", timedelta(days=30)),
        ("12h", timedelta(hours=12)),
        ("2w", timedelta(weeks=2)),
        ("5m", timedelta(minutes=5)),
        ("0d", NOW),
    ],
)
def test_periods(text: str, expected: timedelta) -> None:
    """A number and a unit."""
    assert age(text) == expected


@pytest.mark.parametrize("text", ["", "d", "30", "-1d", "1.5d", "1y", "9999999d"])
def test_what_is_no_period(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(UsageError, match="is not a period"):
        age(text)
