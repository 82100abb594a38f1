"""Fields that belong to transformers, checked against transformers itself.

Where it is not installed no built-in step can run, and the sections are whatever
the user's own steps read: nothing is checked.
"""

from __future__ import annotations

from enum import Enum
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from lineage.loop.quiet import quiet
from lineage.loop.spec.errors import (
    check_keys,
    first_mistake,
    nearest,
    refuse,
    shown,
)
from lineage.loop.spec.owned import (
    NOT_BUILT_IN,
    OWNED_GENERATION,
    OWNED_PEFT,
    OWNED_TRAINING,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


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

    with quiet():
        from transformers import TrainingArguments

        types = get_type_hints(TrainingArguments)
    check_keys(fields, TrainingArguments.__dataclass_fields__)
    for key, value in fields.items():
        _check_type(key, value, types[key])
    _Training.check(fields)
    if fields.get("save_strategy") == "best":
        refuse(
            "best is told by held-out data, which never enter training", "save_strategy"
        )


def check_peft(fields: Mapping[str, Any]) -> None:
    """Check `model.peft`: names and types of peft's LoraConfig."""
    _check_owned(fields, OWNED_PEFT)
    _Adapter.check(fields)
    if not fields or not _installed() or find_spec("peft") is None:
        return
    from typing import get_type_hints

    with quiet():
        from peft import LoraConfig

        types = get_type_hints(LoraConfig)
    check_keys(fields, types.keys() - OWNED_PEFT.keys())
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


class _Values(BaseModel):
    """Values that transformers takes unchecked and fails on later."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False, extra="ignore")

    @classmethod
    def check(cls, fields: Mapping[str, Any]) -> None:
        """Refuse the first value that is none."""
        try:
            cls.model_validate(dict(fields))
        except ValidationError as error:
            refuse(first_mistake(error), str(error.errors()[0]["loc"][0]))


class _Training(_Values):
    learning_rate: float = Field(default=0, ge=0)
    per_device_train_batch_size: int = Field(default=1, ge=1)
    gradient_accumulation_steps: int = Field(default=1, ge=1)
    num_train_epochs: float = Field(default=1, gt=0)
    max_steps: int = Field(default=1, ge=-1)  # -1: as num_train_epochs says
    warmup_steps: float = Field(default=0, ge=0)
    save_steps: float = Field(default=1, gt=0)
    save_total_limit: int | None = Field(default=None, ge=1)
    weight_decay: float = Field(default=0, ge=0)
    max_grad_norm: float = Field(default=0, ge=0)
    torch_empty_cache_steps: int | None = Field(default=None, ge=1)


class _Adapter(_Values):
    r: int = Field(default=8, ge=1)
    lora_alpha: float = Field(default=8, gt=0)
    lora_dropout: float = Field(default=0, ge=0, lt=1)
    init_lora_weights: Literal[True, False, "gaussian", "orthogonal"] = True


class _Sampling(_Values):
    do_sample: bool = True
    temperature: float = Field(default=1.0, gt=0)
    top_k: int = Field(default=0, ge=0)
    top_p: float = Field(default=1.0, gt=0, le=1)
    min_p: float | None = Field(default=None, ge=0, le=1)
    typical_p: float = Field(default=1.0, gt=0, le=1)
    epsilon_cutoff: float = Field(default=0, ge=0, lt=1)
    eta_cutoff: float = Field(default=0, ge=0, lt=1)
    repetition_penalty: float = Field(default=1.0, gt=0)
    no_repeat_ngram_size: int = Field(default=0, ge=0)
    num_beams: int = Field(default=1, ge=1)
    min_length: int | None = Field(default=None, ge=0)
    min_new_tokens: int | None = Field(default=None, ge=0)
    max_new_tokens: int = Field(default=1, ge=1)
    max_length: int = Field(default=1, ge=1)
    pad_token_id: int | None = Field(default=None, ge=0)
    renormalize_logits: bool | None = None
    remove_invalid_values: bool | None = None


def check_generation(fields: Mapping[str, Any]) -> None:
    """Check `generation_config`: names and values of GenerationConfig."""
    _check_owned(fields, OWNED_GENERATION)
    if fields and _installed():
        with quiet():
            from transformers import GenerationConfig

        known = vars(GenerationConfig())
        check_keys(fields, [key for key in known if not key.startswith("_")])
    _Sampling.check(fields)


def check_built_in(fields: Mapping[str, Any]) -> None:
    """Refuse fields of `generation_config` that the built-in step cannot do."""
    for key, value in fields.items():
        if key in NOT_BUILT_IN and (key, value) != ("num_beams", 1):
            what = f"not for the built-in generate step: {NOT_BUILT_IN[key]}"
            refuse(what, f"generation.generation_config.{key}")


def check_model(config: Mapping[str, Any]) -> None:
    """Check `model.config`: a model type, and names that its config class has."""
    kind = config.get("model_type")
    if not isinstance(kind, str):
        refuse("needs a model_type, such as gpt2")
    if "vocab_size" in config:
        refuse("not yours to set: it is the tokenizer's vocab_size", "vocab_size")
    if not _installed():
        return
    with quiet():
        from transformers import CONFIG_MAPPING

    if kind not in CONFIG_MAPPING:
        what = f"transformers has no model type {kind!r}"
        refuse(what + nearest(kind, CONFIG_MAPPING.keys()), "model_type")
    cls = CONFIG_MAPPING[kind]
    with quiet():
        known = vars(cls())
    check_keys(config, {*known, *cls.attribute_map, "model_type"})
