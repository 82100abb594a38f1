"""`evaluation`: how a model and its data are measured."""

from pydantic import Field

from lineage.loop.spec.errors import Section


class EvaluationSpec(Section):
    """How a model and its data are measured; `sample_size` counts tokens."""

    batch_size: int = Field(default=32, ge=1)
    max_samples: int | None = Field(default=None, ge=1)
    sample_size: int = Field(default=10_000, ge=2)
