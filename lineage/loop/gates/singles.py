"""What gates that judge single records have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from lineage.loop.gates.base import GateResult
from lineage.loop.spec.gates import Action, GateSection
from lineage.wording import apart

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lineage.loop.records.shards import Record

_REASONS, _EXAMPLES = 10, 3


class SinglesSection(GateSection):
    """A gate that drops failing records, and fails where they are too many."""

    thresholds: ClassVar[tuple[str, ...]] = ("max_rate",)
    why: ClassVar[str] = (
        "ours: who drops more than one record in twenty should look at the generator"
    )
    action: Action = "drop"
    max_rate: float | None = Field(default=None, ge=0, le=1)
    """The gate fails when a larger share of the records does."""

    @property
    def most(self) -> float:
        """The largest share of failing records: 5 % where they are dropped, else 0."""
        if self.max_rate is not None:
            return self.max_rate
        return 0.05 if self.action == "drop" else 0.0

    @property
    def threshold_source(self) -> str | None:
        """The default depends on what happens to a record that fails."""
        said = super().threshold_source
        if said == self.why and not self.most:
            return "nothing is dropped, so none may fail"
        return said


def verdict(
    section: SinglesSection,
    records: Sequence[Record],
    reasons: Mapping[int, str],
    what: str,
    details: Mapping[str, Any] | None = None,
) -> GateResult:
    """Pass where no more than the allowed share of the records has a reason to fail.

    `what` goes on after "3 of 400 records".
    """
    count, most = len(records), section.most
    rate = len(reasons) / count if count else None
    common = common_reasons(records, reasons)
    limit = apart(percent, 3, rate or 0.0, most)[1]
    allowed = f"at most {limit} may" if most else "none may"
    return GateResult(
        id=section.id,
        type=section.type,
        passed=rate is not None and rate <= most,
        value=rate,
        bounds={"max": most},
        action=section.action,
        sentence=f"{len(reasons)} of {count} records {what}; {allowed}",
        rejected=reasons,
        details={
            "n": count,
            **(details or {}),
            **({"reasons": common} if common else {}),
        },
        threshold_from=section.threshold_source,
    )


def common_reasons(
    records: Sequence[Record], reasons: Mapping[int, str]
) -> list[dict[str, Any]]:
    """The most frequent reasons: how many records each has, and the first of them."""
    rows: dict[str, list[int]] = {}
    for row, reason in reasons.items():
        rows.setdefault(reason, []).append(row)
    common = sorted(rows.items(), key=lambda item: (-len(item[1]), item[0]))
    return [
        {"reason": reason, "count": len(found), "records": examples(records, found)}
        for reason, found in common[:_REASONS]
    ]


def examples(records: Sequence[Record], rows: Iterable[int]) -> list[str]:
    """The ids of the first of some records."""
    first = sorted(rows)[:_EXAMPLES]
    return [str(records[row].get("id", row)) for row in first]


def percent(share: float, digits: int = 3) -> str:
    """`0.5 %`: as many digits as say something."""
    return f"{100 * share:.{digits}g} %"
