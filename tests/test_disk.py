"""Disks that are full or read-only, files that will not be read, odd places."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import shutil
import stat
import subprocess
import sys
from contextlib import closing, contextmanager
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import lineage
from lineage.errors import LineageError, StoreError
from lineage.history import walk
from lineage.status import status
from lineage.store.events import now
from lineage.store.objects import Event
from lineage.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lineage import Registry

    Sound = Callable[[Registry], None]

PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2


# what happens in a process of its own: `python test_disk.py WORK ROOT`


def as_anybody(work: Callable[[Path], Any], root: Path) -> Any:
    """Do `work` in a process that file modes bind, even if we are root."""
    command = [sys.executable, "-P", __file__, "drop", work.__name__, str(root)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


MOUNT = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'


def where_nothing_can_be_written(work: Callable[[Path], Any], root: Path) -> Any:
    """Do `work` with a read-only mount at `root`; as anybody where we cannot mount."""
    if shutil.which("unshare"):
        for unshare in ("-rm", "-m"):
            inside = ["unshare", unshare, "sh", "-c", MOUNT, str(root)]
            if subprocess.run([*inside, "true"], check=False).returncode == 0:
                run = [
                    *inside,
                    sys.executable,
                    "-P",
                    __file__,
                    work.__name__,
                    str(root),
                ]
                done = subprocess.run(run, stdout=subprocess.PIPE, check=True)
                return json.loads(done.stdout)
    return as_anybody(work, root)


def drop_and_start(*args: str) -> None:
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
            libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    os.execv(sys.executable, [sys.executable, "-P", __file__, *args])  # noqa: S606


def read_everything(root: Path) -> list[Any]:
    """Use all that reads on a registry where nothing can be written."""
    with closing(lineage.open(root)) as registry:
        ids = [entry.id for entry in walk(registry, registry.branches().values())]
        got = registry.get("HEAD", root.parent / "writable" / "got")
        texts = sorted(path.read_text() for path in got.rglob("*.txt"))
        states = [tracked.state for tracked in status(registry)]
        prefix = registry.resolve(ids[0][:8])
        return [ids, texts, states, prefix, len(verify(registry).problems)]


def write_something(root: Path) -> list[str]:
    """Try all that writes; what is said about it."""
    with closing(lineage.open(root)) as registry:
        return [
            refused(lambda: registry.commit("dataset", "d", root / "data")),
            refused(lambda: registry.commit("config", "c", params={"x": 1})),
            refused(lambda: registry.attest("review")),
        ]


READING = (
    *("log", "show HEAD", "verify", "branch", "status", "report HEAD"),
    "gc --dry-run",
)
WRITING = (
    "commit dataset data --name d",
    "commit config --name c --param x=1",
    "branch b",
    "tag t",
    "undo",
    "init",
)
MAKING = ("webhook add https://x.example/h", "loop init", "init new")
SETTING = ("config gc.grace 3d", "remote add origin elsewhere")


def read_by_command(root: Path) -> list[tuple[int, str, str]]:
    return [command(root, words) for words in READING]


def write_by_command(root: Path) -> list[tuple[int, str, str]]:
    return [command(root, words) for words in (*WRITING, *MAKING, *SETTING)]


def command(root: Path, words: str) -> tuple[int, str, str]:
    """Run the command line; its exit code and what it said."""
    run = [sys.executable, "-m", "lineage", *words.split()]
    done = subprocess.run(run, cwd=root, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def write_on_a_full_disk(folder: Path) -> list[tuple[int, str, str]]:
    """Write by command with no room left, and then with enough."""
    with closing(lineage.init(folder / "repo")) as registry:
        registry.commit("config", "c", params={"x": 0})
        (registry.root / "data").write_bytes(os.urandom(9_000))
        before = registry.events_log.tip(), registry.branches()
        with only(0, folder):
            every = (*WRITING[:-1], *MAKING)
            said = [command(registry.root, words) for words in every]
        assert not list(registry.home.glob("hooks/*.json"))
        assert not list(registry.root.glob("*.yaml"))
        assert [command(registry.root, words)[0] for words in MAKING] == [0] * 3
        assert before == (registry.events_log.tip(), registry.branches())
        assert registry.tags() == {}
        assert command(registry.root, WRITING[0])[0] == 0
        assert verify(registry).problems == []
        return said


def send_to_a_full_disk(folder: Path) -> list[list[Any]]:
    """Send a file, commit it and taint that with ever more room: what is answered."""
    from fastapi.testclient import TestClient

    from lineage.server.app import create_app
    from lineage.server.tokens import Tokens

    with closing(lineage.init(folder / "repo")) as registry:
        first = registry.commit("config", "c", params={"x": 0})
        secret, _ = Tokens(registry.home).create("CI", "ci@example.com", ["admin"])
        told = {"Authorization": f"Bearer {secret}"}
        app = create_app(registry.root)
        with TestClient(app, headers=told, base_url="http://127.0.0.1") as client:
            said = []
            for room in (0, 5_000, 9_000, 14_000, 15_000, 26_000, 56_000, 400_000):
                for n, ask in enumerate(requests(client, first.id)):
                    before = registry.events_log.tip(), registry.branches()
                    with only(room, folder):
                        status, title = ask()
                    said.append([room, n, status, title])
                    if status != 201:
                        now = registry.events_log.tip(), registry.branches()
                        assert before == now
                        again = ask()
                        assert again[0] in (201, 204), (room, n, status, title, again)
                    left = [*registry.git.common.glob("objects/tmp_*")]
                    assert left == [], (room, n, status)
        assert verify(registry).problems == []
        return said


def requests(client: Any, id_: str) -> list[Callable[[], tuple[int, str]]]:
    """A file, its commit, both with names, and a taint: each may be asked for again."""
    data = os.urandom(9_000)
    address = sha256(data).hexdigest()
    file = {"path": "a", "sha256": address}
    new = {"kind": "dataset", "name": "d", "payload": {"files": [file]}}
    named = {"Idempotency-Key": address}
    bad = {"subject": id_, "reason": address}

    def told(answer: Any) -> tuple[int, str]:
        title = answer.json().get("title", "") if answer.content else ""
        return answer.status_code, title

    return [
        lambda: told(client.put(f"/api/v1/files/{address}", content=data)),
        lambda: told(client.post("/api/v1/commits", json=new, headers=named)),
        lambda: told(client.post("/api/v1/taints", json=bad)),
    ]


def is_one_sentence(said: tuple[int, str, str]) -> bool:
    """Whether a command failed as it should: nothing to read but what is wrong."""
    code, out, err = said
    first, *more = err.splitlines()
    hints = all(line.startswith("hint: ") for line in more)
    return code == 1 and out == "" and first.startswith("error: ") and hints


def commit_unreadable(root: Path) -> list[str]:
    with closing(lineage.open(root)) as registry:
        paths = sorted((root.parent / "unreadable").iterdir())
        return [refused(partial(registry.commit, "dataset", "d", p)) for p in paths]


def fill(folder: Path) -> list[int]:
    """Commit with ever more room left, until it works; rooms where it did not."""
    with closing(lineage.init(folder / "repo")) as registry:
        failed = []
        path = folder / "data"
        for room in range(0, 200_000, 2_048):
            path.write_bytes(os.urandom(9_000))
            before = registry.events_log.tip(), registry.branches()
            try:
                with only(room, folder):
                    registry.commit("dataset", "data", path)
            except StoreError:
                failed.append(room)
                assert before == (registry.events_log.tip(), registry.branches())
            registry.commit("dataset", "data", path)
            assert list(registry.git.common.glob("objects/tmp_*")) == []
        assert verify(registry).problems == []
        fsck = ["git", "fsck", "--strict", "--no-dangling"]
        subprocess.run(fsck, cwd=registry.root, check=True)
        return failed


@contextmanager
def only(room: int, folder: Path) -> Iterator[None]:
    """Leave `room` bytes on the disk of `folder`, or per file where it is no tmpfs."""
    if not os.path.ismount(folder):
        with no_file_above(room // 15):
            yield
        return
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    (folder / "filler").write_bytes(bytes(max(free - room, 0)))
    try:
        yield
    finally:
        (folder / "filler").unlink()


@contextmanager
def no_file_above(size: int) -> Iterator[None]:
    """Let no write make a file larger than `size` bytes: a quota that all may set."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def refused(work: Callable[[], Any]) -> str:
    with pytest.raises(LineageError) as caught:
        work()
    return str(caught.value)


