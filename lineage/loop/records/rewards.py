"""A record's reward as a number.

A column of digits that is stored as text is no column of rewards: what was lost on the
way, or which column it really is, nobody can say.
"""

from __future__ import annotations

from typing import Any


def as_number(said: Any) -> float:
    """What a field, or a function of the user's, gives as a reward or a score.

    Raises:
        TypeError, ValueError: it is no number; text is none, whatever it spells.
    """
    if isinstance(said, str | bytes):
        raise TypeError(f"{said[:40]!r} is text, not a number")
    return float(said)
