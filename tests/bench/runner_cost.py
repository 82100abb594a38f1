"""What running a loop costs beside its steps: one loop, and a bare script.

The script calls the very same steps with the same seeds, folder after folder, and
records nothing: what the loop takes beyond it is the runner and the registry. Both
end with the same weights, byte for byte.

    python tests/bench/runner_cost.py SPEC    # the bare script, in this folder
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

import lineage
from lineage.loop.seeds import shard_seed
from lineage.loop.spec import load
from lineage.loop.steps import find_steps
from lineage.loop.steps.mix import HUMAN, source_name
from lineage.loop.steps.protocol import Job
from tests.bench.measure import LINEAGE, PYTHON, Contestant, Goal, Sheet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lineage.loop.spec import LoopSpec
    from tests.bench.measure import Bench

OURS, BARE = "lineage loop run", "bare script"
STEPS = ("generate", "train")
PACE = "pace.json"  # what the bare script says of its steps
WRITER = "0" * 64  # where the loop names a model by its files

SPEC = """
name: bench
num_generations: 2
model:
  config:
    {model_type: gpt2, n_layer: 2, n_head: 4, n_embd: 48, n_positions: 64,
     embd_pdrop: 0.0, attn_pdrop: 0.0, resid_pdrop: 0.0}
  tokenizer: {vocab_size: 512}
dataset:
  {train_file: text.txt, block_size: 64, max_train_samples: 800, origin: human}
generation: {generation_config: {temperature: 0.8, top_k: 0}}
mixing: {strategy: accumulate}
training:
  {max_steps: 160, per_device_train_batch_size: 32, learning_rate: 2e-3}
evaluation: {max_samples: 300}
"""


def measure(bench: Bench) -> None:
    """Both in turn: seconds, and tokens a second of each kind of step."""
    places: dict[str, list[Path]] = {OURS: [], BARE: []}

    def with_files(name: str, folder: Path) -> Path:
        write_files(folder)
        places[name].append(folder)
        return folder

    contestants = [
        Contestant(
            OURS,
            [LINEAGE, "-q", "loop", "run", "loop.yaml"],
            lambda: with_files(OURS, bench.registry()),
        ),
        Contestant(
            BARE,
            [PYTHON, __file__, "loop.yaml"],
            lambda: with_files(BARE, bench.fresh()),
        ),
    ]
    title = "A loop of two generations of a model with 84,288 parameters"
    table = bench.race(title, contestants, [Goal(OURS, BARE, 1.05, of="cpu")])
    pairs = zip(table.runs[OURS], table.runs[BARE], strict=False)
    spent = ", ".join(f"{each:.2f}" for each in sorted(a.cpu - b.cpu for a, b in pairs))
    same = _recorded(places[OURS][-1]) == _written(places[BARE][-1])
    table.notes += [
        f"CPU seconds beyond the bare script, run by run: {spent}.",
        f"The last weights are {'the same' if same else 'NOT the same'}.",
    ]
    bench.show(table)
    bench.show(_tokens(places))


def _tokens(places: dict[str, list[Path]]) -> Sheet:
    """Tokens a second while a kind of step runs: through the runner, and without."""
    ours, bare = map(_recorded_pace, places[OURS]), map(_written_pace, places[BARE])
    pairs = list(zip(ours, bare, strict=False))
    cells, ratios = [], {}
    for step in STEPS:
        paces = [(a[step], b[step]) for a, b in pairs]
        beside = sorted(b / a for a, b in paces)
        through, without = (
            statistics.median(column) for column in zip(*paces, strict=True)
        )
        middle = statistics.median(beside)
        spread = f"{middle:.2f} ({beside[0]:.2f} to {beside[-1]:.2f})"
        cells.append((step, f"{through:,.0f}", f"{without:,.0f}", spread))
        ratios[f"{step}, {BARE} : {OURS}"] = middle, 1.05
    head = ("tokens a second", OURS, BARE, "times as long")
    return Sheet(
        "Tokens of that loop, by the seconds of their steps", head, cells, ratios
    )


def _recorded_pace(folder: Path) -> dict[str, float]:
    """What the events of a loop say of its steps."""
    with lineage.open(folder) as registry:
        return _pace([event.data for _, event in registry.events()])


def _written_pace(folder: Path) -> dict[str, float]:
    return _pace(json.loads((folder / PACE).read_text("utf-8")))


def _pace(told: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Tokens a second by kind of step."""
    kinds = {step: [one for one in told if one.get("step") == step] for step in STEPS}
    return {
        step: sum(one["tokens"] for one in some) / sum(one["seconds"] for one in some)
        for step, some in kinds.items()
    }


