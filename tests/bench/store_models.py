"""Ten generations of each way to train, for real steps: what `store_cases.py` packs.

    python tests/bench/store_models.py --data DIR [MODEL/CASE…] [--steps N]

Makes what is not there yet: a folder per case with a folder per generation and a
`chain.json` that says which came from which. Without names: all that `make bench`
measures, 15 GB. `tiny/…` is small enough for a look.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.store_training import SHAPES, Pupil, clocked, pupil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

GENERATIONS = 10
NORMAL = 5e-5
TUNED = "full-5e-5"
_BASE = 1e-3  # the rate at which a model learns to write at all


@dataclass(frozen=True, slots=True)
class Generation:
    """One artifact: its folder, its branch and what it came from (role, folder)."""

    folder: str
    edges: Sequence[tuple[str, str]] = ()
    name: str = "model"
    loss: float = 0.0
    seconds: float = 0.0


@dataclass
class Making:
    """One case on its way: `place` is what it fills."""

    pupil: Pupil
    place: Path
    base: Path
    made: list[Generation] = field(default_factory=list)

    def add(self, *edges: tuple[str, Path], name: str = "model") -> Path:
        """A new folder, of what came from others as `edges` say."""
        number = sum(one.name == name for one in self.made)
        path = self.place / f"{name}-{number}"
        came = [(role, source.name) for role, source in edges]
        self.made.append(Generation(path.name, came, name))
        path.mkdir()
        return path

    def start(self) -> Path:
        """Generation zero, which all cases of a model share."""
        return _linked(self.base, self.add())

    def turns(self) -> Iterator[tuple[int, Path, Path]]:
        """Seed, the generation before, the new one: until there are enough."""
        before = self.start()
        for seed in range(1, GENERATIONS):
            new = self.add(("fine_tuned_from", before))
            yield seed, before, new
            before = new

    def tip(self) -> list[tuple[str, Path]]:
        """The edge to the model before, if there is one."""
        models = [one for one in self.made if one.name == "model"]
        return [("fine_tuned_from", self.place / one.folder) for one in models[-1:]]

    def tuned(self, number: int) -> Path:
        """A generation of the case in which every parameter learns."""
        return self.place.parent / TUNED / f"model-{number}"

    def learn(self, model: Any, rate: float, seed: int, **how: Any) -> None:
        """Train, and note the loss."""
        loss, took = clocked(
            lambda: self.pupil.train(model, rate, seed=seed, **how),
        )
        self.made[-1] = replace(self.made[-1], loss=loss, seconds=took)
        print(f"  {self.made[-1].folder}: loss {loss:.3f}, {took:.0f} s", flush=True)


def _full(rate: float) -> Callable[[Making], None]:
    """Every parameter learns."""

    def make(making: Making) -> None:
        for seed, before, new in making.turns():
            model = making.pupil.saved(before)
            making.learn(model, rate, seed)
            making.pupil.save(model, new)

    return make


def _partly(learns: Callable[[str, int], bool]) -> Callable[[Making], None]:
    """Those parameters learn of which `learns(name, number of layers)` says so."""

    def make(making: Making) -> None:
        for seed, before, new in making.turns():
            model = making.pupil.saved(before)
            layers = model.config.num_hidden_layers
            for name, parameter in model.named_parameters():
                parameter.requires_grad_(learns(name, layers))
            making.learn(model, NORMAL, seed)
            making.pupil.save(model, new)

    return make


def _lora(making: Making) -> None:
    """A LoRA of rank 8 on the attention, merged into the weights each time."""
    from peft import LoraConfig, get_peft_model

    targets = {
        "gpt2": ["c_attn"], "llama": ["q_proj", "v_proj"], "minilm": ["query", "value"],
    }[making.pupil.shape.family]  # fmt: skip
    for seed, before, new in making.turns():
        config = LoraConfig(
            r=8,
            lora_alpha=16,
            target_modules=targets,
            fan_in_fan_out="c_attn" in targets,
        )
        adapted = get_peft_model(making.pupil.saved(before), config)
        making.learn(adapted, 2e-4, seed)
        making.pupil.save(adapted.merge_and_unload(), new)


def _average(making: Making) -> None:
    """By turns a fine-tuned model and the average of the last two."""
    before, last = making.start(), making.place
    for seed in range(1, GENERATIONS):
        model = making.pupil.saved(before)
        if seed % 2:
            new = making.add(("fine_tuned_from", before))
            making.learn(model, NORMAL, seed)
        else:
            new = making.add(("merged_from", before), ("merged_from", last))
            other = making.pupil.saved(last).state_dict()
            model.load_state_dict(
                {name: (v + other[name]) / 2 for name, v in model.state_dict().items()}
            )
        making.pupil.save(model, new)
        before, last = new, before


def _scratch(making: Making) -> None:
    """Each a model of its own, from another seed."""
    for seed in range(GENERATIONS):
        new, model = making.add(), making.pupil.born(100 + seed)
        making.learn(model, _BASE, seed, steps=making.pupil.shape.steps)
        making.pupil.save(model, new)


def _resumed(making: Making) -> None:
    """One training that goes on, saved with its optimiser's state."""
    import torch

    model = making.pupil.saved(making.base)
    optimizer = making.pupil.optimizer(model, NORMAL)
    for seed in range(GENERATIONS):
        new = making.add(*making.tip())
        making.learn(model, NORMAL, seed, optimizer=optimizer)
        making.pupil.save(model, new)
        torch.save(optimizer.state_dict(), new / "optimizer.pt")


