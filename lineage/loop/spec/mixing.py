"""`mixing`: what a training set is made of."""

from typing import Literal, Self

from pydantic import Field, model_validator

from lineage.loop.spec.errors import Section, refuse


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
