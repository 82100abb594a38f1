"""`dataset`: the human data, and what is held out of training."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from lineage.loop.records.tables import SUFFIXES
from lineage.loop.records.text_files import Columns
from lineage.loop.spec.errors import Section, refuse


class DatasetSpec(Section):
    """The human data, what is known of them, and what is held out of training."""

    train_file: list[str] = Field(min_length=1)
    """A `.txt`, `.jsonl`, `.csv` or `.parquet` file, a `datasets` folder, or
    several."""
    text_column: str = Field(default="text", min_length=1)
    """The column that has the text; a `.txt` has none."""
    prompt_column: str | None = Field(default=None, min_length=1)
    """Instead: the column of prompts."""
    completion_column: str | None = Field(default=None, min_length=1)
    """The column of their answers."""
    messages_column: str | None = Field(default=None, min_length=1)
    """Instead: the column of chats, which end with the assistant's turn."""
    validation_file: list[str] | None = Field(default=None, min_length=1)
    """Held-out text, instead of `validation_split`."""
    validation_split: float | None = Field(default=None, gt=0, lt=1)
    """How much of the text is held out, else a tenth of its characters."""
    on_leak: Literal["refuse", "remove"] | None = None
    """What held-out text in `train_file` leads to; unless given, to an error."""
    block_size: int = Field(default=128, ge=2)
    """Tokens per record of human text, and per training example."""
    max_train_samples: int | None = Field(default=None, ge=1)
    """Human training records at most; the seed chooses them."""
    origin: Literal["human", "machine", "mixed", "unknown"] = "unknown"
    """Who wrote it. Text counts as human only when this says so."""
    source: str | None = None
    """Where it is from."""
    licence: str | None = None
    """Under which licence."""
    by: str | None = None
    """Who says all this."""

    @field_validator("train_file", "validation_file", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value

    @field_validator("train_file", "validation_file")
    @classmethod
    def _known_format(
        cls, files: list[str] | None, info: ValidationInfo
    ) -> list[str] | None:
        base = info.context or Path()
        for name in files or ():
            if not name.endswith(SUFFIXES) and not (name and (base / name).is_dir()):
                refuse(f"{name!r} is none of {', '.join(SUFFIXES)}")
        return files

    @model_validator(mode="after")
    def _one_held_out(self) -> Self:
        if self.validation_file and self.validation_split is not None:
            refuse("give validation_file or validation_split, not both")
        if self.on_leak and not self.validation_file:
            refuse("on_leak goes with validation_file; a split removes what leaks")
        return self

    @model_validator(mode="after")
    def _one_kind_of_column(self) -> Self:
        if (self.prompt_column is None) != (self.completion_column is None):
            refuse("prompt_column and completion_column go together")
        kinds = ("prompt_column", "messages_column", "text_column")
        given = [k for k in kinds if k in self.model_fields_set and getattr(self, k)]
        if len(given) > 1:
            refuse(f"give {given[0]} or {given[1]}, not both")
        files = [*self.train_file, *(self.validation_file or ())]
        texts = [name for name in files if name.endswith(".txt")]
        if texts and self.has_prompts:
            refuse(f"{texts[0]} has no columns; leave out {given[0]}")
        return self

    @property
    def columns(self) -> Columns:
        """Which columns of a table are read."""
        return Columns(
            self.text_column,
            self.prompt_column,
            self.completion_column,
            self.messages_column,
        )

    @property
    def has_prompts(self) -> bool:
        """Whether records are prompts with their answers, which are never cut."""
        return bool(self.prompt_column or self.messages_column)

    @property
    def refuses_leaks(self) -> bool:
        """Whether held-out text in the training data is an error."""
        return bool(self.validation_file) and self.on_leak != "remove"

    @property
    def held_out_fraction(self) -> float | None:
        """The share of the text to hold out, or None when a file is held out."""
        return None if self.validation_file else self.validation_split or 0.1

    @property
    def origin_record(self) -> dict[str, str]:
        """The commit's `origin`: only what the spec says, nothing inferred."""
        said = {"source": self.source, "licence": self.licence, "by": self.by}
        return {"type": self.origin} | {k: v for k, v in said.items() if v}
