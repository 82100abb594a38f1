"""`generation`: what each model writes, and what it is asked."""

from __future__ import annotations

from string import Formatter
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from lineage.loop.spec.errors import Section, nearest, refuse
from lineage.loop.spec.names import check_generation

HUMAN = "human"


class FilePrompts(Section):
    """Prompts that lie in a file: a line each, or the rows of a .jsonl."""

    files: ClassVar[tuple[str, ...]] = ("file",)
    file: str
    """A `.jsonl` with a `prompt` per line, or a `.txt` with one per line."""

    @field_validator("file")
    @classmethod
    def _known_format(cls, name: str) -> str:
        if not name.endswith((".txt", ".jsonl")):
            refuse(f"{name!r} is neither a .txt nor a .jsonl file")
        return name


class TemplatePrompts(Section):
    """A template, filled in with every combination of the values, or a file's rows."""

    files: ClassVar[tuple[str, ...]] = ()
    template: str = Field(min_length=1)
    """The text, with names in braces; `{{` is a brace."""
    values: dict[str, list[str | int | float]] | str
    """What each name stands for, in every combination, or a `.jsonl` of rows."""

    @model_validator(mode="after")
    def _names_have_values(self) -> Self:
        names = self.names
        if isinstance(self.values, str):
            if not self.values.endswith(".jsonl"):
                refuse(f"{self.values!r} is no .jsonl file", "values")
            return self
        if unknown := sorted(names - self.values.keys()):
            known = nearest(unknown[0], self.values)
            refuse(f"{{{unknown[0]}}} has no values{known}", "template")
        if unused := sorted(self.values.keys() - names):
            refuse(f"{unused[0]} is not in the template", "values")
        if empty := sorted(key for key, each in self.values.items() if not each):
            refuse(f"{empty[0]} has no values", "values")
        return self

    @property
    def names(self) -> set[str]:
        """The names in braces."""
        try:
            parts = list(Formatter().parse(self.template))
        except ValueError as error:
            refuse(f"is no template: {error}", "template")
        found = [
            (name, spec or how) for _, name, spec, how in parts if name is not None
        ]
        for name, more in found:
            if not name.isidentifier() or more:
                refuse(f"{{{name}}} is no name; write {{{{ for a brace", "template")
        return {name for name, _ in found}


class SelfInstruct(Section):
    """Prompts that the model writes itself, after human examples."""

    examples: int = Field(default=8, ge=1)
    """Human prompts that the model is shown each time."""
    max_similarity: float = Field(default=0.7, gt=0, le=1)
    """A prompt more like one that is there already is left out (ROUGE-L)."""
    max_new_tokens: int = Field(default=64, ge=1)
    """Tokens of a new prompt, at most."""
    rounds: int = Field(default=10, ge=1)
    """How often the model is asked again until there are enough."""


class SelfPrompts(Section):
    """The model writes new prompts first, and then answers them."""

    files: ClassVar[tuple[str, ...]] = ()
    self_instruct: SelfInstruct


PROMPTS: dict[str, type[Section]] = {
    "file": FilePrompts,
    "template": TemplatePrompts,
    "self_instruct": SelfPrompts,
}


def _prompts(value: object) -> object:
    """`human`, or the section of another kind of prompt, told by its first field."""
    if value == HUMAN or isinstance(value, Section):
        return value
    known = [form for key, form in PROMPTS.items() if _has(value, key)]
    if not known:
        refuse("is human, {file: …}, {template: …, values: …} or {self_instruct: {…}}")
    return known[0].model_validate(value)


def _has(value: object, key: str) -> bool:
    return isinstance(value, dict) and key in value


class GenerationSpec(Section):
    """What each generation writes. `num_samples`: as many as there are prompts."""

    num_samples: int | None = Field(default=None, ge=1)
    """Prompts that each model answers; else as many as human training records."""
    num_candidates: int = Field(default=1, ge=1)
    """Answers to each prompt, each with a seed of its own."""
    shard_size: int = Field(default=256, ge=1)
    """Records per file."""
    prompts: Annotated[Any, BeforeValidator(_prompts)] = HUMAN
    """Where prompts are from: `human`, or a section of one of the kinds below."""
    prompt_length: int = Field(default=1, ge=1)
    """Tokens of a human text that a record starts from; not with whole prompts."""
    system_prompt: str | None = Field(default=None, min_length=1)
    """Said by the system before each chat, instead of what human chats have."""
    chat: bool = False
    """Put prompts to the model by its tokenizer's chat template."""
    stop: list[str] = Field(default_factory=list)
    """A text, or several, at which an answer ends; it is left out."""
    extract: Literal["fenced"] | None = None
    """Put the first fenced block of an answer into the record as `code`."""
    batch_size: int = Field(default=64, ge=1)
    """Records that are generated at once; in float32 it changes nothing else."""
    generation_config: dict[str, Any] = Field(default_factory=dict)
    """Fields of `GenerationConfig`. Unless given, `do_sample` is true and the block is
    filled."""

    @field_validator("generation_config")
    @classmethod
    def _names(cls, fields: dict[str, Any]) -> dict[str, Any]:
        check_generation(fields)
        return fields

    @field_validator("stop", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value

    @field_validator("stop")
    @classmethod
    def _something_to_stop_at(cls, stop: list[str]) -> list[str]:
        if not all(stop):
            refuse("an empty text is everywhere")
        return stop

    @model_validator(mode="after")
    def _a_system_is_of_a_chat(self) -> Self:
        if self.system_prompt and not self.chat:
            refuse("system_prompt goes with chat: true")
        return self

    @property
    def instructs(self) -> SelfInstruct | None:
        """How the model writes its own prompts, if it does."""
        mine = isinstance(self.prompts, SelfPrompts)
        return self.prompts.self_instruct if mine else None
