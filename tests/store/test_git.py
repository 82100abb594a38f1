"""Objects as git lays them out, refs by compare-and-swap, one reading process."""

from __future__ import annotations

import os
import stat
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.errors import Conflict, StoreError
from lineage.store.disk import locked
from lineage.store.git import GitRepository
from lineage.store.git_objects import GitObject, TreeEntry, parse_tree, tree
from lineage.store.git_reader import Reader
from lineage.store.threads import Mutex
from lineage.store.transport import _failure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lineage.registry import Registry

NAMES = st.text(
    st.characters(blacklist_categories=["Cs"], blacklist_characters="/\0"), min_size=1
).filter(lambda name: name not in {".", ".."} and name.lower() != ".git")
MODES = st.sampled_from(["100644", "40000", "160000"])
OIDS = st.binary(min_size=20, max_size=20).map(bytes.hex)
TREES = st.dictionaries(NAMES, st.builds(TreeEntry, MODES, OIDS), max_size=8)


def git(root: Path, *args: str, data: bytes = b"") -> str:
    done = subprocess.run(
        ["git", "-C", root, *args], input=data, capture_output=True, check=True
    )
    return done.stdout.decode().strip()


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[GitRepository]:
    with closing(GitRepository.create(tmp_path)) as made:
        yield made


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[int]:
    with locked(tmp_path / "lock") as descriptor:
        yield descriptor


def blobs(*texts: str) -> list[GitObject]:
    return [GitObject("blob", text.encode()) for text in texts]


@given(content=TREES)
def test_a_tree_read_back_is_the_tree(content: dict[str, TreeEntry]) -> None:
    """`parse_tree` undoes `tree`, whatever the names."""
    assert parse_tree(tree(content).data) == content


def test_oids_and_order_are_gits(repository: GitRepository) -> None:
    """`git mktree` makes the same tree: `a.b`, `a/`, `a0` in git's odd order."""
    [blob] = blobs("x")
    folder = tree({"f": TreeEntry("100644", blob.oid)})
    content = {name: TreeEntry("100644", blob.oid) for name in ("a.b", "a0", "ä", "b")}
    content["a"] = TreeEntry("40000", folder.oid)
    made = tree(content)
    repository.write([blob, folder, made])
    lines = git(repository.root, "ls-tree", made.oid)

    assert git(repository.root, "mktree", data=f"{lines}\n".encode()) == made.oid
    assert [line.split("\t")[1] for line in lines.splitlines()][:3] == [
        "a.b",
        "a",
        "a0",
    ]
    assert git(repository.root, "cat-file", "-p", blob.oid) == "x"


def test_objects_are_written_once_and_read_only(repository: GitRepository) -> None:
    """Writing again makes them new, as git does, and changes nothing else."""
    [blob] = blobs("x")
    repository.write([blob, blob])
    path = repository.common / "objects" / blob.oid[:2] / blob.oid[2:]
    os.utime(path, (1e9, 1e9))
    before = path.stat()
    repository.write([blob])

    assert os.path.samestat(path.stat(), before)
    assert path.stat().st_mtime > before.st_mtime
    assert stat.S_IMODE(before.st_mode) == 0o444
    assert not list((repository.common / "objects").glob("tmp_*"))


def test_an_old_object_that_is_written_again_is_not_pruned(
    repository: GitRepository,
) -> None:
    """`git prune` takes what is old and unnamed, but not what somebody just wrote."""
    one, two = blobs("1", "2")
    repository.write([one, two])
    for oid in (one.oid, two.oid):
        path = repository.common / "objects" / oid[:2] / oid[2:]
        os.utime(path, (1e9, 1e9))
    repository.write([one])
    git(repository.root, "prune", "--expire=1.hour.ago")

    assert repository.blob(one.oid) == b"1"
    assert repository.blob(two.oid) is None


def test_a_failed_write_leaves_no_copies(repository: GitRepository) -> None:
    """When the second object cannot be written, the first one's copy goes too."""
    first, second = blobs("1", "2")
    (repository.common / "objects" / second.oid[:2]).touch()
    with pytest.raises(OSError, match="exists"):
        repository.write([first, second])

    assert not list((repository.common / "objects").glob("tmp_*"))


