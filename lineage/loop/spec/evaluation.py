"""`evaluation`: how a model and its data are measured."""

from pydantic import Field, field_validator

from lineage.loop.measuring.definitions import MEASURES as BUILT_IN
from lineage.loop.plugins import Plugins
from lineage.loop.spec.errors import Section, nearest, refuse
from lineage.loop.spec.files import parted

OWN_MEASURES = Plugins("lineage.measures", {})


class EvaluationSpec(Section):
    """How a model and its data are measured; `sample_size` counts tokens."""

    batch_size: int = Field(default=32, ge=1)
    """Held-out records at once."""
    max_samples: int | None = Field(default=None, ge=1)
    """Held-out records at most; the seed chooses them."""
    sample_size: int = Field(default=10_000, ge=2)
    """Tokens of the sample that measures of diversity are taken on."""
    measures: list[str] = Field(default_factory=list)
    """Measures of your own: installed ones, or `file.py:function`."""

    @field_validator("measures")
    @classmethod
    def _known_once(cls, measures: list[str]) -> list[str]:
        names = [_checked(measure) for measure in measures]
        for name in names:
            if names.count(name) > 1:
                refuse(f"two measures are called {name}; rename one of them")
        return measures


def in_file(measure: str) -> tuple[str, str] | None:
    """The file and the function of `file.py:function`; None for an installed one."""
    file, function = parted(measure)
    return (file, function) if function and file.endswith(".py") else None


def measure_name(measure: str) -> str:
    """What the numbers of a measure are called."""
    placed = in_file(measure)
    return placed[1] if placed else measure


def _checked(measure: str) -> str:
    name = measure_name(measure)
    if name in BUILT_IN:
        refuse(f"{name} is a built-in measure, which is always taken")
    if not in_file(measure) and measure not in OWN_MEASURES:
        near = nearest(measure, OWN_MEASURES.names())
        also = 'give an installed one or "file.py:function"'
        refuse(f"there is no measure {measure!r}{near or '; ' + also}")
    return name