# full disks


def test_a_full_disk_is_one_sentence_and_no_change(tmp_path: Path) -> None:
    """Whatever does not fit any more, nothing is recorded, and later everything is."""
    failed = on_a_small_disk(fill, tmp_path)

    assert failed[0] == 0
    assert 5 < len(failed) < 98


def on_a_small_disk(work: Callable[[Path], Any], folder: Path) -> Any:
    """Do `work` with 8 MB mounted at `folder`, where we may mount."""
    mount = 'mount -t tmpfs -o size=8m none "$0" && exec "$@"'
    here = ["sh", "-c", mount, str(folder)]
    run = [sys.executable, "-P", __file__, work.__name__, str(folder)]
    for prefix in (["unshare", "-rm", *here], ["unshare", "-m", *here], []):
        done = subprocess.run([*prefix, *run], stdout=subprocess.PIPE, check=False)
        if done.returncode == 0:
            break
    return json.loads(done.stdout)


def test_commands_on_a_full_disk_fail_in_one_sentence(tmp_path: Path) -> None:
    """Exit code 1, what failed, and nothing else; the registry stays as it was."""
    said = on_a_small_disk(write_on_a_full_disk, tmp_path)

    assert [words for words in said if not is_one_sentence(words)] == []


def test_a_server_on_a_full_disk_says_so(tmp_path: Path) -> None:
    """507 whatever did not fit, nothing of it is there, and asked again it is done."""
    said = on_a_small_disk(send_to_a_full_disk, tmp_path)

    assert {status for _, _, status, _ in said} == {201, 507}, said
    assert {n for _, n, status, _ in said if status == 507} == {0, 1, 2}


