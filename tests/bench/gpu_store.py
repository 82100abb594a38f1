"""Packing a model of real size, where there is a GPU to train it.

    python tests/bench/gpu_store.py --work DIR --out DIR [--hidden N] [--layers N]

A Llama of 1.5 billion parameters (fp32 with AdamW on the GPU, saved as bf16) learns to
write the standard library, is fine-tuned four times at 5e-5, and once in its last layer
alone. Every generation is committed, all are packed, taken out and compared by SHA-256.
Prints a table and writes it to DIR/gpu_store.json, also when time runs out in between.
Needs 64 GB of disk and 45 GB of the GPU; a small one, with `--device cpu`, needs none.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.store_cases import OURS, digests, said
from tests.bench.store_peers import used
from tests.bench.store_training import Pupil, Shape, pupil
from tests.bench.tables import Sheet, markdown

if TYPE_CHECKING:
    from collections.abc import Callable

RATE, BASE_RATE = 5e-5, 3e-4
TURNS = ("full", "full", "full", "full", "last layer")


@dataclass
class Bench:
    """The registry, the folders of the models, and what was measured by now."""

    learner: Pupil
    work: Path
    out: Path
    ids: list[str] = field(default_factory=list)
    sums: list[dict[str, str]] = field(default_factory=list)
    found: dict[str, Any] = field(default_factory=dict)

    @property
    def registry(self) -> Path:
        return self.work / "registry"

    def note(self, **facts: Any) -> None:
        """Keep and print what was measured, so that a stop loses nothing."""
        self.found |= facts
        print(
            *(f"{name}: {value}" for name, value in facts.items()), sep="\n", flush=True
        )
        text = json.dumps(self.found, indent=1)
        (self.out / "gpu_store.json").write_text(f"{text}\n", encoding="utf-8")

    def ask(self, *words: str) -> tuple[str, float, int]:
        """What `lineage` says, its seconds, and the peak memory of its process.

        wait4(2) would give no less than our own memory, which torch is in.
        """
        begun, peak = time.perf_counter(), 0
        with subprocess.Popen(
            [*OURS, *words], cwd=self.registry, stdout=subprocess.PIPE
        ) as child:
            while child.poll() is None:
                peak = max(peak, _high_water(child.pid))
                time.sleep(0.01)
            assert child.stdout
            text = child.stdout.read().decode().strip()
        if child.returncode:
            raise SystemExit(f"lineage {' '.join(words)} failed")
        return text, time.perf_counter() - begun, peak


def _high_water(pid: int) -> int:
    """The most memory that a running process has had, in bytes; 0 if it is gone."""
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    _, found, rest = text.partition("VmHWM:")
    return int(rest.split()[0]) * 1024 if found else 0


def main() -> None:
    given = _arguments()
    shape = Shape(
        "llama", "llama", "bfloat16", given.hidden, given.layers, given.vocabulary,
        given.batch, given.length, device=given.device,
    )  # fmt: skip
    given.out.mkdir(parents=True, exist_ok=True)
    given.work.mkdir(parents=True, exist_ok=True)
    bench = Bench(pupil(shape, given.work), given.work.resolve(), given.out)
    said(bench.work, "init", "registry")
    generations(bench, given.seconds)
    packed(bench)
    taken_out(bench)
    finish(bench)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Pack a model trained on a GPU.")
    parser.add_argument("--work", type=Path, required=True, help="a disk of 64 GB")
    parser.add_argument("--out", type=Path, required=True, help="for the results")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--hidden", type=int, default=2048)
    parser.add_argument("--layers", type=int, default=30)
    parser.add_argument("--vocabulary", type=int, default=32_768)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--length", type=int, default=1024)
    parser.add_argument(
        "--seconds", type=float, nargs=2, default=(55, 18), metavar=("BASE", "EACH"),
        help="of training",
    )  # fmt: skip
    return parser.parse_args()


def generations(bench: Bench, seconds: tuple[float, float]) -> None:
    """Train and commit them all; the files go as soon as they are committed."""
    learner, base = bench.learner, bench.learner.born()
    bench.note(
        parameters=sum(p.numel() for p in base.parameters()),
        machine=_machine(learner.shape.device),
    )
    bench.note(**{"loss 0": _learn(bench, base, BASE_RATE, seconds[0])})
    place = _saved(bench, base, ())
    del base
    for number, turn in enumerate(TURNS, 1):
        model = learner.saved(place)
        shutil.rmtree(place)
        if turn == "last layer":
            last = f".{model.config.num_hidden_layers - 1}."
            for name, parameter in model.named_parameters():
                parameter.requires_grad_(last in name)
        loss = _learn(bench, model, RATE, seconds[1], seed=number)
        place = _saved(bench, model, (f"--edge=fine_tuned_from={bench.ids[-1]}",))
        del model
        bench.note(**{f"loss {number}": loss})
    shutil.rmtree(place)


def _learn(
    bench: Bench, model: Any, rate: float, seconds: float, seed: int = 0
) -> dict[str, float]:
    """Train for about so many seconds: a few steps say how many that are."""
    import torch

    def timed(steps: int) -> tuple[float, float]:
        begun = time.perf_counter()
        loss = bench.learner.train(model, rate, seed=seed, steps=steps)
        if bench.learner.shape.device == "cuda":
            torch.cuda.synchronize()
        return loss, time.perf_counter() - begun

    timed(1)  # what is compiled and allocated once
    _, took = timed(3)
    steps = max(2, int(seconds / took * 3))
    loss, took = timed(steps)
    return {"steps": steps + 4, "loss": round(loss, 3), "seconds": round(took, 1)}


def _saved(bench: Bench, model: Any, edges: tuple[str, ...]) -> Path:
    """Save, hash and commit a generation."""
    place = bench.work / f"generation-{len(bench.ids)}"
    bench.learner.save(model, place, max_shard_size="100GB")
    bench.sums.append(digests(place))
    words = ["commit", "model", str(place), "--name", "llama", *edges]
    id_, took, _ = bench.ask(*words)
    bench.ids.append(id_)
    rate = used(place) / 1e6 / took
    bench.note(**{f"commit {len(bench.ids) - 1}, MB/s": round(rate)})
    return place


def packed(bench: Bench) -> None:
    """Pack all generations, one after the other, so that each one's bytes are known."""
    cache = bench.registry / ".dvc" / "cache"
    whole = used(cache)
    bench.note(whole=whole)
    seconds, peak, before = 0.0, 0, whole
    for number, id_ in enumerate(bench.ids):
        _, took, memory = bench.ask("pack", id_)
        seconds, peak, after = seconds + took, max(peak, memory), used(cache)
        size = whole / len(bench.ids)
        share = round((size - before + after) / size, 4)
        bench.note(**{f"generation {number}, of whole": share})
        before = after
    bench.note(
        packed=before, share=round(before / whole, 4), peak_memory=peak,
        pack_mb_s=round(whole / 1e6 / seconds),
    )  # fmt: skip


