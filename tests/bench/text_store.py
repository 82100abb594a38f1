"""The bytes of ten versions of a dataset, packed, beside what others keep of them.

Each version is committed with an edge to the one before, all are packed, taken out
again and compared, and made plain files again. What DVC keeps is what our cache had
before it was packed, which is DVC's. git has the versions as commits and packs them
anew; zstd compresses every file that is new.
"""

from __future__ import annotations

import filecmp
import shutil
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.bench.measure import LINEAGE, PYTHON, QUICK, do
from tests.bench.peers import environment
from tests.bench.tables import Sheet
from tests.bench.text_cases import datasets, write_small

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.bench.measure import Bench

VERSIONS = 10
SIZE = 5_000_000  # bytes of a first version
FILES = 2_000  # small ones
OURS = (LINEAGE, "-q")


@dataclass
class Kept:
    """What was measured of one case; bytes and seconds."""

    whole: int
    pack: float
    packed: int
    get: float
    unpack: float
    same: bool
    peers: dict[str, int]


def measure(bench: Bench) -> None:
    quick = bench.sizes is QUICK
    size, count, files = (
        (SIZE // 5, 3, FILES // 10) if quick else (SIZE, VERSIONS, FILES)
    )
    found = {}
    for name, folders in _cases(bench, size, count, files):
        found[name] = _kept(bench, folders)
        shutil.rmtree(folders[0].parent)
    bench.show(_sheet(found, count))


def _cases(
    bench: Bench, size: int, count: int, files: int
) -> Iterator[tuple[str, Sequence[Path]]]:
    """Cases by name: a folder for each version."""
    for name, versions in datasets(size, count):
        folders = _folders(bench, count)
        for folder, text in zip(folders, versions, strict=True):
            (folder / "records.jsonl").write_text(text, encoding="utf-8")
        yield name, folders
    folders = _folders(bench, count)
    write_small(folders, files)
    yield f"{files:,} files, 1 % changed", folders


def _folders(bench: Bench, count: int) -> Sequence[Path]:
    top = bench.fresh("versions")
    folders = [top / f"{number:02}" for number in range(count)]
    for folder in folders:
        folder.mkdir()
    return folders


def _kept(bench: Bench, folders: Sequence[Path]) -> Kept:
    peers = {name: take(bench, folders) for name, take in _PEERS.items()}
    registry = bench.registry()
    ids: list[str] = []
    for folder in folders:
        edge = [f"--derived-from={ids[-1]}"] if ids else []
        words = ("commit", "dataset", str(folder), "--name", "data", *edge)
        ids.append(_said(registry, *words))
    cache = registry / ".dvc" / "cache"
    whole, plain = used(cache), used(cache / "files")
    pack = _timed(registry, "pack", "all()")
    packed = used(cache)
    get, same = _taken_out(registry, ids, folders)
    unpack = _timed(registry, "unpack", "all()")
    same &= used(cache / "files") >= plain
    return Kept(whole, pack, packed, get, unpack, same, peers)


def _taken_out(
    registry: Path, ids: Sequence[str], folders: Sequence[Path]
) -> tuple[float, bool]:
    """Seconds of getting all versions, and whether they are what they were."""
    seconds, same = 0.0, True
    for id_, folder in zip(ids, folders, strict=True):
        seconds += _timed(registry, "get", id_, "out")
        same &= _is_same(folder, registry / "out")
        shutil.rmtree(registry / "out")
    return seconds, same


def _is_same(one: Path, other: Path) -> bool:
    names = [str(p.relative_to(one)) for p in one.rglob("*") if p.is_file()]
    match, _, _ = filecmp.cmpfiles(one, other, names, shallow=False)
    return len(match) == len(names)


def _timed(folder: Path, *words: str) -> float:
    begun = time.perf_counter()
    _said(folder, *words)
    return time.perf_counter() - begun


def _said(folder: Path, *words: str) -> str:
    done = subprocess.run(
        [*OURS, *words],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def used(place: Path) -> int:
    """Bytes of the files under a folder; one that has several names counts once.

    DVC's lists of folders are left out: everybody has such, and we do not pack them.
    """
    found = {}
    for path in place.rglob("*"):
        if path.is_file() and path.suffix != ".dir":
            stat = path.stat()
            found[stat.st_ino] = stat.st_size
    return sum(found.values())


def _zstd(_: Bench, folders: Sequence[Path]) -> int:
    import zstandard

    data = {p.read_bytes() for f in folders for p in f.rglob("*") if p.is_file()}
    return sum(len(zstandard.ZstdCompressor(3).compress(each)) for each in data)


def _git(bench: Bench, folders: Sequence[Path]) -> int:
    """All versions as commits, in one pack."""
    repository = bench.fresh("git")
    do(repository, "git init -q")
    for folder in folders:
        do(repository, f"rm -rf data && cp -r '{folder}' data && git add -A data")
        do(repository, "git commit -qm version --allow-empty")
    do(repository, "git repack -adfq --window=10 --depth=50")
    return used(repository / ".git" / "objects")


_XET = """
import glob, os, sys
os.environ["HF_XET_CACHE"] = "cache"
import hf_xet
for folder in sys.argv[1:]:
    files = [p for p in glob.glob(f"{folder}/**", recursive=True) if os.path.isfile(p)]
    place = f"local://{os.getcwd()}/store"
    hf_xet.upload_files(files, place, None, None, None, None)
"""


def _xet(bench: Bench, folders: Sequence[Path]) -> int:
    """What hf-xet puts into a store in a folder: its xorbs and shards."""
    place = bench.fresh("xet")
    command = [PYTHON, "-c", _XET, *map(str, folders)]
    subprocess.run(command, cwd=place, env=environment(), check=True)
    xorbs = place / "store" / "xet" / "xorbs"
    stored = [*xorbs.glob("xorbs/*"), *xorbs.glob("shards/*")]
    return sum(path.stat().st_size for path in stored if path.suffix != ".tagset")


_PEERS = {"zstd -3": _zstd, "git repack": _git, "Xet": _xet}


def _sheet(found: dict[str, Kept], count: int) -> Sheet:
    head = (
        "versions", "whole, as in DVC", *_PEERS, "lineage pack",
        "pack", "get", "unpack", "same bytes",
    )  # fmt: skip
    title = f"{count} versions of a dataset, of whole"
    return Sheet(title, head, [[name, *_row(one)] for name, one in found.items()])


def _row(one: Kept) -> Iterator[str]:
    yield f"{one.whole / 1e6:,.1f} MB"
    yield from (f"{size / one.whole:.1%}" for size in one.peers.values())
    yield f"{one.packed / one.whole:.1%}"
    for seconds in (one.pack, one.get, one.unpack):
        yield f"{one.whole / 1e6 / seconds:,.0f} MB/s"
    yield "yes" if one.same else "no"
