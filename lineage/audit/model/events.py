"""Events as a report has them: each with who made it, and its signature."""

from collections.abc import Mapping
from dataclasses import dataclass

from lineage.audit.model.commits import MadeOf
from lineage.keys.signatures import Signature
from lineage.store.canonical import Json


@dataclass(frozen=True, slots=True)
class AsOf:
    """The newest event that the report knows of."""

    event: str
    time: str
    type: str


@dataclass(frozen=True, slots=True)
class Statement:
    """What somebody said of a commit later: a review, a failure, another attestation.

    `signature` is that of the event. A review's `data` has ``verdict``, ``by``,
    ``note`` and ``override``.
    """

    event: str
    type: str
    time: str
    by: str
    signature: Signature
    subject: str | None
    message: str
    data: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class TimeStamp:
    """The event `event` records that the event `of` was there at `time`, says `tsa`.

    An authority of RFC 3161; `lineage verify` checks what it signed, a report does not.
    """

    event: str
    of: str
    time: str
    tsa: str


@dataclass(frozen=True, slots=True)
class Override:
    """An approval of what the gates `failed` had against it, or past `budgets`."""

    event: str
    subject: str
    by: str
    time: str
    signature: Signature
    reason: str
    failed: tuple[str, ...]
    budgets: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Release:
    """The commit `subject` was live in `environment` from `since` until `until`.

    None: it is at the end of the log. `event` released it, `ended` retired or replaced
    it.
    """

    event: str
    environment: str
    subject: str
    kind: str
    name: str
    since: str
    until: str | None
    by: str
    signature: Signature
    ended: str | None


@dataclass(frozen=True, slots=True)
class MetricChange:
    """A metric before and after; one of them is None where it is new, or gone.

    `delta` is None where the two do not mean the same. `verdict` is ``better``,
    ``worse``, ``none``, ``no verdict`` (the intervals overlap) or ``not comparable``,
    as `lineage diff` says it.
    """

    name: str
    before: float | None
    after: float | None
    delta: float | None
    verdict: str


@dataclass(frozen=True, slots=True)
class ParamChange:
    """A parameter before and after: ``changed``, or ``added`` or ``removed``.

    That of a part begins with its ``kind/name``.
    """

    name: str
    before: Json
    after: Json
    change: str


@dataclass(frozen=True, slots=True)
class Change:
    """What changed from the commit `before` to `after`, releases or generations.

    `released` are the events that released them, empty for the first and the last
    generation of a loop without releases. `new` and `gone` are the parts, as
    ``kind/name``, that only one side has.
    """

    before: str
    after: str
    released: tuple[str, ...]
    metrics: tuple[MetricChange, ...]
    params: tuple[ParamChange, ...]
    made_of: tuple[MadeOf | None, MadeOf | None]
    changed: tuple[str, ...]
    new: tuple[str, ...]
    gone: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Taint:
    """The commit `subject` was marked as tainted, and so is what came of it.

    `records` counts the bad records, None: the commit as a whole is bad. `reached`
    counts what came of it in the whole registry; `reaches` are those of this report,
    the subject among them, and `perhaps` the ones among these that only have it if
    some of their records are bad ones. `lifted` is the event that lifted it.
    """

    event: str
    subject: str
    reason: str
    by: str
    time: str
    signature: Signature
    lifted: str | None
    records: int | None
    reached: int
    reaches: tuple[str, ...]
    perhaps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Erasure:
    """Files of `subjects` were erased for `authority`, by their SHA-256 each."""

    event: str
    subjects: tuple[str, ...]
    files: tuple[str, ...]
    reason: str
    authority: str
    by: str
    time: str
    signature: Signature
