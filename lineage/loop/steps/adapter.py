"""Adapters: LoRA (Hu et al. 2021, arXiv:2106.09685) through peft.

What is committed of a successor is its adapter alone, as peft's `save_pretrained`
writes it, with the tokenizer. The base whose weights it needs is generation 0's
model, and an edge says so: the folder names no path.
"""

from __future__ import annotations

import json
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from lineage.errors import LineageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CONFIG = "adapter_config.json"


def is_adapter(folder: Path) -> bool:
    """Whether a model folder is an adapter, which needs its base."""
    return (folder / CONFIG).is_file()


def require_peft() -> None:
    """Refuse an adapter where peft is not installed."""
    if find_spec("peft") is None:
        message = "model.peft needs peft"
        raise LineageError(message, hint="install it: pip install 'lineage-vcs[peft]'")


def new_adapter(model: Any, fields: Mapping[str, Any]) -> Any:
    """A model with an adapter that changes nothing yet; only the adapter learns.

    Its random half comes from torch's generator, which `session` seeds.
    """
    require_peft()
    from peft import LoraConfig, get_peft_model

    return get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **fields))


def adapted(model: Any, folder: Path) -> Any:
    """A model with the adapter in `folder`, to be trained on."""
    require_peft()
    from peft import PeftModel

    return PeftModel.from_pretrained(model, folder, is_trainable=True)


def applied(model: Any, folder: Path) -> Any:
    """A model with the adapter in `folder`, to be used as any other.

    In float32 the adapter is added to the weights, so that it costs nothing. In
    bfloat16, where what it adds would be rounded away, it stays beside them.
    """
    require_peft()
    import torch
    from peft import PeftModel

    whole = PeftModel.from_pretrained(model, folder)
    if model.dtype == torch.float32:
        return whole.merge_and_unload()
    return whole.get_base_model()


def save_adapter(model: Any, folder: Path) -> None:
    """Write adapter_model.safetensors and adapter_config.json, always the same.

    peft writes sets in the order of this process and the path of the base, and adds
    a model card.
    """
    config = model.peft_config[model.active_adapter]
    config.base_model_name_or_path = None
    for key, value in vars(config).items():
        if isinstance(value, set):
            setattr(config, key, sorted(value))
    model.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)
    written = json.loads((folder / CONFIG).read_bytes())
    written["base_model_name_or_path"] = None
    (folder / CONFIG).write_text(json.dumps(written, indent=2, sort_keys=True) + "\n")
