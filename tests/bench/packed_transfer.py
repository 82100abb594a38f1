"""Generations of one model at a remote: whole, in packs, and one of them in parts.

    python tests/bench/packed_transfer.py [--mb 64] [--generations 10] [--s3]

The weights are bfloat16 that drift by a few units in the last place: what is measured
is bytes and seconds, not how well real weights pack.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from contextlib import closing, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import lineage
from lineage.packing.packer import pack
from lineage.sharing import payloads, remotes
from lineage.sharing.clone import clone
from lineage.sharing.push import push
from lineage.store.objects import Edge
from tests.bench.transfer import KEY, PORT, SECRET, _rclone

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.registry import Registry

MB = 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--mb", type=int, default=64)
    parser.add_argument("--generations", type=int, default=10)
    parser.add_argument("--s3", action="store_true")
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        place = Path(folder)
        stores = place / "stores"
        for name in ("whole", "packed"):
            (stores / name).mkdir(parents=True)
        with _rclone(stores) if given.s3 else nullcontext():
            _measure(place, stores, given)


def _measure(place: Path, stores: Path, given: Any) -> None:
    with closing(_generations(place, given.mb, given.generations)) as registry:
        ids = [record.id for record in registry.ids]
        sizes = [entry.size for id_ in ids for entry in registry.files(id_)]
        whole = sum(sizes)
        print(f"{len(ids)} generations, {whole / MB:,.0f} MB\n")
        print("                              seconds   MB/s of files   MB of disk")
        at = _remote(registry, place, stores, "whole", s3=given.s3)
        _row("push, whole", whole, lambda: push(registry, at), stores / "whole")
        _row("pack", whole, lambda: pack(registry, "all()"), registry.payloads.cache)
        to = _remote(registry, place, stores, "packed", s3=given.s3)
        _row("push --packed", whole, lambda: push(registry, to), stores / "packed")
    for name, choice, size in (
        ("clone of all, in packs", payloads.Choice(everything=True), whole),
        ("clone of one, in parts", payloads.Choice(only="model/tutor~1"), sizes[0]),
    ):
        _clone(place, place / "packed.git", name, choice, size)


def _remote(
    registry: Registry, place: Path, stores: Path, name: str, *, s3: bool
) -> remotes.Remote:
    """A git repository, and a store that it names in DVC's settings."""
    hub = place / f"{name}.git"
    subprocess.run(["git", "init", "-q", "--bare", str(hub)], check=True)
    settings = {"url": str(stores / name)}
    if s3:
        settings = {
            "url": f"s3://{name}",
            "endpointurl": f"http://127.0.0.1:{PORT}",
            "access_key_id": KEY,
            "secret_access_key": SECRET,
            "region": "us-east-1",
        }
    lines = "".join(f"    {key} = {value}\n" for key, value in settings.items())
    text = f"[core]\n    remote = store\n['remote \"store\"']\n{lines}"
    (registry.root / ".dvc" / "config").write_text(text, encoding="utf-8")
    return remotes.add(registry, name, str(hub), packed=name == "packed")


def _clone(place: Path, hub: Path, name: str, choice: Any, size: int) -> None:
    with closing(clone(str(hub), place / name.replace(" ", "-"))) as cloned:
        at = remotes.find(cloned)
        _row(
            name,
            size,
            lambda: payloads.bring(cloned, at, choice),
            cloned.payloads.cache,
        )


def _row(what: str, size: int, work: Callable[[], Any], disk: Path) -> None:
    began = time.perf_counter()
    work()
    took = time.perf_counter() - began
    print(f"{what:<28}{took:>9.2f}{size / MB / took:>16,.0f}{_size(disk) / MB:>13,.1f}")


def _size(folder: Path) -> int:
    stats = {p.stat() for p in folder.rglob("*") if p.is_file()}
    return sum({(s.st_dev, s.st_ino): s.st_size for s in stats}.values())


def _generations(place: Path, size: int, count: int) -> Registry:
    """A chain of models, each fine-tuned from the one before it."""
    import numpy as np
    from safetensors.numpy import save_file

    registry = lineage.init(place / "registry")
    rng = np.random.default_rng(0)
    shape = (size * MB // 2 // 8 // 1024, 1024)
    floats = [rng.standard_normal(shape, dtype=np.float32) * 0.02 for _ in range(8)]
    bits = [(part.view(np.uint32) >> 16).astype(np.uint16) for part in floats]
    before: list[Any] = []
    for _ in range(count):
        path = place / "model.safetensors"
        save_file({f"layer{n}": part for n, part in enumerate(bits)}, path)
        made = registry.commit("model", "tutor", path, edges=before)
        before = [Edge("fine_tuned_from", made.id)]
        bits = [b + rng.integers(-2, 3, shape).astype(np.uint16) for b in bits]
    return registry


if __name__ == "__main__":
    main()
