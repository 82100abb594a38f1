"""One flipped bit, in every kind of file: verify finds it, or opening does.

Each flip is made in a copy of one small registry, loose and packed. By default a few
files of each kind are hit; SWEEP=1000 hits them all. Left out are files that are not
ours (git's index, config and hooks), settings, which nothing else repeats, and bits
that carry nothing: padding of a zlib stream, unused space of an SQLite page.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import zlib
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

import lineage
from lineage.errors import LineageError
from lineage.gc import gc
from lineage.names_ops import delete_branch, set_tag
from lineage.store.index import Index
from lineage.verify import verify

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EACH = int(os.environ.get("SWEEP", "1"))
LEFT_OUT = re.compile(
    r"\.git/(?!objects|refs|packed-refs|lineage)|objects/info/packs|refs/heads|\.lock$"
    r"|lineage/config|^\.dvc/(?!cache)|\.dvcignore|/trash/|^[^/.]"
)


def make(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry with every kind of file that lineage writes."""
    monkeypatch.setattr("lineage.store.hashes._RACY", -10_000_000_000)
    with closing(lineage.init(root)) as registry:
        folder = root / "folder"
        folder.mkdir()
        for name in ("a", "b"):
            (folder / name).write_text(name * 50, encoding="utf-8")
        registry.commit("dataset", "d", folder, params={"lr": 0.5}, metrics={"x": 1})
        (root / "file").write_text("a text\n" * 9, encoding="utf-8")
        registry.commit("model", "m", root / "file")
        (root / "file").write_text("another text\n" * 9, encoding="utf-8")
        registry.commit("model", "freed", root / "file")
        set_tag(registry, "v1", "dataset/d")
        delete_branch(registry, "model/freed")
        gc(registry, grace=timedelta(), empty_trash=True)
        registry.set_head("model/m")
        (root / "never").write_text("of no commit", encoding="utf-8")
        registry.payloads.add(root / "never")
        with Index(registry.git, registry.events_log, registry.home) as index:
            index.refresh()
        verify(registry)
        assert verify(registry).problems == []


def said(root: Path) -> tuple[list[str], list[str]]:
    with closing(lineage.open(root)) as registry:
        found = verify(registry)
    return [problem.what for problem in found.problems], found.notes


def files(root: Path) -> Iterator[Path]:
    """A few files of each kind."""
    kinds: dict[str, int] = {}
    found = sorted(path for path in root.rglob("*") if path.is_file())
    random.Random(1).shuffle(found)  # noqa: S311
    for path in found:
        name = path.relative_to(root).as_posix()
        if LEFT_OUT.search(name) or not path.stat().st_size:
            continue
        kind = kind_of(name, path)
        kinds[kind] = kinds.get(kind, 0) + 1
        if kinds[kind] <= EACH:
            yield path


def kind_of(name: str, path: Path) -> str:
    if re.search(r"objects/[0-9a-f]{2}/", name):
        return zlib.decompress(path.read_bytes()).split(b" ")[0].decode()
    if "/pack/" in name:
        return path.suffix
    if name.startswith(".git/refs/"):
        return "/".join(name.split("/")[1:4])
    if name.startswith(".dvc/cache/"):
        return "pin" + path.suffix if "/lineage/" in name else "place" + path.suffix
    return name


def flip(path: Path, seed: int) -> None:
    """Flip one bit that says something."""
    data = bytearray(path.read_bytes())
    rng = random.Random(seed)  # noqa: S311
    places = range(len(data))
    if path.suffix == ".sqlite":
        texts = [m.span() for m in re.finditer(rb"[0-9a-f]{32,64}", bytes(data))]
        start, end = rng.choice(texts)
        places = range(start, end)
    if path.name == "packed-refs":
        lines = re.finditer(
            rb"^[0-9a-f]{40} refs/lineage.*$", bytes(data), re.MULTILINE
        )
        start, end = rng.choice([m.span() for m in lines])
        places = range(start, end)
    while True:
        at, bit = rng.choice(places), rng.randrange(7)
        changed = bytearray(data)
        changed[at] ^= 1 << bit
        if (
            "/objects/" not in str(path)
            or "pack" in str(path)
            or says_other(data, changed)
        ):
            break
    path.chmod(0o644)
    path.write_bytes(changed)


def says_other(data: bytearray, changed: bytearray) -> bool:
    try:
        return zlib.decompress(changed) != zlib.decompress(data)
    except zlib.error:
        return True


@pytest.mark.parametrize("packed", [False, True])
def test_a_flipped_bit_is_found_wherever_it_is(
    *, packed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Verify, or opening, says so for each file of the registry."""
    origin = tmp_path / "origin"
    make(origin, monkeypatch)
    if packed:
        for words in (["gc", "-q"], ["commit-graph", "write", "--reachable"]):
            subprocess.run(["git", "-C", str(origin), *words], check=True)
    usual = said(origin)
    copy = tmp_path / "copy"
    missed = []
    for number, path in enumerate(files(origin)):
        subprocess.run(["cp", "-a", str(origin), str(copy)], check=True)
        flip(copy / path.relative_to(origin), number)
        try:
            found = said(copy) != usual
        except LineageError:
            found = True
        if not found:
            missed.append(str(path.relative_to(origin)))
        shutil.rmtree(copy)

    assert missed == []
