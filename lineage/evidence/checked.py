"""What a look at the bytes finds out about one edge."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lineage.store.objects import Edge

VERIFIED, CONTRADICTED, UNDECIDED = "verified", "contradicted", "undecided"


@dataclass(frozen=True, slots=True)
class Checked:
    """An edge, what the bytes show of it, and how that was found out.

    `verdict` is verified, contradicted or undecided; `sentence` says why, with the
    figures that matter; `figures` are all of them, as plain data.
    """

    edge: Edge
    verdict: str
    method: str
    sentence: str
    figures: Mapping[str, Any] = field(default_factory=dict)


def short(value: float, digits: int = 4) -> float:
    """A figure without the digits that nobody reads."""
    return float(f"{value:.{digits}g}")
