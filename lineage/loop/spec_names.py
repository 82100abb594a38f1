"""Fields that belong to transformers, checked against transformers itself.

Where it is not installed no built-in step can run, and the sections are whatever
the user's own steps read: nothing is checked.
"""

from __future__ import annotations

from enum import Enum
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from lineage.loop.spec_errors import (
    check_keys,
    first_mistake,
    nearest,
    refuse,
    shown,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_UPLOADS = "a loop uploads nothing by itself"
_REPORTS = "the registry is where a loop reports to"
_HELD_OUT = "the held-out data never enter training"
_SEED = "set the loop's own seed; each step's is derived from it"
OWNED_TRAINING = {
    "output_dir": "the loop chooses where models are written",
    "resume_from_checkpoint": "the loop resumes by itself",
    "save_only_model": "training could not go on from such a checkpoint",
    "do_train": "the loop decides what runs",
    "do_eval": _HELD_OUT,
    "do_predict": "the loop decides what runs",
    "eval_strategy": _HELD_OUT,
    "eval_on_start": _HELD_OUT,
    "load_best_model_at_end": _HELD_OUT,
    "metric_for_best_model": _HELD_OUT,
    "seed": _SEED,
    "data_seed": _SEED,
    "disable_tqdm": "the loop shows its own progress",
    "report_to": _REPORTS,
    "run_name": _REPORTS,
    "push_to_hub": _UPLOADS,
    "hub_model_id": _UPLOADS,
    "hub_token": _UPLOADS,
}
OWNED_GENERATION = {
    "num_return_sequences": "each record has its own prompt; set num_samples",
    "return_dict_in_generate": "the loop keeps the text only",
    "output_attentions": "the loop keeps the text only",
    "output_hidden_states": "the loop keeps the text only",
    "output_logits": "the loop keeps the text only",
    "output_scores": "the loop keeps the text only",
    "max_time": "the same seed would give other samples on a slower machine",
}


def _installed() -> bool:
    return find_spec("transformers") is not None and find_spec("torch") is not None


def _check_owned(fields: Mapping[str, Any], owned: Mapping[str, str]) -> None:
    for key in fields:
        if key in owned:
            refuse(f"not yours to set: {owned[key]}", key)


def check_training(fields: Mapping[str, Any]) -> None:
    """Check the `training` section: names and types of TrainingArguments."""
    _check_owned(fields, OWNED_TRAINING)
    if not fields or not _installed():
        return
    from typing import get_type_hints

    from transformers import TrainingArguments

    types = get_type_hints(TrainingArguments)
    check_keys(fields, TrainingArguments.__dataclass_fields__)
    for key, value in fields.items():
        _check_type(key, value, types[key])


def _check_type(key: str, value: object, wanted: Any) -> None:
    try:
        TypeAdapter(wanted).validate_python(value, strict=True)
    except ValidationError as error:
        refuse(first_mistake(error), key)
    for enum in get_args(wanted):
        if isinstance(enum, type) and issubclass(enum, Enum):
            names = [str(member.value) for member in enum]
            if value not in names:
                refuse(f"{shown(value)} is unknown" + nearest(str(value), names), key)


class _Sampling(BaseModel):
    """Values that GenerationConfig takes unchecked and `generate` fails on."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False, extra="ignore")

    do_sample: bool = True
    temperature: float = Field(default=1.0, gt=0)
    top_k: int = Field(default=0, ge=0)
    top_p: float = Field(default=1.0, gt=0, le=1)
    min_p: float | None = Field(default=None, ge=0, le=1)
    typical_p: float = Field(default=1.0, gt=0, le=1)
    repetition_penalty: float = Field(default=1.0, gt=0)
    no_repeat_ngram_size: int = Field(default=0, ge=0)
    num_beams: int = Field(default=1, ge=1)
    min_new_tokens: int | None = Field(default=None, ge=0)
    max_new_tokens: int | None = Field(default=None, ge=1)
    max_length: int | None = Field(default=None, ge=1)


def check_generation(fields: Mapping[str, Any]) -> None:
    """Check `generation_config`: names and values of GenerationConfig."""
    _check_owned(fields, OWNED_GENERATION)
    if fields and _installed():
        from transformers import GenerationConfig

        known = vars(GenerationConfig())
        check_keys(fields, [key for key in known if not key.startswith("_")])
    try:
        _Sampling.model_validate(dict(fields))
    except ValidationError as error:
        refuse(first_mistake(error), str(error.errors()[0]["loc"][0]))


def check_model(config: Mapping[str, Any]) -> None:
    """Check `model.config`: a model type, and names that its config class has."""
    kind = config.get("model_type")
    if not isinstance(kind, str):
        refuse("needs a model_type, such as gpt2")
    if "vocab_size" in config:
        refuse("not yours to set: it is the tokenizer's vocab_size", "vocab_size")
    if not _installed():
        return
    from transformers import CONFIG_MAPPING

    if kind not in CONFIG_MAPPING:
        what = f"transformers has no model type {kind!r}"
        refuse(what + nearest(kind, CONFIG_MAPPING.keys()), "model_type")
    cls = CONFIG_MAPPING[kind]
    check_keys(config, {*vars(cls()), *cls.attribute_map, "model_type"})
