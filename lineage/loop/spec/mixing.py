"""`mixing`: what a training set is made of."""

import re
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from lineage.loop.spec.errors import Section, nearest, refuse

_GENERATION = re.compile(r"g\d{3,}")
_SOURCES = ("human", "new", "old")


class MixingSpec(Section):
    """What the training set of a generation is made of."""

    strategy: Literal["replace", "accumulate", "accumulate_subsample", "mix"] = (
        "accumulate"
    )
    """The newest records, all of them, an even sample of all, or new and human ones."""
    human_fraction: float | None = Field(default=None, gt=0, lt=1)
    """With `mix`: how much of the whole is human."""
    human_resample: Literal["fresh", "fixed"] | None = None
    """With `mix`: draw human records anew for each generation, or once."""
    max_samples: int | None = Field(default=None, ge=1)
    """Records at most."""
    weights: dict[str, float] = Field(default_factory=dict)
    """How often each record of a source trains: `human`, `new`, `old`, `g001`."""
    deduplicate: Literal["none", "exact", "near"] = "none"
    """Leave out records whose text an earlier one has, or nearly has."""

    @field_validator("weights")
    @classmethod
    def _of_sources(cls, weights: dict[str, float]) -> dict[str, float]:
        for name, weight in weights.items():
            if name not in _SOURCES and not _GENERATION.fullmatch(name):
                refuse("is no source" + nearest(name, [*_SOURCES, "g001"]), name)
            if weight < 0:
                refuse("must be at least 0", name)
        return weights

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
        if self.weights and not self.accumulates:
            refuse(f"weights go with accumulate, not {self.strategy}")
        trained = self.trains_on_human or self.weight("g001", newest=True)
        if self.accumulates and not trained:
            refuse("weights leave generation 1 nothing to train on")
        return self

    @property
    def accumulates(self) -> bool:
        """Whether records of all generations train."""
        return self.strategy.startswith("accumulate")

    @property
    def trains_on_human(self) -> bool:
        """Whether human records are in any training set after generation 0's."""
        if self.accumulates:
            return self.weight("human", newest=False) > 0
        return self.strategy == "mix"

    @property
    def resample(self) -> Literal["fresh", "fixed"]:
        """Whether each generation draws its human records anew."""
        return self.human_resample or "fresh"

    def weight(self, source: str, *, newest: bool) -> float:
        """How often each record of a source trains: the nearest name says it."""
        age = "new" if newest else "old"
        general = 1.0 if source == "human" else self.weights.get(age, 1.0)
        return self.weights.get(source, general)
