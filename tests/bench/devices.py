"""What has to hold on the device at hand: run it on a machine with GPUs.

    .venv/bin/python tests/bench/devices.py

A small Llama makes a loop of one generation in several ways. Each way is run twice
in registries of their own, and has to give the same ids twice; in float32 another
batch size has to give the same data. With several GPUs training takes all of them.
It prints a table, and ends with exit code 1 where something does not hold.
"""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import lineage
from lineage.loop.running.journal import Parts, parts
from lineage.loop.running.runner import run

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.lineage.loop.running.test_runner_real import picked

MODEL = "model: {model_name_or_path: theirs}"
ONCE = "num_generations: 2", "num_generations: 1"


def ways(gpus: int) -> dict[str, list[tuple[str, str]]]:
    """Edits of the loop.yaml of `picked`, by name."""
    bfloat16 = MODEL[:-1] + ", dtype: bfloat16}"
    spread = MODEL[:-1] + ", device_map: auto}"
    adapter = MODEL[:-1] + ", peft: {r: 4, target_modules: [q_proj, v_proj]}}"
    together = f"num_processes: {max(gpus, 2)}\n{MODEL}"
    return {
        "float32": [],
        "float32, other batches": [("batch_size: 8", "batch_size: 5")],
        "bfloat16": [(MODEL, bfloat16)],
        "device_map: auto": [(MODEL, spread)],
        "LoRA": [(MODEL, adapter)],
        "torchrun": [(MODEL, together)],
    }


def once(edits: list[tuple[str, str]]) -> tuple[Parts, float]:
    """One run in a new registry: its parts, and the seconds that it took."""
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(lineage.init(Path(folder, "repo"))) as registry,
    ):
        picked(registry.root)
        path = registry.root / "loop.yaml"
        text = path.read_text()
        for old, new in [ONCE, *edits]:
            assert old in text, old
            text = text.replace(old, new)
        path.write_text(text)
        begun = time.monotonic()
        return parts(registry, run(registry, path).head), time.monotonic() - begun


def main() -> int:
    """Print the table; 1 where something does not hold."""
    import torch

    gpus = torch.cuda.device_count()
    names = [torch.cuda.get_device_name(n) for n in range(gpus)] or ["processor"]
    print(f"torch {torch.__version__}, {', '.join(names)}\n")
    print(f"{'way':<24}{'same ids twice':<16}{'seconds':>8}")
    found: dict[str, Parts] = {}
    bad = 0
    for name, edits in ways(gpus).items():
        (one, seconds), (other, _) = once(edits), once(edits)
        found[name] = one
        bad += one != other
        print(f"{name:<24}{'yes' if one == other else 'NO':<16}{seconds:>8.1f}")
    first, second = list(found.values())[:2]
    same = first.generated == second.generated
    print(f"\nother batches give the same data: {'yes' if same else 'NO'}")
    return int(bool(bad) or not same)


if __name__ == "__main__":
    sys.exit(main())
