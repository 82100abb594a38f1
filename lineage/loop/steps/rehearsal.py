"""What a loop would fail on later, tried once before its first commit.

The model is loaded and asked about real records, then it writes one token and is
trained for one step, with the settings of `loop.yaml`. Only what built-in steps are
going to do is tried.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from lineage.errors import LineageError, UsageError, first_line
from lineage.loop.quiet import quiet
from lineage.loop.steps.adapter import is_adapter
from lineage.loop.steps.chat import Chat
from lineage.loop.steps.generate import check_room, generation_config
from lineage.loop.steps.model import (
    check_context,
    check_ids,
    load_model,
    new_model,
    placed,
    reason,
    shown,
    vocabulary,
)
from lineage.loop.steps.prompts import encoded, fixed, no_prompt
from lineage.loop.steps.sampling import sample
from lineage.loop.steps.scoring import scorer
from lineage.loop.steps.session import require_torch
from lineage.loop.steps.tokenizer import load_subwords
from lineage.loop.steps.training import try_training

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lineage.loop.records.data import HumanRecords
    from lineage.loop.spec import LoopSpec

# How far the logits of a token may be off when only later ones have changed, as a
# fraction of all: rounding is below 1e-6, attention to what comes above 1e-4.
_ROUNDING = 5e-5


def rehearse(
    spec: LoopSpec,
    folder: Path,
    human: HumanRecords,
    scratch: Path,
    selector: Path | None = None,
) -> None:
    """Try what the built-in steps do with the model that a loop starts from.

    Args:
        spec: says which steps are built in, and their settings.
        folder: a model, or a config and tokenizer to make one of.
        human: what is trained on, prompts with and is held out.
        scratch: an empty folder, for a Trainer that wants one.
        selector: the model that selects, where `selection` has one.

    Raises:
        UsageError: one sentence that names the field that has to change.
    """
    if selector is not None:
        _try_selector(spec, selector, human, scratch)
    steps = spec.steps
    if steps.generate and steps.train and steps.evaluate:
        return
    require_torch()
    with quiet():
        model, rows = _model(spec, folder, human)
        if any(getattr(gate, "chat", False) for gate in spec.gates):
            Chat(folder)  # has to have a template
        if not steps.generate:
            _try_generation(spec, folder, model, rows[: len(human.train)])
            _check_prompts(spec, folder, model)
        if not steps.train:
            try_training(spec, model, scratch)


def _try_selector(
    spec: LoopSpec, folder: Path, human: HumanRecords, scratch: Path
) -> None:
    """Have the model that selects give a reward to a record."""
    assert spec.selection is not None
    assert spec.selection.model is not None
    require_torch()
    where = "selection.by.model_name_or_path"
    try:
        with quiet():
            score = scorer(spec, {spec.selection.model.role: folder}, scratch)
            [reward] = score(human.train[:1])
    except Exception as error:  # noqa: BLE001 - whatever a model class raises
        hint = getattr(error, "hint", "")
        raise UsageError(f"{where}: {reason(folder, error)}", hint=hint) from None
    if not math.isfinite(reward):
        raise UsageError(f"{where}: {shown(folder)} gives a reward of {reward}")


def _model(
    spec: LoopSpec, folder: Path, human: HumanRecords
) -> tuple[Any, list[list[int]]]:
    """The model, on the device where it will run, and the records' tokens."""
    given, size = spec.model.config is None, spec.dataset.block_size
    texts = [record["text"] for record in [*human.train, *human.held_out]]
    try:
        rows = load_subwords(folder).encode(texts)
        model = _first(spec, folder).eval()
        check_context(model.config, size)
        check_ids(model, rows)
        _check_logits(model, max(rows, key=len)[:size])
    except Exception as error:  # noqa: BLE001 - whatever a model class raises
        field = "model.model_name_or_path" if given else "model.config"
        hint = getattr(error, "hint", "")
        raise UsageError(f"{field}: {reason(folder, error)}", hint=hint) from None
    return model, rows


def _first(spec: LoopSpec, folder: Path) -> Any:
    """What generation 0 is, or starts from."""
    kind = spec.model.dtype
    if spec.model.config is not None:
        return placed(new_model(folder, kind))
    if is_adapter(folder):
        hint = "merge it into its base first: merge_and_unload() in peft"
        raise LineageError("it is an adapter, not a whole model", hint=hint)
    return placed(load_model(folder, None, kind, spec.model.device_map))


def _check_logits(model: Any, ids: Sequence[int]) -> None:
    """Refuse a model that computes no numbers, or looks at what comes later."""
    import torch

    half, size = len(ids) // 2, vocabulary(model.config)
    rows = [ids, [*ids[:half], *((id_ + 1) % size for id_ in ids[half:])]]
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor(rows, device=model.device)).logits
    if not logits.isfinite().all():
        raise LineageError("the model's weights give no numbers but NaN or infinity")
    one, other = logits[:, :half]
    if (one - other).abs().sum() > _ROUNDING * logits.abs().sum():
        message = f"this {model.config.model_type} model sees what it should predict"
        raise LineageError(message, hint="give a causal language model, such as gpt2")


def _try_generation(
    spec: LoopSpec, folder: Path, model: Any, rows: Sequence[list[int]]
) -> None:
    """Write one token with all that `generation_config` asks for."""
    import torch

    length = 1 if spec.asks_whole_prompts else spec.generation.prompt_length
    prompt = next((row[:length] for row in rows if len(row) >= length), None)
    if prompt is None:
        raise no_prompt(length)
    chat = Chat(folder) if spec.generation.chat else None
    try:
        config = generation_config(spec, model, chat)
        config.max_length, config.max_new_tokens = None, 1
        sample(model, torch.tensor([prompt], device=model.device), [0], config)
    except UsageError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever transformers raises
        message = f"generation.generation_config: {first_line(error)}"
        raise UsageError(message) from None


def _check_prompts(spec: LoopSpec, folder: Path, model: Any) -> None:
    """Refuse a prompt of a file or a template that leaves no room to answer it."""
    asked = fixed(spec)
    if asked:
        chat = Chat(folder) if spec.generation.chat else None
        prompts = encoded(spec, asked, load_subwords(folder), chat)
        check_ids(model, (prompt.ids for prompt in prompts))
        check_room(generation_config(spec, model, chat), model, prompts)
