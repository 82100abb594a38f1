"""What every gate's section of `loop.yaml` has, and where a type's gate is found.

A gate is a class with a `Section` that checks its fields. Ours are named in
`BUILT_IN`; a package adds one with an entry point in the group `lineage.gates`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from lineage.loop.plugins import Plugins
from lineage.loop.spec.errors import Section, mistake, nearest, refuse, shown

Action = Literal["drop", "warn", "review", "retry", "fallback", "branch", "stop"]

GATES = Plugins(
    "lineage.gates",
    {
        "check_record": "lineage.loop.gates.check_record:CheckRecord",
        "contamination": "lineage.loop.gates.contamination:Contamination",
        "counterfactual": "lineage.loop.gates.counterfactual:Counterfactual",
        "counterfactual_rate": (
            "lineage.loop.gates.counterfactual_rate:CounterfactualRate"
        ),
        "diversity": "lineage.loop.gates.diversity:Diversity",
        "drift": "lineage.loop.gates.drift:Drift",
        "fabrication": "lineage.loop.gates.fabrication:Fabrication",
        "fairness": "lineage.loop.gates.fairness:Fairness",
        "group_rate": "lineage.loop.gates.group_rate:GroupRate",
        "near_duplicates": "lineage.loop.gates.near_duplicates:NearDuplicates",
        "novelty": "lineage.loop.gates.novelty:Novelty",
        "over_optimisation": "lineage.loop.gates.over_optimisation:OverOptimisation",
        "pii": "lineage.loop.gates.pii:Pii",
        "preference": "lineage.loop.gates.preference:Preference",
        "regression": "lineage.loop.gates.regression:Regression",
        "schema": "lineage.loop.gates.schema:Schema",
        "suite": "lineage.loop.gates.suite:Suite",
        "tails": "lineage.loop.gates.tails:Tails",
        "toxicity": "lineage.loop.gates.toxicity:Toxicity",
    },
)


class GateSection(Section):
    """The fields of any gate; `id` is its type unless it is given.

    A class names its `thresholds`, the fields that say what fails, and `why` their
    defaults are what they are; `calibrates` says which of them are a "min" or a "max"
    of what chance alone makes vary in generation 0, and `ratio` that this is a ratio.
    """

    files: ClassVar[tuple[str, ...]] = ()  # fields that name a file
    thresholds: ClassVar[tuple[str, ...]] = ()
    why: ClassVar[str] = ""
    calibrates: ClassVar[Mapping[str, str]] = {}
    ratio: ClassVar[bool] = False
    id: str = Field(default="", min_length=1)
    """What it is called; its `type` unless given. Two of one type need it."""
    action: Action = "stop"
    """What a failure leads to."""
    threshold_from: str | None = Field(default=None, min_length=1)
    """Where its thresholds come from, in your words; verdicts have it."""
    type: str
    """Which gate it is."""

    @property
    def threshold_source(self) -> str | None:
        """Where the thresholds come from: what the section says, or the default's."""
        if self.threshold_from:
            return self.threshold_from
        chosen = [name for name in self.thresholds if name in self.model_fields_set]
        return f"{' and '.join(chosen)} in loop.yaml" if chosen else self.why or None

    def bounded(
        self, value: float | None, details: Mapping[str, Any]
    ) -> Mapping[str, float | None]:
        """What each of the thresholds in `calibrates` bounds, by a verdict."""
        del details
        return dict.fromkeys(self.calibrates, value)

    @model_validator(mode="before")
    @classmethod
    def _named_after_type(cls, value: object) -> object:
        if isinstance(value, dict) and "id" not in value:
            return value | {"id": value.get("type")}
        return value


class DatasetGateSection(GateSection):
    """A gate that judges data as a whole: it has no single record to drop."""

    @field_validator("action")
    @classmethod
    def _nothing_to_drop(cls, action: Action) -> Action:
        if action == "drop":
            refuse("drop is for gates that judge single records; use stop or review")
        return action


def parse_gate(value: object) -> GateSection:
    """The section of a gate, checked by the class of its type."""
    if isinstance(value, GateSection):
        return value
    if not isinstance(value, Mapping):
        refuse(f"must be a mapping, not {shown(value)}")
    if not isinstance(type_ := value.get("type"), str):
        refuse("needs a type")
    if type_ not in GATES:
        refuse("has an unknown type" + nearest(type_, GATES.names()))
    section: Any = GATES[type_].Section
    try:
        checked: GateSection = section.model_validate(value)
    except ValidationError as error:
        refuse(*mistake(error))
    return checked