def _sharded(making: Making) -> None:
    """The fully tuned generations, each in three files and an index."""
    size = sum(path.stat().st_size for path in making.base.glob("*.safetensors"))
    for number in range(GENERATIONS):
        model, new = making.pupil.saved(making.tuned(number)), making.add(*making.tip())
        making.pupil.save(model, new, max_shard_size=size // 3 + size // 16)


def _quantised(making: Making) -> None:
    """The fully tuned generations, each with a child of eight bits."""
    from safetensors.torch import load_file, save_file

    for number in range(GENERATIONS):
        whole = _linked(making.tuned(number), making.add(*making.tip()))
        small = making.add(("quantized_from", whole), name="int8")
        state = _int8(load_file(whole / "model.safetensors"))
        save_file(state, small / "model.safetensors")


def _int8(state: dict[str, Any]) -> dict[str, Any]:
    """Matrices as eight bits and a scale for each row; the rest as it is."""
    import torch

    found = {}
    for name, value in state.items():
        if value.dim() != 2:
            found[name] = value
            continue
        scale = value.float().abs().amax(dim=1, keepdim=True).clamp(min=1e-8) / 127
        found[name] = (value.float() / scale).round().to(torch.int8)
        found[f"{name}.scale"] = scale
    return found


def _last(name: str, layers: int) -> bool:
    return f".{layers - 1}." in name


def _no_embedding(name: str, _: int) -> bool:
    return not any(word in name for word in ("wte", "wpe", "embed"))


CASES: dict[str, Callable[[Making], None]] = {
    "full-1e-6": _full(1e-6),
    "full-1e-5": _full(1e-5),
    "full-5e-5": _full(NORMAL),
    "full-1e-3": _full(1e-3),
    "frozen-embeddings": _partly(_no_embedding),
    "last-layer": _partly(_last),
    "lora-merged": _lora,
    "average": _average,
    "scratch": _scratch,
    "quantised": _quantised,
    "optimiser": _resumed,
    "sharded": _sharded,
}
ALL = [
    *(f"gpt-34m/{case}" for case in CASES),
    "gpt2-124m/full-5e-5",
    *(
        f"minilm/{case}"
        for case in ("full-1e-6", "full-5e-5", "full-1e-3", "last-layer", "lora-merged")
    ),
]


def _linked(source: Path, into: Path) -> Path:
    for path in source.iterdir():
        os.link(path, into / path.name)
    return into


def make(name: str, data: Path, **shape: Any) -> Path:
    """The folder of the case `name`, made where it is missing."""
    model, _, case = name.partition("/")
    place = data / model / case
    if place.exists():
        return place
    if case in ("quantised", "sharded"):
        make(f"{model}/{TUNED}", data, **shape)
    print(f"{name}", flush=True)
    learner = pupil(replace(SHAPES[model], **shape), data)
    half = data / model / f".{case}"  # what a run that was killed left
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    making = Making(learner, half, _base(learner, data / model / "base"))
    CASES[case](making)
    (half / "chain.json").write_text(json.dumps([asdict(one) for one in making.made]))
    return half.rename(place)


def _base(learner: Pupil, place: Path) -> Path:
    """A model that has learnt to write: what all generations come from."""
    if not place.exists():
        model = learner.born()
        if learner.shape.base_steps:
            steps = learner.shape.base_steps
            loss = learner.train(model, _BASE, seed=0, steps=steps)
            print(f"  base: {loss:.3f} after {steps} steps", flush=True)
        half = place.with_name(".base")
        learner.save(model, half)
        half.rename(place)
    return place


def chain(place: Path) -> list[Generation]:
    """What is in the folder of a case, in the order in which it was made."""
    return [Generation(**one) for one in json.loads((place / "chain.json").read_text())]


def main() -> None:
    parser = argparse.ArgumentParser(description="Train generations of models.")
    parser.add_argument("names", nargs="*", default=ALL, metavar="MODEL/CASE")
    parser.add_argument("--data", type=Path, required=True, help="where they are kept")
    parser.add_argument("--steps", type=int, help="of each generation")
    given = parser.parse_args()
    steps = {"steps": given.steps} if given.steps else {}
    for name in given.names:
        make(name, given.data.resolve(), **steps)


if __name__ == "__main__":
    main()
