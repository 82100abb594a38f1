"""gc and erase of what is packed: what has to go leaves no byte, the rest is whole."""

from __future__ import annotations

import hashlib
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

import lineage
from lineage.erase import erase, plan_erasure
from lineage.errors import StoreError, VerificationError
from lineage.gc import gc, restore
from lineage.names_ops import delete_branch
from lineage.store.packed.packs import Pack
from lineage.verify import verify
from tests import packs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage import Registry

NOW = timedelta()
COUNT = 8 * packs.BLOCK // 4


def weights(seed: int, like: bytes | None = None) -> bytes:
    """Make floats, or some that are much `like` others."""
    rng = np.random.default_rng(seed)
    if like is None:
        return rng.standard_normal(COUNT).astype("f4").tobytes()
    bits = np.frombuffer(like, np.uint32)
    return (bits ^ rng.integers(0, 1 << 16, bits.size, dtype=np.uint32)).tobytes()


class Made:
    """Commits of one file each, by the name of their branch, and what they have."""

    def __init__(self, repo: Registry) -> None:
        self.repo = repo
        self.data: dict[str, bytes] = {}
        self.ids: dict[str, str] = {}

    def commit(self, name: str, data: bytes) -> str:
        path = self.repo.root / "weights"
        path.write_bytes(data)
        self.data[name] = data
        self.ids[name] = self.repo.commit("model", name, path).id
        return self.ids[name]

    def oid(self, name: str) -> str:
        return self.repo.files(self.ids[name])[0].md5

    def pack(self, *names: str) -> str:
        return packs.pack(self.repo.payloads, map(self.oid, names))

    def drop(self, *names: str) -> None:
        for name in names:
            delete_branch(self.repo, f"model/{name}")

    def is_back(self, name: str, place: Path) -> bool:
        got = self.repo.get(self.ids[name], place / name, force=True)
        return got.read_bytes() == self.data[name]


@pytest.fixture
def made(repo: Registry) -> Made:
    """A model, another one that came from it, and one by itself, in two packs."""
    made = Made(repo)
    first = weights(1)
    made.commit("first", first)
    made.commit("second", weights(2, first))
    made.commit("other", weights(3))
    made.pack("first", "second")
    made.pack("other")
    return made


def names(repo: Registry) -> list[str]:
    return sorted(path.name for path in repo.payloads.packs.folder.glob("*"))


def test_packs_that_nobody_needs_go_whole_and_come_back(
    made: Made, tmp_path: Path
) -> None:
    """The pack lies in the trash, with what it took; `--restore` brings it back."""
    repo, before = made.repo, names(made.repo)
    made.drop("other")
    [row] = gc(repo, grace=NOW, dry_run=True).rows
    assert (names(repo), row.id) == (before, made.ids["other"])
    found = gc(repo, grace=NOW)
    assert (found.rows, found.left_packed) == ([row], 0)
    [gone] = set(before) - set(names(repo))
    [path] = repo.payloads.cache.glob(f"lineage/trash/*/*/{gone}")
    assert len(made.data["other"]) * 0.8 < row.size < path.stat().st_size
    with pytest.raises(StoreError, match="were freed by gc"):
        repo.get(made.ids["other"], tmp_path / "got")
    assert verify(repo).problems == []

    assert restore(repo) == 1
    assert names(repo) == before
    assert made.is_back("other", tmp_path)
    made.drop("first", "second")
    gc(repo, grace=NOW, empty_trash=True)
    assert names(repo) == []
    assert list(repo.payloads.cache.glob("lineage/trash/*/*")) == []


def test_a_pack_that_rots_in_the_trash_stays_there(made: Made, tmp_path: Path) -> None:
    """It does not take the place of the one that was made of it."""
    made.drop("second")
    gc(made.repo, grace=NOW)
    [path] = made.repo.payloads.cache.glob("lineage/trash/*/*/*.pack")
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    assert restore(made.repo) == 0
    assert path.exists()
    assert made.is_back("first", tmp_path)


