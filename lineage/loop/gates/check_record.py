"""Unit tests of generated records: a user's `checks.py`.

    def check_record(record):
        assert record["text"].strip(), "nothing was written"
        return "lorem ipsum" not in record["text"]

A record fails when the function raises, or returns something false but None. The
file is run from its source, whose SHA-256 is recorded; what it imports must be
installed, so that the hash covers it.
"""

from __future__ import annotations

import inspect
import re
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from lineage.errors import UsageError
from lineage.loop.gates.base import Context, GateResult
from lineage.loop.spec.gates import Action, GateSection
from lineage.loop.steps.users import run_source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from lineage.loop.shards import Record
    from lineage.loop.spec import LoopSpec

_FUNCTION = "check_record"
_REASONS, _EXAMPLES, _LONGEST = 10, 3, 200
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}\b")  # of an object in memory


class CheckRecordSpec(GateSection):
    """Unit tests of generated records: `checks.py` with `def check_record(record)`."""

    files: ClassVar[tuple[str, ...]] = ("checks",)
    thresholds: ClassVar[tuple[str, ...]] = ("min_pass_rate",)
    type: Literal["check_record"]
    action: Action = "drop"
    checks: str = Field(default="checks.py", min_length=1)
    min_pass_rate: float | None = Field(default=None, ge=0, le=1)

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
        self._path = spec.path(section.checks)
        self._function, self._code = _load(spec.content(section.checks), self._path)

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
            answer = self._function(dict(record))
            passed = answer is None or bool(answer)
            said = "" if passed else f"{_FUNCTION} returned {answer!r}"
        except AssertionError as error:
            return _one_line(str(error)) or "an assertion failed", False
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  (a user's code)
            return _raised(self._path, error), True
        return _one_line(said), False

    def _result(
        self, records: Sequence[Record], reasons: dict[int, str], broken: int
    ) -> GateResult:
        count, common = len(records), _common(records, reasons)
        passes = count - len(reasons)
        rate = passes / count if count else None
        required = self._section.required_rate
        sentence = (
            f"{passes} of {count} records pass {self._code['file']}; "
            f"at least {required:.0%} must"
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
                "code": self._code,
                **({"reasons": common} if common else {}),
            },
        )


def _common(
    records: Sequence[Record], reasons: Mapping[int, str]
) -> list[dict[str, Any]]:
    """The most frequent reasons: how many records each has, and the first of them."""
    rows: dict[str, list[int]] = {}
    for row, reason in reasons.items():
        rows.setdefault(reason, []).append(row)
    common = sorted(rows.items(), key=lambda item: (-len(item[1]), item[0]))
    return [
        {
            "reason": reason,
            "count": len(found),
            "records": [str(records[row].get("id", row)) for row in found[:_EXAMPLES]],
        }
        for reason, found in common[:_REASONS]
    ]


def _one_line(text: str) -> str:
    """The first line of a message, as text that JSON has; the same in every run."""
    line = _ADDRESS.sub("0x…", next(iter(text.splitlines()), ""))
    short = line if len(line) <= _LONGEST else line[:_LONGEST] + "…"
    return short.encode(errors="backslashreplace").decode()


def _raised(path: Path, error: BaseException) -> str:
    """`checks.py, line 7 raised KeyError: 'x'`: where the user's own code broke."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    what = f"{type(error).__name__}: {_one_line(str(error))}".rstrip(": ")
    where = f"{path.name}, line {line}" if line else path.name
    return f"{where} raised {what}"


def _load(source: bytes, path: Path) -> tuple[Callable[[Record], Any], dict[str, str]]:
    name = f"lineage_checks_{sha256(str(path).encode()).hexdigest()[:16]}"
    try:
        module = run_source(source, path, name)
    except SyntaxError as error:
        raise UsageError(f"{path}: line {error.lineno}: {error.msg}") from None
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  (a user's code)
        raise UsageError(_raised(path, error)) from None
    function = getattr(module, _FUNCTION, None)
    later = inspect.iscoroutinefunction(function)
    if not callable(function) or later or inspect.isgeneratorfunction(function):
        kind = " that answers at once" if callable(function) else ""
        message = f"{path} has no function {_FUNCTION}(record){kind}"
        raise UsageError(message, hint=f"define: def {_FUNCTION}(record): …")
    return function, {"file": path.name, "sha256": sha256(source).hexdigest()}