def test_reading_finds_what_is_there(repository: GitRepository) -> None:
    """Missing names and odd ones are None, in their place among the others."""
    one, two = blobs("1", "2\n")
    repository.write([one, two])
    asked = [one.oid, "refs/none", "", "a b 3", f"{one.oid}:x", two.oid]

    assert list(repository.read_many(asked)) == [
        (one.oid, one), None, None, None, None, (two.oid, two)
    ]  # fmt: skip


def test_objects_written_later_are_seen(repository: GitRepository) -> None:
    """The reading process sees new loose objects, and packs made behind its back."""
    [one, two] = blobs("1", "2")
    repository.write([one])
    assert repository.blob(one.oid) == b"1"
    repository.write([two])
    git(repository.root, "update-ref", "refs/tags/two", two.oid)
    git(repository.root, "gc", "--quiet", "--prune=now")

    assert repository.blob(two.oid) == b"2"
    assert repository.blob("refs/tags/two") == b"2"


def test_a_reading_may_be_left_and_nested(repository: GitRepository) -> None:
    """An answer is never taken for that of another question."""
    many = blobs(*map(str, range(150)))
    repository.write(many)
    oids = [item.oid for item in many]
    for oid, found in zip(oids, repository.read_many(oids), strict=False):
        assert found == (oid, GitObject("blob", repository.blob(oid) or b""))
    next(repository.read_many(oids))

    assert repository.blob(oids[7]) == b"7"


def test_a_reader_that_died_is_replaced(repository: GitRepository) -> None:
    """Between two questions the process may be killed; the next one starts another."""
    [blob] = blobs("x")
    repository.write([blob])
    assert repository.blob(blob.oid) == b"x"
    process = repository._reader._process
    assert process is not None
    process.kill()
    process.wait()

    assert repository.blob(blob.oid) == b"x"


def test_a_reader_that_is_killed_as_it_is_asked_is_asked_again(
    repository: GitRepository,
) -> None:
    """One that is killed says nothing of what is there; who kills all is named."""
    [blob] = blobs("x")
    repository.write([blob])
    real, pipe = repository._start_reader, subprocess.PIPE
    deaths = 2

    def start() -> subprocess.Popen[bytes]:
        nonlocal deaths
        deaths -= 1
        suicide = ["sh", "-c", "read name; kill -9 $$"]
        return (
            real() if deaths < 0 else subprocess.Popen(suicide, stdin=pipe, stdout=pipe)
        )

    with closing(Reader(start, Mutex())) as reader:
        assert reader.ask([blob.oid]) == [(blob.oid, blob)]
        reader.close()
        deaths = 1000
        with pytest.raises(StoreError, match="killed again and again"):
            reader.ask([blob.oid, blob.oid])


def test_what_a_killed_git_left_is_swept_when_it_is_old(
    repository: GitRepository,
) -> None:
    """Half packs and objects of yesterday go; those that git writes now stay."""
    objects = repository.root / ".git" / "objects"
    old = [objects / "pack" / "tmp_pack_a", objects / "ab" / "tmp_obj_b"]
    new = objects / "pack" / "tmp_pack_c"
    for path in (*old, new):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    for path in old:
        os.utime(path, (1, 1))
    repository.maintain()

    assert [path.exists() for path in (*old, new)] == [False, False, True]


def test_a_full_disk_is_no_wrong_address() -> None:
    """What git says of a transfer decides what is advised."""
    assert _failure("fetch", ["fatal: No space left on device"]).hint == (
        "make room, then run the command again"
    )
    assert "address" in _failure("fetch", ["fatal: no such host"]).hint


def test_an_interrupted_reading_does_not_spoil_the_next(
    repository: GitRepository,
) -> None:
    """After Ctrl-C in the middle of a batch the answers belong to the questions."""
    one, two = blobs("1", "2")
    repository.write([one, two])

    def interrupted() -> Iterator[str]:
        yield one.oid
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(repository.read_many(interrupted()))
    assert repository.blob(two.oid) == b"2"