def taken_out(bench: Bench) -> None:
    """Get each generation from its packed form, hash it, and give it to the peers."""
    same, seconds, last = 0, 0.0, None
    for number, id_ in enumerate(bench.ids):
        place = bench.work / f"out-{number}"
        _, took, _ = bench.ask("get", id_, str(place))
        seconds += took
        same += digests(place) == bench.sums[number]
        if number < 2:
            _peers(bench, number, place, last)
        if last:
            shutil.rmtree(last)
        last = place
    bench.note(
        same=f"{same} of {len(bench.ids)}",
        get_mb_s=round(bench.found["whole"] / 1e6 / seconds),
    )


def _peers(bench: Bench, number: int, place: Path, last: Path | None) -> None:
    """zstd, ZipNN, and ZipNN of what differs from the generation before."""
    import numpy as np

    data = (place / "model.safetensors").read_bytes()
    facts = {"zstd -3": _rated(_zstd, data), "ZipNN": _rated(_zipnn, data)}
    if last:
        parent = np.fromfile(last / "model.safetensors", dtype=np.uint8)
        changed = (np.frombuffer(data, dtype=np.uint8) ^ parent).tobytes()
        facts["ZipNN of xor deltas"] = _rated(_zipnn, changed)
    bench.note(**{f"generation {number}, {name}": one for name, one in facts.items()})


def _rated(compress: Callable[[bytes], int], data: bytes) -> dict[str, float]:
    begun = time.perf_counter()
    size = compress(data)
    rate = len(data) / 1e6 / (time.perf_counter() - begun)
    return {"share": round(size / len(data), 4), "MB/s": round(rate)}


def _zstd(data: bytes) -> int:
    import zstandard

    return len(zstandard.ZstdCompressor(3, threads=-1).compress(data))


def _zipnn(data: bytes) -> int:
    import zipnn

    threads = os.cpu_count()
    made = zipnn.ZipNN(bytearray_dtype="bfloat16", input_format="byte", threads=threads)
    return len(made.compress(bytearray(data)))


def finish(bench: Bench) -> None:
    """Unpack, and print the table."""
    _, took, _ = bench.ask("unpack", "all()")
    bench.note(unpack_mb_s=round(bench.found["whole"] / 1e6 / took))
    found = bench.found
    cells = [
        [f"{number}: {turn}", *_row(found, number)]
        for number, turn in enumerate(("trained from nothing", *TURNS))
    ]
    head = ("generation", "lineage pack", "zstd -3", "ZipNN", "ZipNN of xor deltas")
    notes = [
        f"{found['parameters'] / 1e9:.2f} billion parameters, {found['machine']}.",
        f"All: {found['share']:.1%} of {found['whole'] / 1e9:.1f} GB.",
        f"Pack {found['pack_mb_s']} MB/s, peak {found['peak_memory'] / 1e6:.0f} MB.",
        f"Get {found['get_mb_s']} MB/s, unpack {found['unpack_mb_s']} MB/s.",
        f"Same SHA-256: {found['same']}.",
    ]
    print(markdown(Sheet("A model trained on a GPU", head, cells, notes=notes)))


def _row(found: dict[str, Any], number: int) -> list[str]:
    cells = [f"{found[f'generation {number}, of whole']:.1%}"]
    for name in ("zstd -3", "ZipNN", "ZipNN of xor deltas"):
        one = found.get(f"generation {number}, {name}")
        cells.append(f"{one['share']:.1%} at {one['MB/s']} MB/s" if one else "")
    return cells


def _machine(device: str) -> str:
    import torch

    name = torch.cuda.get_device_name() if device == "cuda" else "no GPU"
    return f"{name}, {os.cpu_count()} cores, torch {torch.__version__}"


if __name__ == "__main__":
    main()
