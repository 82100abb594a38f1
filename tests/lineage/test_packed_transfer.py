"""Packs at a remote of one kind: the command line, other clones, lies and kills."""

from __future__ import annotations

import hashlib
import re
import shutil
import signal
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from inline_snapshot import snapshot

import lineage
from lineage.erase import erase, plan_erasure
from lineage.errors import VerificationError
from lineage.repair import repair
from lineage.store.packed.writer import Piece, Writer
from lineage.transfer import Moved, fetch_payloads, push_payloads
from lineage.verify import verify
from tests.drifting import BLOCK, models, pack
from tests.transfers import WORK

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage.registry import Registry
    from tests.conftest import Run

    Sound = Callable[[Registry], None]


@pytest.fixture
def ids(repo: Registry, tmp_path: Path) -> list[str]:
    """Commit three generations of a model, each packed against the one before it."""
    (repo.root / ".dvc" / "config").write_text(
        f"[core]\n    remote = r\n['remote \"r\"']\n    url = {tmp_path / 'there'}\n",
        encoding="utf-8",
    )
    ids = [
        repo.commit("model", path.stem, path, branch=path.stem).id
        for path in models(repo.root, 3)
    ]
    for before, id_ in zip([None, *ids], ids, strict=False):
        pack(repo, id_, base=before)
    return ids


def there(folder: Path) -> list[Path]:
    return sorted((folder / "there" / "lineage" / "packs").glob("*"))


def digests(registry: Registry, ids: list[str]) -> list[str]:
    """The SHA-256 of each commit's file, as its bytes are here."""
    return [registry.payloads.digests(registry.files(i)[0].md5)[1] for i in ids]


def pack_of(registry: Registry, id_: str) -> str:
    found = registry.payloads.packs.find(registry.files(id_)[0].md5)
    assert found
    return found[0].name


def lose(registry: Registry) -> None:
    shutil.rmtree(registry.payloads.cache)
    registry.__dict__.pop("payloads", None)


def test_a_remote_for_packs(
    repo: Registry, ids: list[str], run: Run, tmp_path: Path
) -> None:
    """It is said once; a clone brings packs, and one file of many without them."""
    hub = tmp_path / "hub.git"
    subprocess.run(["git", "init", "-q", "--bare", str(hub)], check=True)
    whole = digests(repo, ids)
    said = [
        run("remote", "add", "origin", hub, "--packed"),
        run("push"),
        run("push", "--all-payloads"),
        run("clone", hub, "all"),
        run("clone", hub, "one", "--only", ids[2]),
        run("push", "--all-payloads", "--whole", "--format", "json"),
    ]
    sent = sum(path.stat().st_size for path in there(tmp_path))
    assert all(result.exit_code == 0 for result in said)
    words = "".join(result.stderr for result in said).replace(str(tmp_path), "")
    assert re.sub(r"packs \(.*?\)", "packs (...)", words) == snapshot("""\
origin is /hub.git
origin: 4 events, 3 commits, 3 files (786 kB) in 3 packs (...)
origin is up to date
/repo/all: 4 events, 3 commits, verified
  3 files (786 kB) in 3 packs (...)
  they stay packed; lineage unpack makes them plain
/repo/one: 4 events, 3 commits, verified
  1 file (262 kB)
""")
    assert said[-1].json()["payloads"] == {
        "objects": 3,
        "bytes": 12 * BLOCK,
        "packs": 0,
        "pack_bytes": 0,
    }
    assert sent < 8 * BLOCK
    for name, here in (("all", ids), ("one", ids[2:])):
        with closing(lineage.open(repo.root / name)) as cloned:
            assert digests(cloned, here) == whole[-len(here) :]


def test_other_packs_of_the_same_files_are_not_sent(
    repo: Registry, ids: list[str], tmp_path: Path
) -> None:
    """What a pack there has is there; another clone's own packs stay with it."""
    push_payloads(repo, None, ids, packed=True)
    before = there(tmp_path)
    push_payloads(repo, None, ids)
    lose(repo)
    shutil.move(tmp_path / "there" / "lineage", tmp_path / "aside")
    fetch_payloads(repo, None, ids)
    shutil.rmtree(tmp_path / "there")
    shutil.move(tmp_path / "aside", tmp_path / "there" / "lineage")
    pack(repo, *ids)
    moved = push_payloads(repo, None, ids, packed=True)

    assert moved == Moved(present=3, present_bytes=12 * BLOCK)
    assert there(tmp_path) == before


