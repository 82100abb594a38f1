"""`budgets`: how far a loop may go before a person looks at it."""

from pydantic import Field, model_validator

from lineage.loop.spec.errors import Section, refuse


class BudgetsSpec(Section):
    """Limits on what a loop spends between two approvals; None is no limit."""

    generations_without_review: int | None = Field(default=None, gt=0)
    tokens: int | None = Field(default=None, gt=0)
    gpu_seconds: float | None = Field(default=None, gt=0)
    wall_seconds: float | None = Field(default=None, gt=0)
    flops: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _says_something(self) -> "BudgetsSpec":
        if not self.limits:
            refuse(f"needs one of {', '.join(type(self).model_fields)}")
        return self

    @property
    def limits(self) -> dict[str, float]:
        """The limits that are set, by name."""
        return {name: limit for name, limit in self if limit is not None}
