"""`generation`: what each model writes."""

from typing import Any

from pydantic import Field, field_validator

from lineage.loop.spec.errors import Section
from lineage.loop.spec.names import check_generation


class GenerationSpec(Section):
    """What each generation writes. `num_samples`: as many as human records."""

    num_samples: int | None = Field(default=None, ge=1)
    num_candidates: int = Field(default=1, ge=1)
    shard_size: int = Field(default=256, ge=1)
    prompt_length: int = Field(default=1, ge=1)
    batch_size: int = Field(default=64, ge=1)
    generation_config: dict[str, Any] = Field(default_factory=dict)

    @field_validator("generation_config")
    @classmethod
    def _names(cls, fields: dict[str, Any]) -> dict[str, Any]:
        check_generation(fields)
        return fields
