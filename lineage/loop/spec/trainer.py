"""`trainer`: what a successor is taught by: texts, preferences or rewards."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from lineage.loop.spec.errors import Section, refuse

# Which fields a type reads, beside `completion_only`.
_OF = {
    "sft": (),
    "dpo": ("beta", "reference"),
    "reward_weighted": ("temperature",),
}


class TrainerSpec(Section):
    """The loss of each successor; generation 0 always learns from texts (`sft`)."""

    type: Literal["sft", "dpo", "reward_weighted"] = "sft"
    """Learn records, preferences between two answers, or records by their reward."""
    completion_only: bool = False
    """Read the tokens of prompts, and do not learn them."""
    beta: float = Field(default=0.1, gt=0)
    """Of `dpo`: how much the distance from the reference costs."""
    reference: Literal["base", "parent"] = "base"
    """Of `dpo`: the model that the successor is held to."""
    temperature: float = Field(default=1.0, gt=0)
    """Of `reward_weighted`: a record weighs exp(reward / temperature)."""

    @model_validator(mode="after")
    def _of_this_type(self) -> Self:
        for key in ("beta", "reference", "temperature"):
            if key in self.model_fields_set and key not in _OF[self.type]:
                goes = next(type_ for type_, keys in _OF.items() if key in keys)
                refuse(f"goes with type: {goes}, not {self.type}", key)
        return self

    def resolved(self) -> dict[str, Any]:
        """The fields that count, defaults filled in."""
        counted = ("type", "completion_only", *_OF[self.type])
        return self.model_dump(mode="json", include=set(counted))
