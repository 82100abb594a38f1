"""How often `verify --evidence` is right about weights, on families of real models.

    python tests/bench/evidence.py [--seeds N] [--steps N] [--model PATH]

Small GPT-2 models are trained on Python's own documentation: for each seed a base,
children of it that were trained further in four ways (one of them by a merged LoRA),
and one that started beside the base, from the same untrained weights. Then edges are
claimed between them, true ones and false ones, and looked at. With `--model`, a
folder or a GGUF file of transformers, children are made of that model instead. One
run's tables are in docs/evidence.md.
"""

from __future__ import annotations

import argparse
import copy
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import lineage
from lineage.evidence.looking import look
from lineage.store.objects import Edge

if TYPE_CHECKING:
    from lineage import Registry

_WIDTH, _LENGTH = 48, 64  # of a model; of a text, in bytes
_CHILDREN = {  # learning rate, and steps as a part of the base's own
    "gentle": (2e-4, 0.25),
    "as the base": (2e-3, 1.0),
    "hot and long": (5e-3, 4.0),
    "LoRA": (5e-3, 1.0),
}


_SECOND = "as the base"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how often evidence is right.")
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--steps", type=int, default=160)
    parser.add_argument("--model", type=Path)
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="lineage-evidence-") as folder,
        lineage.init(Path(folder) / "registry") as registry,
    ):
        if given.model:
            real(registry, given.model)
            return
        families = [_family(registry, n, given.steps) for n in range(given.seeds)]
        table = _claims(registry, families)
    _show(table, given.seeds)


def _family(registry: Registry, seed: int, steps: int) -> dict[str, str]:
    """Train a base with its children, and record them without edges; ids by name."""
    import torch

    torch.manual_seed(seed)
    start = _model()
    base = _trained(copy.deepcopy(start), 2e-3, steps, seed=1000 + seed)
    beside = _trained(copy.deepcopy(start), 2e-3, steps, seed=2000 + seed)
    after = base
    found = {"base": _commit(registry, base), "beside": _commit(registry, beside)}
    for number, (name, (rate, part)) in enumerate(_CHILDREN.items(), start=3):
        child, length = copy.deepcopy(base), round(part * steps)
        if name == "LoRA":
            child = _with_lora(child)
        child = _trained(child, rate, length, seed=1000 * number + seed)
        if name == "LoRA":
            child = child.merge_and_unload()
        found[name] = _commit(registry, child)
        after = child if name == _SECOND else after
    further = _trained(copy.deepcopy(after), 2e-3, steps, seed=9000 + seed)
    return {**found, "grandchild": _commit(registry, further)}


def _model() -> Any:
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(
        vocab_size=256, n_layer=2, n_head=4, n_embd=_WIDTH, n_positions=_LENGTH
    )
    return GPT2LMHeadModel(config)


def _with_lora(model: Any) -> Any:
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(r=4, lora_alpha=8, target_modules=["c_attn", "c_fc"],
                        fan_in_fan_out=True)  # fmt: skip
    return get_peft_model(model, config)


def _trained(model: Any, rate: float, steps: int, *, seed: int) -> Any:
    """Train on windows of the documentation that the seed chooses."""
    import torch

    text = _text()
    chance = torch.Generator().manual_seed(seed)
    learning = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(learning, lr=rate)
    model.train()
    for _ in range(steps):
        starts = torch.randint(len(text) - _LENGTH, (16,), generator=chance)
        batch = torch.stack([text[s : s + _LENGTH] for s in starts.tolist()]).long()
        model(input_ids=batch, labels=batch).loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    return model


def _text() -> Any:
    """Python's own documentation, as bytes."""
    from pydoc_data.topics import topics

    import torch

    whole = bytearray("\n".join(topics.values()).encode())
    return torch.frombuffer(whole, dtype=torch.uint8)


def _commit(registry: Registry, model: Any) -> str:
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        return registry.commit("model", "m", folder, revise=False).id


def _claims(
    registry: Registry, families: list[dict[str, str]]
) -> dict[str, Counter[str]]:
    """Claim and look, sort by sort; verdicts by sort of claim."""
    found: dict[str, Counter[str]] = {}

    def claim(sort: str, child: str, parent: str, of: str = "") -> None:
        if of:
            parent = _again(registry, parent, [Edge("fine_tuned_from", of)])
        edge = Edge("fine_tuned_from", parent)
        made = _again(registry, child, [edge])
        [looked] = look(registry, [made], progress=lambda _: None, write=False)
        found.setdefault(sort, Counter())[looked.checked[0].verdict] += 1

    names = list(_CHILDREN)
    for number, own in enumerate(families):
        other = families[(number + 1) % len(families)]
        for name in names:
            claim(f"true: {name}", own[name], own["base"])
            claim(f"false: another family's base, {name}", own[name], other["base"])
        for name, sibling in zip(names, names[1:] + names[:1], strict=True):
            claim(
                "false: a sibling, the base known", own[name], own[sibling], own["base"]
            )
            claim("false: a sibling, the base unnamed", own[name], own[sibling])
        child = own[_SECOND]
        claim(
            "true: a grandchild, the base known", own["grandchild"], child, own["base"]
        )
        claim(
            "true, not all: a grandchild, from the base", own["grandchild"], own["base"]
        )
        claim("false: the base from its child", own["base"], own["as the base"])
        claim("false: one that began beside it", own["beside"], own["base"])
    return found


