"""Shares and counts in words."""

from typing import TYPE_CHECKING

from lineage.wording import percent, plural

if TYPE_CHECKING:
    from lineage.descent.parcels import Share
    from lineage.descent.shares import Composition
    from lineage.descent.trace import Amount


def composed(made_of: "Composition") -> str:
    """What records are made of, in a line."""
    return (
        f"{percent(made_of.machine)} machine-written, {percent(made_of.human)} human, "
        f"{percent(made_of.unknown)} unknown"
    )


def amount(told: "Amount") -> str:
    """The same, and of how many."""
    if told.count is None:
        return f"{composed(told.made_of)} of its {told.unit}"
    return f"{composed(told.made_of)} of {told.count:,} {told.unit}"


def counted(share: "Share", count: int | None) -> str:
    """How many records a share is; nothing where that is not a whole number."""
    if count is None or not share.exact:
        return ""
    whole = share.low * count
    return (
        f"{whole.numerator:,}" if whole.denominator == 1 else f"≈ {float(whole):,.1f}"
    )


def turns(shortest: int, longest: int) -> str:
    """A distance in machine turns."""
    if shortest == longest:
        return plural(shortest, "machine turn")
    return f"{shortest:,} to {plural(longest, 'machine turn')}"
