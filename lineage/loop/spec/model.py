"""`model`: what generation 0 is, and what successors start from."""

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from lineage.loop.spec.errors import Section, refuse
from lineage.loop.spec.names import check_model, check_peft, check_training


class TokenizerSpec(Section):
    """A byte-level BPE, trained on the human training data."""

    vocab_size: int = Field(ge=257)  # 256 bytes and the end of text
    """Its tokens: 256 bytes, the end of text, and what is merged."""


class ModelSpec(Section):
    """Generation 0's model: a folder or revision, or a config to start from."""

    model_name_or_path: str | None = Field(default=None, min_length=1)
    """A `save_pretrained` folder, or a revision such as `model/tutor`."""
    config: dict[str, Any] | None = None
    """Instead: fields of the model's config class; weights start at random."""
    tokenizer: TokenizerSpec | None = None
    init_from: Literal["scratch", "base", "parent"] | None = None
    """What a successor starts from: random weights, generation 0, or its parent."""
    dtype: Literal["float32", "bfloat16"] = "float32"
    """What weights are loaded, trained and saved in."""
    device_map: Literal["auto"] | None = None
    """Spread the model over the accelerators, as transformers does."""
    peft: dict[str, Any] | None = None
    """Fields of peft's `LoraConfig`: successors are adapters on generation 0."""
    training: dict[str, Any] | None = None
    """With `config`: what generation 0 is trained with, instead of `training`."""

    @field_validator("config")
    @classmethod
    def _names(cls, config: dict[str, Any] | None) -> dict[str, Any] | None:
        if config is not None:
            check_model(config)
        return config

    @field_validator("peft")
    @classmethod
    def _peft_names(cls, fields: dict[str, Any] | None) -> dict[str, Any] | None:
        if fields is not None:
            check_peft(fields)
        return fields

    @field_validator("training")
    @classmethod
    def _training_names(cls, fields: dict[str, Any] | None) -> dict[str, Any] | None:
        if fields is not None:
            check_training(fields)
        return fields

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.model_name_or_path is None) == (self.config is None):
            refuse("give exactly one of model_name_or_path and config")
        if self.config is None:
            if self.tokenizer is not None:
                refuse("tokenizer goes with config; a given model brings its own")
            if self.training is not None:
                refuse(
                    "goes with config; a given model is generation 0 as it is",
                    "training",
                )
            return self
        if self.tokenizer is None:
            refuse("config needs tokenizer: {vocab_size: …} beside it")
        return self

    @model_validator(mode="after")
    def _something_to_adapt(self) -> Self:
        if self.peft is not None and self.init_from == "scratch":
            refuse("scratch has no weights that peft could adapt", "init_from")
        return self

    @property
    def successor_from(self) -> Literal["scratch", "base", "parent"]:
        """What each successor's weights start from."""
        new = self.config is not None and self.peft is None
        return self.init_from or ("scratch" if new else "parent")