def _again(registry: Registry, id_: str, edges: list[Edge]) -> str:
    """The same files as another commit, which claims these edges."""
    with tempfile.TemporaryDirectory() as folder:
        place = registry.get(id_, Path(folder) / "files")
        return registry.commit("model", "claim", place, edges=edges, revise=False).id


def _show(table: dict[str, Counter[str]], seeds: int) -> None:
    verdicts = ("verified", "undecided", "contradicted")
    print(f"{seeds} families\n")
    print(f"{'claim':44} " + "  ".join(f"{word:>12}" for word in verdicts))
    for sort, counts in sorted(table.items(), reverse=True):
        cells = "  ".join(f"{counts[word]:>12}" for word in verdicts)
        print(f"{sort:44} {cells}")


def real(registry: Registry, path: Path) -> None:
    """Children of one real model, and a stranger of its shape; claims about them."""
    import torch
    from transformers import AutoConfig, AutoModel

    torch.manual_seed(1)
    gguf = {"gguf_file": path.name} if path.is_file() else {}
    place = path.parent if gguf else path
    read = AutoModel.from_pretrained(place, dtype=torch.float32, **gguf)
    config = AutoConfig.from_pretrained(place, **gguf)
    base, stranger = (AutoModel.from_config(config) for _ in range(2))
    base.load_state_dict(read.state_dict())
    ids = {"base": _commit(registry, base), "stranger": _commit(registry, stranger)}
    del stranger
    last = [*base.named_parameters()][-12:]
    made = {
        "last layer": _tuned(base, 1e-4, 3, [name for name, _ in last]),
        "all layers": _tuned(base, 1e-4, 3, None),
    }
    for name, child in made.items():
        print(_looked(registry, child, name, "fine_tuned_from", ids["base"]))
        print(_looked(registry, child, name, "fine_tuned_from", ids["stranger"]))
    print(
        _looked(
            registry,
            copy.deepcopy(base).bfloat16(),
            "bf16",
            "quantized_from",
            ids["base"],
        )
    )
    tuned = _tuned(_peft(base), 1e-3, 3, None)
    untrained = _peft(base, init_lora_weights=False)
    adapters = [_commit(registry, each) for each in (tuned, untrained)]
    merged = tuned.merge_and_unload()
    for adapter in adapters:
        print(_looked(registry, merged, "LoRA", "merged_from", ids["base"], adapter))


def _peft(base: Any, **more: Any) -> Any:
    from peft import LoraConfig, get_peft_model

    targets = [n for n, _ in base.named_modules() if n.endswith(("query", "q_proj"))]
    config = LoraConfig(r=8, lora_alpha=16, target_modules=targets, **more)
    return get_peft_model(copy.deepcopy(base), config)


def _tuned(model: Any, rate: float, steps: int, only: list[str] | None) -> Any:
    """Bring neighbouring windows of the documentation nearer to each other."""
    import torch

    model = copy.deepcopy(model)
    for name, parameter in model.named_parameters():
        if only is not None:
            parameter.requires_grad_(name in only)
    optimiser = torch.optim.AdamW(
        [p for p in model.parameters() if p.requires_grad], lr=rate
    )
    text = _text()
    for step in range(steps):
        batch = text[step * 512 : (step + 1) * 512].reshape(8, 64).long()
        hidden = model(input_ids=batch).last_hidden_state.mean(1)
        loss = -torch.cosine_similarity(hidden[:-1], hidden[1:]).mean()
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    return model


def _looked(registry: Registry, child: Any, name: str, role: str, *of: str) -> str:
    """One claim, what was found, and how long that took."""
    made = _commit(registry, child)
    made = _again(registry, made, [Edge(role, id_) for id_ in of])
    start = time.perf_counter()
    [looked] = look(registry, [made], progress=lambda _: None, write=False)
    took = time.perf_counter() - start
    found = "\n".join(f"    {c.verdict}: {c.sentence}" for c in looked.checked)
    return f"{name}, {role}, {took:.1f} s\n{found}"


if __name__ == "__main__":
    main()
