"""`review`: when a person looks."""

from pydantic import Field

from lineage.loop.spec.errors import Section


class ReviewSpec(Section):
    """A person looks at every so many generations before the loop goes on."""

    every: int = Field(ge=1)
