"""The report as typed data: what every format renders and none adds to.

Every `Field` is ``recorded`` (the registry holds it: `commit` or `event` says
where), ``stated`` (a person said so: `by` and `time` say who and when) or
``not provided``. A None elsewhere means not provided as well. docs/report.md
describes the same shape as JSON.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lineage.audit.model.commits import (
    Artifact,
    Gap,
    Generator,
    Hops,
    MadeOf,
    Measurement,
    Portion,
    Source,
    Training,
    Written,
)
from lineage.audit.model.events import (
    AsOf,
    Change,
    Erasure,
    MetricChange,
    Override,
    ParamChange,
    Release,
    Statement,
    Taint,
    TimeStamp,
)
from lineage.audit.model.fields import (
    NOT_PROVIDED,
    STATUSES,
    Field,
    Status,
    all_fields,
)
from lineage.audit.model.loops import (
    Against,
    Compute,
    Gate,
    Generation,
    Loop,
    Measure,
    Oversight,
    Point,
    Step,
)
from lineage.keys.signatures import Ended, Signature, Signer

if TYPE_CHECKING:
    from lineage.audit.obligations.filled import Filled

__all__ = [
    "NOT_PROVIDED",
    "SCHEMA_VERSION",
    "STATUSES",
    "Against",
    "Artifact",
    "AsOf",
    "Change",
    "Compute",
    "Ended",
    "Erasure",
    "Field",
    "Gap",
    "Gate",
    "Generation",
    "Generator",
    "Hops",
    "Loop",
    "MadeOf",
    "Measure",
    "Measurement",
    "MetricChange",
    "Override",
    "Oversight",
    "ParamChange",
    "Point",
    "Portion",
    "Release",
    "Report",
    "Signature",
    "Signer",
    "Source",
    "Statement",
    "Status",
    "Step",
    "Taint",
    "TimeStamp",
    "Training",
    "Written",
]

SCHEMA_VERSION = 2


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a report says.

    `subjects` are the commits that it is on, `audience` whom it was made for. What
    they belong to are `loops`; `artifacts` are all commits that it speaks of, in the
    order in which they were recorded. `changes` are those between releases. `keys`
    are all keys of the registry, `stamps` all time stamps of its log.
    """

    as_of: AsOf
    subjects: tuple[str, ...]
    audience: str
    loops: tuple[Loop, ...]
    releases: tuple[Release, ...]
    changes: tuple[Change, ...]
    taints: tuple[Taint, ...]
    erasures: tuple[Erasure, ...]
    generators: tuple[Generator, ...]
    training: tuple[Training, ...]
    written: tuple[Written, ...]
    artifacts: tuple[Artifact, ...]
    statements: tuple[Statement, ...]
    gaps: tuple[Gap, ...]
    keys: tuple[Signer, ...]
    stamps: tuple[TimeStamp, ...] = ()
    obligations: "Filled | None" = None
    schema_version: int = SCHEMA_VERSION

    @property
    def coverage(self) -> dict[Status, int]:
        """How many fields of the artifacts are recorded, stated and not provided."""
        counts = dict.fromkeys(STATUSES, 0)
        for field in all_fields(self.artifacts):
            counts[field.status] += 1
        return counts

    @property
    def turns(self) -> tuple[Generation, ...]:
        """The generations of all loops, those of each that were rejected last."""
        return tuple(turn for loop in self.loops for turn in loop.turns)
