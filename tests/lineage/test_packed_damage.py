"""verify and repair of packs: damage is named with what it costs, and healed."""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

import lineage
from lineage.repair import repair
from lineage.transfer import push_payloads
from lineage.verify import verify
from tests import packs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lineage.registry import Registry

FIRST = os.urandom(3 * packs.BLOCK)
SECOND = FIRST[: 2 * packs.BLOCK] + b"else" + FIRST[2 * packs.BLOCK :]


@pytest.fixture
def made(repo: Registry) -> list[str]:
    """Two commits whose files are in one pack and share blocks; the ids."""
    ids = []
    for name, data in (("first", FIRST), ("second", SECOND)):
        (repo.root / name).write_bytes(data)
        ids.append(repo.commit("model", name, name).id)
        (repo.root / name).unlink()
    oids = [repo.files(id_)[0].md5 for id_ in ids]
    packs.pack(repo.payloads, oids)
    return ids


@pytest.fixture
def fresh(repo: Registry, made: list[str]) -> Iterator[Registry]:
    """Open the registry anew: what was decoded before is forgotten."""
    del made
    with closing(lineage.open(repo.root)) as registry:
        yield registry


def flip(registry: Registry, offset: int) -> Path:
    """Turn one bit of the only pack; where it is."""
    [path] = registry.payloads.packs.folder.iterdir()
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(data)
    return path


def test_packed_files_are_verified(fresh: Registry, sound: Callable[..., None]) -> None:
    """They are read, not taken for what lost a link; those of no commit are told of."""
    assert verify(fresh).notes == []
    (fresh.root / "nobody's").write_bytes(b"nobody's")
    _, [entry] = fresh.payloads.add(fresh.root / "nobody's")
    packs.pack(fresh.payloads, [entry.md5])
    found = verify(fresh)
    assert found.problems == []
    assert found.notes == ["packed files of no commit: 1 (see `lineage gc`)"]
    sound(fresh)


def test_a_damaged_pack_is_named_with_what_it_costs(
    fresh: Registry, made: list[str]
) -> None:
    """Both commits that share a damaged block are; a byte of nobody's costs none."""
    path = flip(fresh, 100)
    whole = path.stat().st_size
    found = {p.object: p for p in verify(fresh).problems}
    said = found[path.stem].what
    assert said.startswith(f"the pack {path.stem[:12]} is damaged: it does not have")
    costs = ", ".join(id_[:12] for id_ in sorted(made))
    assert said.endswith(f"SHA-256, which costs files of {costs}")
    assert {p.id for p in found.values() if p.id} == set(made)
    assert all("cannot be read: block" in p.what for p in found.values() if p.id)
    assert path.stat().st_size == whole


@pytest.mark.parametrize("offset", [100, -100, -1])
def test_repair_heals_from_the_remote(
    repo: Registry, made: list[str], tmp_path: Path, offset: int
) -> None:
    """Files come from the remote, and what the pack still gives is saved from it."""
    config = repo.root / ".dvc" / "config"
    url = f"    url = {tmp_path / 'remote'}\n"
    config.write_text(f"[core]\n    remote = r\n['remote \"r\"']\n{url}")
    push_payloads(repo, None, made[:1] if offset == 100 else made)
    with closing(lineage.open(repo.root)) as fresh:
        path = flip(fresh, offset)
    with closing(lineage.open(repo.root)) as fresh:
        found = verify(fresh)
        assert found.problems
        said = repair(fresh, found)
        left = verify(fresh).problems
    assert not path.exists()
    assert list(repo.payloads.cache.glob(f"lineage/trash/*/*/{path.name}"))
    if offset == 100:  # in a block of both, one of which no remote has
        assert [problem.id for problem in left] == [made[1]]
        assert f"first of {made[0][:12]}: from the DVC remote" in said
    else:
        assert left == []


def test_packs_of_a_name_that_was_lost(repo: Registry, made: list[str]) -> None:
    """It is said whose they seem to be, repair takes them over and leaves theirs."""
    old = repo.payloads.packs.folder
    (repo.home / "uuid").unlink()
    with closing(lineage.open(repo.root)) as registry:
        found = verify(registry)
        assert {p.what for p in found.problems} == {"is missing from the cache"}
        assert [note for note in found.notes if old.name in note]
        done = repair(registry, found)
        said = f": from packs of another name, {old.name}"
        assert done[0].removesuffix(said) in {
            f"first of {made[0][:12]}",
            f"second of {made[1][:12]}",
        }
        assert verify(registry).problems == []
        assert registry.payloads.packs.folder != old
        assert len(list(old.iterdir())) == 1
