"""Unit tests of generated records: a user's `checks.py`.

    def check_record(record):
        assert record["text"].strip(), "nothing was written"
        return "lorem ipsum" not in record["text"]

A record fails when the function raises, or returns something false but None. The
file is run from its source, whose SHA-256 is recorded; what it imports must be
installed, so that the hash covers it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from lineage.loop.functions import load_function, one_line
from lineage.loop.gates.base import Context, GateResult
from lineage.loop.gates.singles import common_reasons, percent
from lineage.loop.spec.gates import Action, GateSection
from lineage.wording import apart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lineage.loop.records.shards import Record
    from lineage.loop.spec import LoopSpec

_FUNCTION = "check_record"


class CheckRecordSpec(GateSection):
    """Unit tests of generated records: `checks.py` with `def check_record(record)`."""

    files: ClassVar[tuple[str, ...]] = ("checks",)
    thresholds: ClassVar[tuple[str, ...]] = ("min_pass_rate",)
    type: Literal["check_record"]
    action: Action = "drop"
    checks: str = Field(default="checks.py", min_length=1)
    """The file, which has a `check_record`."""
    min_pass_rate: float | None = Field(default=None, ge=0, le=1)
    """The gate fails when fewer pass; 0.5 with `drop`, else 1."""

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

    @property
    def threshold_source(self) -> str | None:
        """The default depends on what happens to a record that fails."""
        default = (
            "a filter that does not err is worth its data while fewer than half of "
            "them are wrong (Feng et al. 2024, arXiv:2406.07515)"
            if self.action == "drop"
            else "nothing is dropped, so all must pass"
        )
        return super().threshold_source or default


class CheckRecord:
    """Runs `check_record` on each record; `action: drop` leaves out what fails.

    The gate itself fails when fewer than `min_pass_rate` of the records pass.
    """

    Section = CheckRecordSpec
    on: Literal["dataset"] = "dataset"

    def __init__(self, section: CheckRecordSpec, spec: LoopSpec) -> None:
        self.id = section.id
        self._section = section
        self._function = load_function(spec, section.checks, _FUNCTION)

    def check(self, context: Context) -> GateResult:
        """Run the user's function on a copy of every record."""
        reasons: dict[int, str] = {}
        broken = 0
        for row, record in enumerate(context.records):
            reason, is_broken = self._fault(record)
            broken += is_broken
            if reason:
                reasons[row] = reason
        return self._result(context.records, reasons, broken)

    def _fault(self, record: Record) -> tuple[str, bool]:
        """Why a record fails ("" if it passes), and whether the check itself broke."""
        try:
            answer = self._function(record)
            passed = answer is None or bool(answer)
            said = "" if passed else f"{_FUNCTION} returned {answer!r}"
        except AssertionError as error:
            return one_line(str(error)) or "an assertion failed", False
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  (a user's code)
            return self._function.raised(error), True
        return one_line(said), False

    def _result(
        self, records: Sequence[Record], reasons: dict[int, str], broken: int
    ) -> GateResult:
        count, common = len(records), common_reasons(records, reasons)
        passes = count - len(reasons)
        rate = passes / count if count else None
        required = self._section.required_rate
        least = apart(percent, 3, passes / max(count, 1), required)[1]
        sentence = (
            f"{passes} of {count} records pass {self._function.code['file']}; "
            f"at least {least} must"
        )
        if broken:
            sentence += f"; on {broken} the check itself broke"
        if common:
            sentence += f"; most often: {common[0]['reason']}"
        return GateResult(
            id=self.id,
            type=self._section.type,
            passed=rate is not None and rate >= required,
            value=rate,
            bounds={"min": required},
            action=self._section.action,
            sentence=sentence,
            rejected=reasons,
            threshold_from=self._section.threshold_source,
            details={
                "n": count,
                "broken": broken,
                "code": dict(self._function.code),
                **({"reasons": common} if common else {}),
            },
        )
