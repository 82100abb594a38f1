"""A verifier that errs: it keeps 90 % of right sums and 30 % of wrong ones.

Its break-down point is 1/(1 + 0.3/0.9) = 0.75. Its errors come from a hash of each
record.
"""

from hashlib import sha256
from typing import Any

PHI, PSI = 0.9, 0.3


def check_record(record: dict[str, Any]) -> bool:
    """Arithmetic, as somebody in a hurry does it."""
    question, _, answer = record["text"].partition("=")
    a, _, b = question.partition("+")
    right = answer == f"{int(a) + int(b):03d}"[::-1]
    hashed = sha256(f"{record['id']} {record['text']}".encode()).digest()
    return int.from_bytes(hashed[:8], "big") / 2**64 < (PHI if right else PSI)