def test_what_is_built_on_stays(made: Made, tmp_path: Path) -> None:
    """A parent that only its packed child needs is left, and said to be."""
    made.drop("first")
    found = gc(made.repo, grace=NOW)
    assert (found.rows, found.left_packed) == ([], 1)
    assert made.is_back("first", tmp_path)
    made.drop("second")
    assert gc(made.repo, grace=NOW).objects == 2


def test_a_pack_is_written_anew_without_what_goes(made: Made, tmp_path: Path) -> None:
    """The rest stays readable, the old pack is in the trash, and may come back."""
    before = names(made.repo)
    made.drop("second")
    [row] = gc(made.repo, grace=NOW).rows
    size = sum(pack.size for pack in made.repo.payloads.packs)
    assert row.id == made.ids["second"]
    assert made.is_back("first", tmp_path)
    assert len(set(names(made.repo)) - set(before)) == 1
    assert restore(made.repo) == 1
    assert names(made.repo) == before
    assert made.is_back("second", tmp_path)
    assert size < sum(pack.size for pack in made.repo.payloads.packs)


def test_little_is_left_where_it_is(made: Made) -> None:
    """A pack is not written anew for a small part of it."""
    made.commit("small", b"small" * 100)
    made.commit("large", weights(4))
    made.pack("small", "large")
    made.drop("small")
    found = gc(made.repo, grace=NOW)
    assert (found.rows, found.left_packed) == ([], 1)


def blocks(repo: Registry) -> set[bytes]:
    """The ids of all blocks in all packs, those in the trash, too."""
    paths = repo.payloads.cache.glob("lineage/**/*.pack")
    return {block.id for path in paths for block in Pack(path).tables.all_blocks()}


def kept(repo: Registry, data: bytes) -> list[str]:
    """Where bytes are, as they are or as a block of a pack."""
    ids = {
        hashlib.sha256(data[at : at + packs.BLOCK]).digest()
        for at in range(0, len(data), packs.BLOCK)
    }
    plain = [
        str(path)
        for path in repo.payloads.cache.rglob("*")
        if path.is_file() and data[:64] in path.read_bytes()
    ]
    return plain + [id_.hex() for id_ in blocks(repo) & ids]


def _erased(made: Made, name: str) -> None:
    plan = plan_erasure(made.repo, made.ids[name])
    erase(made.repo, plan, reason="asked for", authority="court")


def test_erased_bytes_leave_the_packs(
    made: Made, tmp_path: Path, sound: Callable[..., None]
) -> None:
    """No file and no block has them, in use or in the trash; the child is whole."""
    repo = made.repo
    made.drop("other")
    gc(repo, grace=NOW)
    made.commit("again", made.data["first"])
    plan = plan_erasure(repo, made.ids["first"], together=True)
    assert kept(repo, made.data["first"])
    repo.payloads.path(made.oid("first"))

    erase(repo, plan, reason="asked for", authority="court")

    assert kept(repo, made.data["first"]) == []
    assert made.is_back("second", tmp_path)
    assert not repo.payloads.is_packed(made.oid("second"))
    with pytest.raises(StoreError, match="was erased on"):
        repo.get(made.ids["first"], tmp_path / "got")
    assert verify(repo).problems == []
    repo.payloads.close()
    sound(repo)
    assert restore(repo) == 1
    assert made.is_back("other", tmp_path)


def test_what_is_erased_leaves_the_trash(made: Made) -> None:
    """A pack in the trash that has erased bytes is gone for good."""
    made.drop("second")
    gc(made.repo, grace=NOW)
    _erased(made, "first")
    assert kept(made.repo, made.data["first"]) == []
    assert kept(made.repo, made.data["second"]) == []
    assert verify(made.repo).problems == []


def test_a_damaged_pack_stops_an_erasure_that_is_made_good(made: Made) -> None:
    """Who erases from a pack that cannot be read is told; nothing of others is lost."""
    found = made.repo.payloads.packs.find(made.oid("first"))
    assert found
    path = found[0].path
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)
    with closing(lineage.open(made.repo.root)) as made.repo:
        with pytest.raises(VerificationError, match=r"is damaged|its SHA-256"):
            _erased(made, "first")
        assert path.exists()