@pytest.mark.parametrize("size", [0, 40, 41, 60, 100, 200, 300, 500, 1_000, 5_000])
def test_a_quota_is_one_sentence_and_no_change(
    size: int, repo: Registry, sound: Sound
) -> None:
    """A file that may not grow, in git or in the cache, stops the commit cleanly."""
    (repo.root / "data").write_bytes(os.urandom(9_000))
    tip = repo.events_log.tip()
    with no_file_above(size):
        words = refused(lambda: repo.commit("dataset", "data", "data"))

    assert "File too large" in words or "git update-ref failed" in words
    assert repo.events_log.tip() == tip
    assert repo.branches() == {}
    repo.commit("dataset", "data", "data")
    sound(repo)


def test_get_on_a_full_disk_keeps_what_was_there(
    repo: Registry, tmp_path: Path
) -> None:
    """A `get --force` that does not fit leaves the old folder as it was."""
    (repo.root / "data").write_bytes(os.urandom(9_000))
    repo.commit("dataset", "data", "data")
    (tmp_path / "old").write_text("old", encoding="utf-8")
    with no_file_above(5_000):
        words = refused(lambda: repo.get("HEAD", tmp_path / "old", force=True))

    assert "File too large" in words
    assert (tmp_path / "old").read_text(encoding="utf-8") == "old"
    assert {path.name for path in tmp_path.iterdir()} == {"old", "repo"}


# modes


@pytest.fixture
def read_only(repo: Registry, tmp_path: Path) -> Iterator[Registry]:
    """Give a registry with a commit, where nobody may write anything."""
    (repo.root / "data").mkdir()
    (repo.root / "data" / "a.txt").write_text("a", encoding="utf-8")
    repo.commit("dataset", "data", "data")
    (tmp_path / "writable").mkdir()
    places = [repo.root, *repo.root.rglob("*")]
    modes = {path: path.stat().st_mode for path in places}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)
    yield repo
    for path, mode in modes.items():
        if path.exists():
            path.chmod(mode)


def test_a_read_only_registry_can_be_read(read_only: Registry) -> None:
    """Log, resolve, get, status and verify need no write access."""
    ids = list(read_only.branches().values())

    expected = [ids, ["a"], ["clean"], ids[0], 0]
    assert as_anybody(read_everything, read_only.root) == expected


def test_a_read_only_registry_without_derived_files_can_be_read(
    read_only: Registry,
) -> None:
    """A reader makes in memory what it may not write down."""
    read_only.home.chmod(0o755)
    for path in read_only.home.iterdir():
        if path.name != "HEAD":
            path.unlink()
    read_only.home.chmod(0o555)

    ids = list(read_only.branches().values())
    expected = [ids, ["a"], ["clean"], ids[0], 0]
    assert as_anybody(read_everything, read_only.root) == expected


def test_a_read_only_registry_says_so_to_writers(read_only: Registry) -> None:
    """Each refusal names what may not be written."""
    tip = read_only.events_log.tip()
    said = as_anybody(write_something, read_only.root)

    assert all("Permission denied" in words for words in said)
    assert read_only.events_log.tip() == tip


def test_a_read_only_mount_can_be_read(read_only: Registry) -> None:
    """By our own code and by every command that reads."""
    ids = list(read_only.branches().values())
    place = read_only.root

    expected = [ids, ["a"], ["clean"], ids[0], 0]
    assert where_nothing_can_be_written(read_everything, place) == expected
    said = where_nothing_can_be_written(read_by_command, place)
    assert [code for code, _, _ in said] == [0] * len(READING)


