"""The sections of `loop.yaml`, one model each, with what they must not combine."""

import re
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from lineage.loop.spec_errors import Section, refuse
from lineage.loop.spec_names import check_generation, check_model

_STEP_FORMS = 'a step is "package.module:function" or {command: "…"}'


class TokenizerSpec(Section):
    """A byte-level BPE, trained on the human training data."""

    vocab_size: int = Field(ge=257)  # 256 bytes and the end of text


class ModelSpec(Section):
    """Generation 0's model: a folder or revision, or a config to start from."""

    model_name_or_path: str | None = Field(default=None, min_length=1)
    config: dict[str, Any] | None = None
    tokenizer: TokenizerSpec | None = None
    init_from: Literal["scratch", "base", "parent"] | None = None

    @field_validator("config")
    @classmethod
    def _names(cls, config: dict[str, Any] | None) -> dict[str, Any] | None:
        if config is not None:
            check_model(config)
        return config

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.model_name_or_path is None) == (self.config is None):
            refuse("give exactly one of model_name_or_path and config")
        if self.config is None:
            if self.tokenizer is not None:
                refuse("tokenizer goes with config; a given model brings its own")
            return self
        if self.tokenizer is None:
            refuse("config needs tokenizer: {vocab_size: …} beside it")
        return self

    @property
    def successor_from(self) -> Literal["scratch", "base", "parent"]:
        """What each successor's weights start from."""
        return self.init_from or ("scratch" if self.config else "parent")


class DatasetSpec(Section):
    """The human data, what is known of them, and what is held out of training."""

    train_file: list[str] = Field(min_length=1)
    text_column: str = "text"
    validation_file: list[str] | None = Field(default=None, min_length=1)
    validation_split: float | None = Field(default=None, gt=0, lt=1)
    block_size: int = Field(default=128, ge=2)
    max_train_samples: int | None = Field(default=None, ge=1)
    origin: Literal["human", "machine", "mixed", "unknown"] = "unknown"
    source: str | None = None
    licence: str | None = None
    by: str | None = None

    @field_validator("train_file", "validation_file", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value

    @field_validator("train_file", "validation_file")
    @classmethod
    def _known_format(cls, files: list[str] | None) -> list[str] | None:
        for name in files or ():
            if not name.endswith((".txt", ".jsonl")):
                refuse(f"{name!r} is neither a .txt nor a .jsonl file")
        return files

    @model_validator(mode="after")
    def _one_held_out(self) -> Self:
        if self.validation_file and self.validation_split is not None:
            refuse("give validation_file or validation_split, not both")
        return self

    @property
    def held_out_fraction(self) -> float | None:
        """The share of the text to hold out, or None when a file is held out."""
        return None if self.validation_file else self.validation_split or 0.1

    @property
    def origin_record(self) -> dict[str, str]:
        """The commit's `origin`: only what the spec says, nothing inferred."""
        said = {"source": self.source, "licence": self.licence, "by": self.by}
        return {"type": self.origin} | {k: v for k, v in said.items() if v}


class GenerationSpec(Section):
    """What each generation writes. `num_samples`: as many as human records."""

    num_samples: int | None = Field(default=None, ge=1)
    shard_size: int = Field(default=256, ge=1)
    prompt_length: int = Field(default=1, ge=1)
    batch_size: int = Field(default=64, ge=1)
    generation_config: dict[str, Any] = Field(default_factory=dict)

    @field_validator("generation_config")
    @classmethod
    def _names(cls, fields: dict[str, Any]) -> dict[str, Any]:
        check_generation(fields)
        return fields


class MixingSpec(Section):
    """What the training set of a generation is made of."""

    strategy: Literal["replace", "accumulate", "mix"] = "accumulate"
    human_fraction: float | None = Field(default=None, gt=0, lt=1)
    human_resample: Literal["fresh", "fixed"] | None = None
    max_samples: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _fraction_belongs_to_mix(self) -> Self:
        if self.strategy == "mix":
            if self.human_fraction is None:
                refuse("strategy mix needs human_fraction")
        elif self.human_fraction is not None or self.human_resample is not None:
            refuse(
                "human_fraction and human_resample go with strategy mix, "
                f"not {self.strategy}"
            )
        return self

    @property
    def resample(self) -> Literal["fresh", "fixed"]:
        """Whether each generation draws its human records anew."""
        return self.human_resample or "fresh"


class EvaluationSpec(Section):
    """How a model and its data are measured; `sample_size` counts tokens."""

    batch_size: int = Field(default=32, ge=1)
    max_samples: int | None = Field(default=None, ge=1)
    sample_size: int = Field(default=10_000, ge=2)


class ReviewSpec(Section):
    """A person looks at every so many generations before the loop goes on."""

    every: int = Field(ge=1)


class StepSpec(Section):
    """A step of the user's own: a Python callable, or a command.

    `timeout` ends a command after so many seconds; it shapes no artifact.
    """

    callable: str | None = None
    command: str | None = Field(default=None, min_length=1)
    timeout: float | None = Field(default=None, gt=0, exclude=True)

    @field_validator("callable")
    @classmethod
    def _module_and_function(cls, name: str | None) -> str | None:
        if name is not None and not re.fullmatch(r"[\w.]+:[\w.]+", name):
            refuse(_STEP_FORMS)
        return name

    @model_validator(mode="before")
    @classmethod
    def _bare_name(cls, value: object) -> object:
        if isinstance(value, str):
            return {"callable": value}
        keys = set(value) if isinstance(value, dict) else set()
        if not {"command"} <= keys <= {"command", "timeout"}:
            refuse(_STEP_FORMS)
        return value


class StepsSpec(Section):
    """Built-in steps that are replaced; None is the built-in one."""

    generate: StepSpec | None = None
    check: StepSpec | None = None
    mix: StepSpec | None = None
    train: StepSpec | None = None
    evaluate: StepSpec | None = None