def test_refs_move_only_from_what_they_were(
    repository: GitRepository, lock: int
) -> None:
    """A wrong `before` is a Conflict, and neither that step nor a later one happens."""
    one, two = blobs("1", "2")
    repository.write([one, two])
    a, b, c = "refs/lineage/a", "refs/lineage/b", "refs/lineage/c"
    repository.update_refs({a: ("", one.oid)}, {b: (None, one.oid)}, lock=lock)
    for before in ("", two.oid):
        with pytest.raises(Conflict):
            repository.update_refs(
                {a: (before, two.oid)}, {c: (None, two.oid)}, lock=lock
            )

    assert [repository.ref(name) for name in (a, b, c)] == [one.oid, one.oid, None]
    repository.update_refs({a: (one.oid, two.oid), b: (None, None)}, lock=lock)
    assert [repository.ref(name) for name in (a, b, c)] == [two.oid, None, None]


def test_a_packed_ref_is_found(repository: GitRepository, lock: int) -> None:
    """`git pack-refs` hides nothing, not even twice within a second."""
    one, two = blobs("1", "2")
    repository.write([one, two])
    for oid in (one.oid, two.oid, one.oid):
        repository.update_refs({"refs/lineage/a": (None, oid)}, lock=lock)
        git(repository.root, "pack-refs", "--all")
        assert repository.ref("refs/lineage/a") == oid


def test_git_failing_is_one_sentence(repository: GitRepository) -> None:
    """What git said is in the error."""
    with pytest.raises(StoreError, match=r"^git cat-file failed: fatal: .*nothing"):
        repository.run("cat-file", "-t", "nothing")


def deleting(repository: GitRepository, ref: str, lock: int) -> str:
    with pytest.raises(StoreError) as caught:
        repository.update_refs({ref: (None, None)}, lock=lock)
    assert "if no git is running, remove that file" in caught.value.hint
    return str(caught.value)


@pytest.mark.parametrize("name", ["packed-refs.lock", "refs/lineage/a.lock"])
def test_the_lock_of_another_git_is_respected(
    name: str, repository: GitRepository, lock: int
) -> None:
    """It stays, however often we fail at it; we say which file is in the way."""
    [blob] = blobs("1")
    repository.write([blob])
    repository.update_refs({"refs/lineage/a": ("", blob.oid)}, lock=lock)
    held = repository.common / name
    with held.open("x") as file:
        repository.sweep()
        for _ in range(2):
            said = deleting(repository, "refs/lineage/a", lock)
            assert said == f"another git process holds {held}"
        repository.update_refs({"refs/lineage/b": ("", blob.oid)}, lock=lock)
        assert os.path.samefile(held, file.fileno())  # noqa: PTH121 - no path
    held.unlink()
    repository.update_refs({"refs/lineage/a": (blob.oid, None)}, lock=lock)

    assert repository.ref("refs/lineage/a") is None
    assert not any((repository.common / "lineage").iterdir())


def test_the_locks_of_our_own_killed_git_are_swept(
    repository: GitRepository, lock: int
) -> None:
    """Those that it had said it would take, and not the one beside them."""
    [blob] = blobs("1")
    repository.write([blob])
    refs = ["refs/lineage/a", "refs/lineage/b", "refs/lineage/c"]
    repository.update_refs(dict.fromkeys(refs, ("", blob.oid)), lock=lock)
    (repository.common / "lineage" / "moving").write_text(f"packed-refs\n{refs[0]}\n")
    stale = [
        *(f"{ref}.lock" for ref in refs[:2]),
        "packed-refs.lock",
        "packed-refs.new",
    ]
    for name in stale:
        (repository.common / name).touch()
    repository.update_refs(
        {refs[0]: (blob.oid, None), refs[2]: (None, None)}, lock=lock
    )

    left = [name for name in stale if (repository.common / name).exists()]
    assert left == ["refs/lineage/b.lock"]
    assert [repository.ref(ref) for ref in refs] == [None, blob.oid, None]


def test_what_a_killed_writer_left_is_swept_by_the_next(repo: Registry) -> None:
    """Copies on their way that nobody finishes are gone after any write."""
    left = repo.git.common / "objects" / "tmp_obj_lineage_0123"
    left.write_bytes(b"half")
    repo.git.write([GitObject("blob", b"something new")])

    assert not left.exists()