def test_a_pack_that_lies_is_none_of_ours(
    repo: Registry, ids: list[str], tmp_path: Path
) -> None:
    """Though it has the SHA-256 that its name says; and what it holds is not taken."""
    [entry] = repo.files(ids[0])
    packs = repo.payloads.packs
    with repo.payloads.workspace() as work, Writer(packs, work / "pack") as writer:
        added = writer.add_blocks([Piece(b"x" * 4 * BLOCK, 1)])
        writer.add_file(entry.md5, entry.sha256, added.segments)
        name = writer.finish()
        place = tmp_path / "there" / "lineage" / "packs" / f"{name}.pack"
        place.parent.mkdir(parents=True)
        shutil.copy(work / "pack", place)
    lose(repo)
    with pytest.raises(VerificationError) as failed:
        fetch_payloads(repo, None, ids[:1])

    [lie, first] = sorted(failed.value.details, key=len, reverse=True)
    assert f"is in the pack {name[:12]} there" in first + lie
    assert "does not come back from a pack as it was" in first + lie
    assert list(repo.payloads.packs) == []
    assert not repo.payloads.has(entry.md5)


def test_a_pack_without_what_it_builds_on(
    repo: Registry, ids: list[str], tmp_path: Path
) -> None:
    """One sentence names the file and the pack; what needs less comes."""
    push_payloads(repo, None, ids, packed=True)
    names = [pack_of(repo, id_) for id_ in ids]
    (tmp_path / "there" / "lineage" / "packs" / f"{names[1]}.pack").unlink()
    lose(repo)
    with pytest.raises(VerificationError) as failed:
        fetch_payloads(repo, None, ids)

    [middle, newest] = failed.value.details
    assert "is missing there" in middle
    assert newest.endswith(
        f"is in the pack {names[2][:12]} there, which builds on what no pack there has"
    )
    assert [found.name for found in repo.payloads.packs] == names[:1]


def test_the_list_of_a_folder_comes_with_its_last_whole_file(
    repo: Registry, ids: list[str], tmp_path: Path
) -> None:
    """DVC takes a folder for there by its list, so packs are no reason to send it."""
    (repo.root / "both").mkdir()
    for number, path in enumerate(models(repo.root / "both", 2, 3 * BLOCK)):
        path.rename(repo.root / "both" / str(number))
    folder = repo.commit("model", "both", "both").id
    pack(repo, folder, base=ids[0])
    push_payloads(repo, None, [*ids, folder], packed=True)
    lists = tmp_path / "there" / "files" / "md5"

    assert list(lists.glob("*/*.dir")) == []
    assert verify(repo, remote="r").problems == []
    plan = plan_erasure(repo, ids[0])
    erase(repo, plan, reason="r", authority="a", remotes=["r"])
    assert len(list(lists.glob("*/*.dir"))) == 1
    assert there(tmp_path) == []
    assert verify(repo, remote="r").problems == []


@pytest.mark.parametrize("direction", ["push", "fetch"])
def test_a_killed_transfer_of_packs_goes_on(
    direction: str, repo: Registry, ids: list[str], tmp_path: Path, sound: Sound
) -> None:
    """Kill -9: nothing half-written has a pack's name, and whole packs stay there."""
    config = repo.root / ".dvc" / "config"
    config.write_text(f"{config.read_text()}    jobs = 1\n", encoding="utf-8")
    whole = digests(repo, ids)
    if direction == "fetch":
        push_payloads(repo, None, ids, packed=True)
        lose(repo)
    packs = {pack.name: pack.size for pack in repo.payloads.packs}
    for limit in (0, packs[min(packs)] if packs else BLOCK, 0):
        command = [sys.executable, "-c", WORK, direction, str(limit), "packed"]
        done = subprocess.run(command, capture_output=True, check=False)
        assert done.returncode == -signal.SIGKILL, done.stderr
        for path in there(tmp_path):
            found = hashlib.sha256(path.read_bytes()).hexdigest()
            assert path.name == f"{found}.pack"
    if direction == "push":
        moved = push_payloads(repo, None, ids, packed=True)
    else:
        moved = fetch_payloads(repo, None, ids)

    assert moved.packs == 2 if direction == "push" else moved.packs in {1, 2, 3}
    assert len(there(tmp_path)) == len(list(repo.payloads.packs)) == 3
    assert digests(repo, ids) == whole
    assert list((tmp_path / "there" / "lineage" / "tmp").glob("*")) == []
    sound(repo)


def test_a_damaged_pack_here_is_made_good_from_there(
    repo: Registry, ids: list[str]
) -> None:
    """What is wanted although it is packed here is read from the remote."""
    push_payloads(repo, None, ids, packed=True)
    whole = digests(repo, ids)
    for made in repo.root.glob("*.bin"):
        made.unlink()
    path = repo.payloads.packs.path(pack_of(repo, ids[2]))
    data = bytearray(path.read_bytes())
    data[40] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    with closing(lineage.open(repo.root)) as again:
        found = verify(again)
        assert found.problems
        repair(again, found, remote="r")
    with closing(lineage.open(repo.root)) as again:
        assert digests(again, ids) == whole
