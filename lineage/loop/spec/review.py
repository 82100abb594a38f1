"""`review`: when a person looks, at what, and what a rejection leads to."""

from typing import Literal, Self, get_args

from pydantic import Field, field_validator, model_validator

from lineage.loop.spec.errors import Section, refuse

Moment = Literal["first", "last", "gate"]
Strategy = Literal["random", "highest_loss", "flagged"]
OnReject = Literal["stop", "retry", "rollback"]
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
SAMPLES = 30  # records of a packet, unless a spec says otherwise


class SampleSpec(Section):
    """Which records a person is shown: `n` in all, shared out among strategies."""

    n: int = Field(default=SAMPLES, ge=1, le=1000)
    """How many in all, shared out evenly among the strategies."""
    strategy: list[Strategy] = Field(default=list(STRATEGIES), min_length=1)
    """At random, the least likely by generation 0's model, what a gate flagged."""

    @field_validator("strategy")
    @classmethod
    def _once_each(cls, names: list[Strategy]) -> list[Strategy]:
        for name in names:
            if names.count(name) > 1:
                refuse(f"has {name} twice")
        return names


class ReviewSpec(Section):
    """A person looks at some generations before the loop goes on."""

    every: int | None = Field(default=None, ge=1)
    """After every so many generations."""
    on: list[Moment] = Field(default_factory=list)
    """After the first, after the last, and after each that passed a failed gate."""
    approvals: int = Field(default=1, ge=1)
    """How many different people have to approve."""
    sample: SampleSpec = Field(default_factory=SampleSpec)
    on_reject: OnReject = "stop"
    """What follows a rejection: the end, another try, or the last approved one."""

    @model_validator(mode="after")
    def _some_moment(self) -> Self:
        if self.every is None and not self.on and "on" in self.model_fields_set:
            refuse("asks for no review: give every, or a moment in on")
        return self
