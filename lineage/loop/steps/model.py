"""A model folder, read: its config, its weights, and what it can do.

Nothing is ever asked of a network, and no code that comes with a model is run.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lineage.errors import LineageError, UsageError, first_line
from lineage.loop.quiet import quiet
from lineage.loop.steps.adapter import applied, is_adapter, require_peft
from lineage.loop.steps.session import device

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from lineage.loop.steps.protocol import Job

# The names that configs have for it: how many tokens a model can see at once.
CONTEXT = ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len")


def opened(job: Job, folder: Path) -> Any:
    """A model among a job's inputs, ready to compute where it will.

    An adapter is applied to `inputs["base"]`.

    Raises:
        LineageError: when it cannot be loaded.
    """
    spec = job.spec.model
    base = job.inputs.get("base")
    return placed(load_model(folder, base, spec.dtype, spec.device_map)).eval()


def placed(model: Any) -> Any:
    """A model on the accelerator, where there is one; `device_map` puts it itself."""
    return model if hasattr(model, "hf_device_map") else model.to(device())


def load_model(
    folder: Path,
    base: Path | None = None,
    dtype: str = "float32",
    device_map: str | None = None,
) -> Any:
    """The causal language model of a `save_pretrained` folder.

    Args:
        folder: the model, or an adapter.
        base: the model that an adapter is applied to.
        dtype: what its weights are turned into.
        device_map: as transformers takes it.

    Raises:
        LineageError: when there is none, or its weights are not whole.
    """
    if is_adapter(folder):
        return _load_adapted(folder, base, dtype, device_map)
    try:
        with quiet():
            model, found = _load(folder, dtype, device_map)
    except Exception as error:  # noqa: BLE001 - whatever a model class raises
        raise _unusable(folder, reason(folder, error)) from None
    if missing := sorted(
        {*found["missing_keys"], *map(_key, found["mismatched_keys"])}
    ):
        count = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        what = f"its files have no fitting {', '.join(missing[:3])}{count}"
        raise _unusable(folder, what)
    return model


def _load_adapted(
    folder: Path, base: Path | None, dtype: str, device_map: str | None
) -> Any:
    require_peft()
    if base is None or is_adapter(base):
        raise _unusable(folder, "it is an adapter, and its base is not at hand")
    model = load_model(base, dtype=dtype, device_map=device_map)
    try:
        with quiet():
            return applied(model, folder)
    except Exception as error:  # noqa: BLE001 - whatever peft raises
        raise _unusable(folder, reason(folder, error)) from None


def _load(
    folder: Path, dtype: str, device_map: str | None
) -> tuple[Any, dict[str, Any]]:
    """The model, and which of its weights the files do not have as they must be."""
    from transformers import AutoModelForCausalLM

    loaded: Any = AutoModelForCausalLM.from_pretrained(
        folder,
        dtype=dtype,
        device_map=device_map,
        local_files_only=True,
        trust_remote_code=False,
        ignore_mismatched_sizes=True,  # `load_model` refuses them by name
        output_loading_info=True,
    )
    model, found = loaded
    return model, found


def _key(mismatched: Any) -> str:
    """The name of a weight whose shape differs, which comes with both shapes."""
    return str(mismatched if isinstance(mismatched, str) else mismatched[0])


def _unusable(folder: Path, what: str) -> LineageError:
    message = f"cannot load the model {shown(folder)}: {what}"
    hint = "a model is a save_pretrained folder with its weights as safetensors"
    return LineageError(message, hint=hint)


def new_model(folder: Path, dtype: str = "float32") -> Any:
    """A model of a folder's config with new weights."""
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False
    )
    model = AutoModelForCausalLM.from_config(config, dtype=dtype)
    model.config.name_or_path = ""  # not the path of a folder on this machine
    return model


def shown(folder: Path) -> str:
    """A model folder as its user knows it: by its name, or the id of its commit."""
    name = folder.name
    return name[:12] if re.fullmatch(r"[0-9a-f]{64}", name) else name


def reason(folder: Path, error: Exception) -> str:
    """Why transformers cannot read a folder, in one line without a path of ours."""
    if "trust_remote_code" in str(error):
        return "it needs code of its own, and lineage runs none that comes with a model"
    if str(error).startswith("Unrecognized configuration class"):
        return "transformers has no causal language model of its type"
    return first_line(error).replace(str(folder), shown(folder)).rstrip(".")


# What a config says.


def context_length(config: Any) -> int | None:
    """How many tokens a model can see at once, where its config says so."""
    text = config.get_text_config()
    lengths = (getattr(text, name, None) for name in CONTEXT)
    found = (length for length in lengths if isinstance(length, int) and length > 0)
    return next(found, None)


def check_context(config: Any, block_size: int) -> None:
    """Refuse blocks that a model cannot see whole."""
    context = context_length(config)
    if context is not None and context < block_size:
        message = f"the model sees {context} tokens, dataset.block_size is {block_size}"
        raise UsageError(message, hint="make the model's context at least as long")


def valid_ids(config: Any, key: str, size: int) -> list[int]:
    """The tokens of `eos_token_id` or the like that a vocabulary of `size` has."""
    found = getattr(config, key, None)
    ids = found if isinstance(found, list) else [found]
    return [id_ for id_ in ids if type(id_) is int and 0 <= id_ < size]


def vocabulary(config: Any) -> int:
    """How many tokens a model can write."""
    return int(config.get_text_config().vocab_size)


def padding(config: Any) -> int:
    """A token to fill rows with: masked everywhere, so any that there is will do."""
    text, size = config.get_text_config(), vocabulary(config)
    found = (valid_ids(text, key, size) for key in ("pad_token_id", "eos_token_id"))
    return next((ids[0] for ids in found if ids), 0)


@contextmanager
def padded_as_before(model: Any) -> Iterator[None]:
    """Put back which token pads: TRL sets it, and a config says what it said."""
    places = (model.config.get_text_config(), model.generation_config)
    before = [place.pad_token_id for place in places]
    yield
    for place, pad in zip(places, before, strict=True):
        place.pad_token_id = pad


def check_ids(model: Any, rows: Iterable[Sequence[int]]) -> None:
    """Refuse tokens that a model has no embedding for.

    Raises:
        LineageError: says how far the tokenizer's ids and the model's go.
    """
    highest = max((id_ for row in rows for id_ in row), default=0)
    size = model.get_input_embeddings().weight.shape[0]
    if highest >= size:
        message = f"the tokenizer has ids up to {highest}, the model {size} embeddings"
        hint = (
            "resize the model's embeddings, or give it the tokenizer it was made with"
        )
        raise LineageError(message, hint=hint)
