"""`launcher`: where the shards of a loop are done. It shapes no artifact."""

from typing import Literal, Self

from pydantic import Field, model_validator

from lineage.loop.spec.errors import Section, refuse


class LauncherSpec(Section):
    """This machine, or the nodes of a Ray cluster.

    `num_cpus` and `num_gpus` are what each task asks Ray for; `max_retries` how
    often a task is tried again whose node was lost.
    """

    type: Literal["local", "ray"] = "local"
    """This process, or the nodes of a Ray cluster."""
    address: str = Field(default="auto", min_length=1)
    """The cluster's, as `ray.init` takes it."""
    remote: str | None = Field(default=None, min_length=1)
    """The DVC remote that nodes fetch from; DVC's default unless given."""
    num_cpus: float = Field(default=1, ge=0)
    """What each task asks for."""
    num_gpus: float = Field(default=0, ge=0)
    """What each task asks for."""
    max_retries: int = Field(default=3, ge=0)
    """How often a task is given to another node when its own was lost."""

    @model_validator(mode="after")
    def _of_ray(self) -> Self:
        if self.type == "local":
            for name in sorted(self.model_fields_set - {"type"}):
                refuse("goes with type: ray", name)
        return self