def test_commands_on_a_read_only_mount_fail_in_one_sentence(
    read_only: Registry,
) -> None:
    """Exit code 1 and what may not be written; the registry stays as it was."""
    before = read_only.git.run("for-each-ref")
    said = where_nothing_can_be_written(write_by_command, read_only.root)

    assert [words for words in said if not is_one_sentence(words)] == []
    assert all("Read-only" in err or "denied" in err for _, _, err in said)
    assert read_only.git.run("for-each-ref") == before


def test_what_cannot_be_read_is_named(repo: Registry, tmp_path: Path) -> None:
    """A file and a folder without read permission are told apart from missing ones."""
    (tmp_path / "unreadable" / "folder" / "inner").mkdir(parents=True)
    (tmp_path / "unreadable" / "file").touch(mode=0)
    (tmp_path / "unreadable" / "folder" / "inner").chmod(0)
    said = as_anybody(commit_unreadable, repo.root)
    (tmp_path / "unreadable" / "folder" / "inner").chmod(0o755)

    assert said == [
        f"{tmp_path}/unreadable/file cannot be read: Permission denied",
        f"{tmp_path}/unreadable/folder/inner cannot be read: Permission denied",
    ]
    assert repo.branches() == {}


def test_a_private_umask_changes_nothing(tmp_path: Path, sound: Sound) -> None:
    """Under umask 077 all works, and what is private stays so."""
    before = os.umask(0o077)
    try:
        with closing(lineage.init(tmp_path / "repo")) as registry:
            (tmp_path / "run.sh").write_text("true", encoding="utf-8")
            (tmp_path / "run.sh").chmod(0o755)
            registry.commit("dataset", "data", tmp_path / "run.sh")
            got = registry.get("HEAD", tmp_path / "got")
            sound(registry)
            assert stat.S_IMODE(got.stat().st_mode) == 0o700
            assert stat.S_IMODE(registry.home.stat().st_mode) == 0o700
    finally:
        os.umask(before)


# time and place


def test_a_clock_that_goes_back_changes_no_order(repo: Registry, sound: Sound) -> None:
    """Events of a clock that was ahead stay before those that came later."""
    first = repo.commit("config", "c", params={"x": 1})
    ahead = Event("note", "2093-01-01T00:00:00.000000Z", repo.actor())
    with repo.events_log.locked() as lock:
        repo.record(ahead, lock=lock)
    second = repo.commit("config", "c", params={"x": 2})

    assert [event.type for _, event in repo.events()][:2] == ["commit", "note"]
    assert [entry.id for entry in walk(repo, [second.id])] == [second.id, first.id]
    (repo.home / "ids").unlink()
    with closing(lineage.open(repo.root)) as again:
        assert [entry.id for entry in walk(again, [second.id])] == [second.id, first.id]
    sound(repo)


def test_a_lock_file_from_the_future_is_no_lock(repo: Registry) -> None:
    """What a killed git left is swept, whatever time the file claims to be from."""
    ref = "refs/lineage/heads/config%2Fc"
    stale = repo.git.common / f"{ref}.lock"
    stale.parent.mkdir(parents=True, exist_ok=True)
    stale.touch()
    os.utime(stale, (4e9, 4e9))
    (repo.home / "moving").write_text(f"{ref}\n")
    repo.commit("config", "c", params={"x": 1})

    assert not stale.exists()
    assert now() < "2093"


PLACES = ["with space", "ünï-ço∂é", "a\u2028b", "q'\"%41$x;", "a\nb", "語" * 80]


@pytest.mark.parametrize("place", PLACES)
def test_a_registry_lives_anywhere(place: str, tmp_path: Path, sound: Sound) -> None:
    """Spaces, quotes and any script in the path change nothing."""
    with closing(lineage.init(tmp_path / place)) as registry:
        (registry.root / place).mkdir()
        (registry.root / place / place).write_text("text", encoding="utf-8")
        made = registry.commit("dataset", "data", registry.root / place)
        got = registry.get("HEAD", tmp_path / "got" / place)

        assert [entry.path for entry in registry.files(made.id)] == [place]
        assert (got / place).read_text(encoding="utf-8") == "text"
        sound(registry)


if __name__ == "__main__":
    word, *rest = sys.argv[1:]
    if word == "drop":
        drop_and_start(*rest)
    works = (
        *(read_everything, write_something, commit_unreadable, fill),
        *(read_by_command, write_by_command, write_on_a_full_disk),
        send_to_a_full_disk,
    )
    [chosen] = [work for work in works if work.__name__ == word]
    print(json.dumps(chosen(Path(rest[0]))))  # noqa: T201