def write_files(folder: Path) -> None:
    from pydoc_data.topics import topics

    text = "\n\n".join(topics[name] for name in sorted(topics))
    (folder / "text.txt").write_text(text, encoding="utf-8")
    (folder / "loop.yaml").write_text(SPEC, encoding="utf-8")


def _recorded(folder: Path) -> str:
    registry = lineage.open(folder)
    parts = registry.load(registry.branches()["loop/bench"]).ids("includes")
    [model] = [id_ for id_ in parts if registry.load(id_).kind == "model"]
    files = {entry.path: entry.sha256 for entry in registry.files(model)}
    registry.close()
    return files["model.safetensors"]


def _written(folder: Path) -> str:
    return sha256((folder / "2/train/model.safetensors").read_bytes()).hexdigest()


class Script:
    """The bare script: steps on folders."""

    def __init__(self, spec: LoopSpec) -> None:
        self.spec = spec
        self.steps = find_steps(spec, lock=0)
        self.told: list[dict[str, Any]] = []

    def run(self) -> None:
        from lineage.loop.records.data import human_records, read_human
        from lineage.loop.records.shards import write_shards
        from lineage.loop.steps.tokenizer import load_tokens, make_blank

        text, blank = read_human(self.spec), Path("blank")
        blank.mkdir()
        make_blank(self.spec, (piece.text for piece in text.train), blank)
        records = human_records(self.spec, text, load_tokens(blank).offsets)
        human, held_out = Path("human"), Path("held-out")
        size = self.spec.generation.shard_size
        write_shards(human, "human", records.train, size)
        write_shards(held_out, "held-out", records.held_out, size)
        model = base = self.step(0, "train", dataset=human, base=blank)
        self.step(0, "evaluate", model=model, held_out=held_out)
        sources = {HUMAN: human}
        first: dict[str, Path] = {}
        for turn in range(1, self.spec.num_generations + 1):
            written = self.step(turn, "generate", model=model, human=human)
            inputs = {"generated": written, "human": human, "base": base}
            kept = self.step(turn, "check", **inputs, **first)
            first = first or {"reference": written}
            sources[source_name(turn)] = kept
            mixed = self.step(turn, "mix", **sources, base=base)
            model = self.step(turn, "train", dataset=mixed, base=base, parent=model)
            self.step(turn, "evaluate", model=model, held_out=held_out)
        Path(PACE).write_text(json.dumps(self.told), encoding="utf-8")

    def step(self, generation: int, name: str, **inputs: Path) -> Path:
        """Run one step into a folder of its own."""
        output, scratch = (Path(f"{generation}/{name}{end}") for end in ("", ".tmp"))
        output.mkdir(parents=True)
        scratch.mkdir()
        begun = time.monotonic()
        result = self.steps[name](
            Job(
                step=name,
                generation=generation,
                attempt=0,
                seed=shard_seed(self.spec.seed, generation, name, 0),
                spec=self.spec,
                inputs=inputs,
                ids=dict.fromkeys(inputs, WRITER),
                roots=dict.fromkeys(inputs, WRITER),
                output=output,
                scratch=scratch,
            )
        )
        seconds = time.monotonic() - begun
        self.told.append({"step": name, "seconds": seconds, **result.circumstances})
        return output


if __name__ == "__main__":
    Script(load(Path(sys.argv[1]))).run()
