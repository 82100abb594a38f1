"""Personal data in records: emails, phones, IBANs, cards, addresses, SSNs.

What is found is counted and never quoted: a verdict is read by many, and stays.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from lineage.loop.gates.pii_patterns import FINDERS
from lineage.loop.gates.singles import SinglesSection, examples, verdict

if TYPE_CHECKING:
    from lineage.loop.gates.base import Context, GateResult
    from lineage.loop.spec import LoopSpec

Kind = Literal["email", "phone", "iban", "credit_card", "ip", "us_ssn"]
_NAMES: dict[Kind, tuple[str, str]] = {
    "email": ("an email address", "email addresses"),
    "phone": ("a phone number", "phone numbers"),
    "iban": ("an IBAN", "IBANs"),
    "credit_card": ("a card number", "card numbers"),
    "ip": ("an IP address", "IP addresses"),
    "us_ssn": ("a social security number", "social security numbers"),
}


class PiiSpec(SinglesSection):
    """Personal data in records."""

    type: Literal["pii"]
    kinds: list[Kind] = Field(default=list(_NAMES), min_length=1)
    """Which of the kinds are looked for."""


class Pii:
    """Drops the records that have personal data in them."""

    Section = PiiSpec
    on: Literal["dataset"] = "dataset"

    def __init__(self, section: PiiSpec, _: LoopSpec) -> None:
        self.id = section.id
        self._section = section

    def check(self, context: Context) -> GateResult:
        """Look for each kind in each record."""
        kinds = self._section.kinds
        counts: Counter[str] = Counter()
        rows: dict[Kind, list[int]] = {kind: [] for kind in kinds}
        reasons: dict[int, str] = {}
        for row, text in enumerate(context.texts):
            found = {kind: sum(1 for _ in FINDERS[kind](text)) for kind in kinds}
            there = [kind for kind in kinds if found[kind]]
            counts.update(found)
            for kind in there:
                rows[kind].append(row)
            if there:
                reasons[row] = "has " + " and ".join(_NAMES[kind][0] for kind in there)
        details = {
            "kinds": {
                kind: {
                    "found": counts[kind],
                    "in": len(rows[kind]),
                    "records": examples(context.records, rows[kind]),
                }
                for kind in kinds
            }
        }
        what = "have personal data in them" + _shown(counts)
        return verdict(self._section, context.records, reasons, what, details)


def _shown(counts: Counter[str]) -> str:
    parts = [
        f"{counts[kind]} {names[1] if counts[kind] > 1 else names[0].split(' ', 1)[1]}"
        for kind, names in _NAMES.items()
        if counts[kind]
    ]
    return f" ({', '.join(parts)})" if parts else ""
