"""`selection`: which of the records that the gates leave are handed on."""

from __future__ import annotations

from string import Formatter
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from lineage.loop.spec.errors import Section, refuse, shown
from lineage.loop.spec.files import parted

CHECK = "check_record"  # a function whose verdict is a reward: 1 or 0
_PARTS = ("prompt", "completion", "text")


class ScorerSpec(Section):
    """A model that says how good a record is; an input of the check step."""

    model_name_or_path: str = Field(min_length=1)
    """A `save_pretrained` folder, or a revision."""
    role: Literal["reward", "judge", "verifier"]
    """What it is: a reward model, a judge or a verifier."""
    prompt: str | None = Field(default=None, min_length=1)
    """A judge's question, with `{prompt}`, `{completion}` or `{text}`."""
    answer: str = Field(default="yes", min_length=1)
    """The answer whose log-likelihood is the reward."""

    @field_validator("prompt")
    @classmethod
    def _parts_of_a_record(cls, prompt: str | None) -> str | None:
        try:
            found = [name for _, name, *_ in Formatter().parse(prompt or "")]
        except ValueError as error:
            refuse(f"is no template: {error}")
        for name in found:
            if name is not None and name not in _PARTS:
                refuse(f"has {{{name}}}; a record has {', '.join(_PARTS)}")
        return prompt

    @model_validator(mode="after")
    def _a_question_is_for_a_judge(self) -> Self:
        if self.role != "judge" and {"prompt", "answer"} & self.model_fields_set:
            refuse(f"prompt and answer are for a judge, not a {self.role}")
        if self.prompt is None and "answer" in self.model_fields_set:
            refuse("answer goes with prompt")
        return self


def _scorer(value: object) -> object:
    """A function's place, or the section of a model."""
    if value == CHECK:
        return f"checks.py:{CHECK}"
    if isinstance(value, str):
        if not parted(value)[1]:
            refuse(
                f'is check_record, "file.py:function" or a model, not {shown(value)}'
            )
        return value
    return ScorerSpec.model_validate(value)


class SelectionSpec(Section):
    """Which records train: the best of each prompt's, those above a threshold."""

    files: ClassVar[tuple[str, ...]] = ("by",)
    by: Annotated[Any, BeforeValidator(_scorer)]
    """What gives a reward: `check_record`, `file.py:function` or a model."""
    keep: Literal["best", "above", "pairs", "weighted"]
    """Which are kept: of each prompt the best, those above, pairs, or all, weighted."""
    threshold: float | None = None
    """The reward that a record has at least; 0.5 for verdicts."""

    @model_validator(mode="after")
    def _threshold_is_used(self) -> Self:
        if self.keep == "weighted" and self.threshold is not None:
            refuse("threshold has no use with keep: weighted, which drops nothing")
        if self.keep == "above" and self.limit is None:
            refuse("keep: above needs a threshold")
        return self

    @property
    def model(self) -> ScorerSpec | None:
        """The model that says how good a record is, where it is one."""
        return self.by if isinstance(self.by, ScorerSpec) else None

    @property
    def is_verdict(self) -> bool:
        """Whether rewards are 1 for right and 0 for wrong, or a chance of it."""
        if self.model:
            return self.model.role == "verifier"
        return parted(self.by)[1] == CHECK

    @property
    def limit(self) -> float | None:
        """The reward that a record has at least; half of a verdict, unless given."""
        if self.threshold is None and self.is_verdict and self.keep != "best":
            return 0.5
        return self.threshold

    @property
    def needs_candidates(self) -> bool:
        """Whether it compares several answers to one prompt."""
        return self.keep in ("best", "pairs")
