"""`dataset`: the human data, and what is held out of training."""

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from lineage.loop.spec.errors import Section, refuse


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
