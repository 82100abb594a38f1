"""Bundles: what is in them, the same bytes every time, whole or not at all."""

from __future__ import annotations

import hashlib
import os
import subprocess
from typing import TYPE_CHECKING
from zipfile import ZIP_STORED, ZipFile

import pytest

from lineage import bundle
from lineage.audit.report import report
from lineage.errors import NotAllowed, StoreError, UsageError
from lineage.store.disk import locked
from lineage.store.objects import Edge

if TYPE_CHECKING:
    from pathlib import Path

    from lineage.registry import Registry
    from tests.lineage.bundle.conftest import House


@pytest.fixture
def some(repo: Registry) -> Registry:
    """Fill a registry with a folder, a model, a name that is gone and a reference."""
    (repo.root / "chats").mkdir()
    for number in range(3):
        (repo.root / "chats" / f"{number}.txt").write_text(f"talk {number}\n")
    data = repo.commit("dataset", "chats", repo.root / "chats", metrics={"rows": 3})
    elsewhere = repo.commit("dataset", "big", repo.root / "chats", reference=True)
    edges = [Edge("trained_on", data.id), Edge("trained_on", elsewhere.id)]
    repo.commit("config", "gone", params={"seed": 1e-7})
    repo.commit("model", "tutor", edges=edges, params={"rate": 1e20})
    return repo


def _written(registry: Registry, path: Path, payloads: str = "none") -> Path:
    bundle.export(registry, report(registry, "model/tutor"), path, payloads=payloads)
    return path


@pytest.mark.parametrize("payloads", bundle.LEVELS)
def test_a_bag_that_sha256sum_reads(
    some: Registry, tmp_path: Path, payloads: str
) -> None:
    """Both lists are right and name every file; names are sorted, dates fixed."""
    path = _written(some, tmp_path / "it.zip", payloads)

    with ZipFile(path) as file:
        infos = file.infolist()
        file.extractall(tmp_path / "out")
    [top] = (tmp_path / "out").iterdir()
    listed = []
    for name in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
        subprocess.run(["sha256sum", "--quiet", "-c", name], cwd=top, check=True)
        listed += [line[66:] for line in (top / name).read_text().splitlines()]
    here = {str(p.relative_to(top)) for p in top.rglob("*") if p.is_file()}
    assert here == {*listed, "tagmanifest-sha256.txt"}
    assert {i.date_time for i in infos} == {(1980, 1, 1, 0, 0, 0)}
    assert not any(i.extra for i in infos)
    names = [i.filename for i in infos if "/data/" in i.filename]
    assert names == sorted(names)
    assert (top / "data" / "missing.txt").exists() == (payloads == "all")


def test_the_same_registry_gives_the_same_bytes(some: Registry, tmp_path: Path) -> None:
    """However git holds it: loose, packed, packed again with other deltas."""
    found = [_written(some, tmp_path / "1.zip", "all").read_bytes()]
    for command in (["gc", "-q"], ["repack", "-adfq", "--depth=2", "--window=2"]):
        subprocess.run(["git", "-C", str(some.root), *command], check=True)
        subprocess.run(
            ["git", "-C", str(some.root), "config", "pack.compression", "1"], check=True
        )
        found.append(_written(some, tmp_path / "2.zip", "all").read_bytes())

    assert found[0] == found[1] == found[2]


def test_payloads(some: Registry, tmp_path: Path) -> None:
    """All bytes by their SHA-256, stored as they are; what is not here has a reason."""
    path = _written(some, tmp_path / "it.zip", "all")

    with ZipFile(path) as file:
        held = [i for i in file.infolist() if "/data/payload/" in i.filename]
        assert {i.compress_type for i in held} == {ZIP_STORED}
        for info in held:
            digest = hashlib.sha256(file.read(info)).hexdigest()
            assert info.filename.endswith(f"/{digest}")
    assert len(held) == 3


def test_nothing_is_half_written(some: Registry, tmp_path: Path) -> None:
    """A missing object is one sentence, and the bundle from before stays as it was."""
    path = _written(some, tmp_path / "it.zip", "all")
    before = path.read_bytes()
    entry = some.files(some.resolve("dataset/chats"))[0]
    for place in some.payloads.cache.rglob(entry.md5[2:]):
        place.unlink()

    with pytest.raises(StoreError, match="the bytes of 0"):
        _written(some, path, "all")
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_a_key_that_signs_no_bundle_is_refused_first(
    house: House, tmp_path: Path
) -> None:
    """A runner's key and a dead one: before any file is read."""
    made = report(house.registry, "loop/tutor")
    for who, why in (("runner", "a runner's key"), ("bob", "was revoked")):
        with house.using(who), pytest.raises(NotAllowed, match=why):
            bundle.export(
                house.registry, made, tmp_path / "no" / "it.zip", payloads="all"
            )


def test_what_a_killed_one_left_is_used_up(some: Registry, tmp_path: Path) -> None:
    """However often writing is cut off, no more than one part lies about."""
    whole = _written(some, tmp_path / "a.zip").read_bytes()
    work = tmp_path / ".b.zip.new"
    work.write_bytes(b"x" * 1_000_000)

    assert _written(some, tmp_path / "b.zip").read_bytes() == whole
    assert not work.exists()


def test_two_do_not_write_one_bundle(some: Registry, tmp_path: Path) -> None:
    """The second says so and leaves the first alone."""
    work = tmp_path / ".b.zip.new"
    with locked(work), pytest.raises(StoreError, match="by another command"):
        _written(some, tmp_path / "b.zip")

    assert work.exists()


@pytest.mark.parametrize("through_a_link", [False, True])
def test_a_pipe_is_not_replaced(
    some: Registry, tmp_path: Path, *, through_a_link: bool
) -> None:
    """What is no file stays what it was: a bundle in the place of a device is lost."""
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)

    with pytest.raises(UsageError, match="is a pipe or a device"):
        _written(some, link if through_a_link else pipe)

    assert pipe.is_fifo()
    assert sorted(path.name for path in tmp_path.glob("*pipe*")) == ["pipe"]
