"""`budgets`: how far a loop may go before a person looks at it."""

from pydantic import Field, model_validator

from lineage.loop.spec.errors import Section, refuse


class BudgetsSpec(Section):
    """Limits on what a loop spends between two approvals; None is no limit."""

    generations_without_review: int | None = Field(default=None, gt=0)
    """Generations on the loop's branch, generation 0 too."""
    tokens: int | None = Field(default=None, gt=0)
    """Tokens of its steps: generated, trained on and evaluated."""
    gpu_seconds: float | None = Field(default=None, gt=0)
    """Seconds of steps that had memory on a GPU, times the GPUs."""
    wall_seconds: float | None = Field(default=None, gt=0)
    """Seconds of its steps, failed ones too."""
    flops: float | None = Field(default=None, gt=0)
    """What steps say of their floating point operations."""

    @model_validator(mode="after")
    def _says_something(self) -> "BudgetsSpec":
        if not self.limits:
            refuse(f"needs one of {', '.join(type(self).model_fields)}")
        return self

    @property
    def limits(self) -> dict[str, float]:
        """The limits that are set, by name."""
        return {name: limit for name, limit in self if limit is not None}
