"""The `gates` section of `loop.yaml`: one model per type of gate.

What the gates do with these fields is in `lineage.loop.gates`.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from lineage.loop.spec_errors import Section, refuse

Action = Literal["drop", "stop", "review"]


class _GateSection(Section):
    id: str = Field(default="", min_length=1)
    action: Action = "stop"

    @model_validator(mode="before")
    @classmethod
    def _named_after_type(cls, value: object) -> object:
        if isinstance(value, dict) and "id" not in value:
            return value | {"id": value.get("type")}
        return value


class _DatasetGateSection(_GateSection):
    @field_validator("action")
    @classmethod
    def _nothing_to_drop(cls, action: Action) -> Action:
        if action == "drop":
            refuse("drop is for gates that judge single records; use stop or review")
        return action


class CheckRecordSpec(_GateSection):
    """Unit tests of generated records: `checks.py` with `def check_record(record)`."""

    type: Literal["check_record"]
    action: Action = "drop"
    checks: str = Field(default="checks.py", min_length=1)
    min_pass_rate: float | None = Field(default=None, ge=0, le=1)

    @property
    def required_rate(self) -> float:
        """The pass rate below which the gate fails.

        Half, where failing records are dropped: a filter is worth its data while
        fewer than half of them are wrong (Feng et al. 2024, arXiv:2406.07515, for
        a filter that does not err). All, where nothing is dropped.
        """
        if self.min_pass_rate is not None:
            return self.min_pass_rate
        return 0.5 if self.action == "drop" else 1.0


class GroupRateSpec(_DatasetGateSection):
    """Bias shift: which groups the data speak of, against the human data."""

    type: Literal["group_rate"]
    lexicon: str = Field(min_length=1)
    max_logit_shift: float = Field(default=0.4, gt=0)


class DiversitySpec(_DatasetGateSection):
    """Two-sided diversity against generation 0's own samples."""

    type: Literal["diversity"]
    measure: Literal[
        "distinct_1", "distinct_2", "unigram_entropy", "compression_ratio"
    ] = "distinct_2"
    min: float = Field(default=0.8, ge=0)
    max: float = Field(default=1.25, gt=0)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min >= self.max:
            refuse(f"min {self.min} must be less than max {self.max}")
        return self


GateSpec = Annotated[
    CheckRecordSpec | GroupRateSpec | DiversitySpec, Field(discriminator="type")
]
