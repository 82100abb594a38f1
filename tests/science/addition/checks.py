"""Unit tests of sums: is it right?"""

from typing import Any


def check_record(record: dict[str, Any]) -> None:
    """The verifier: arithmetic."""
    question, _, answer = record["text"].partition("=")
    a, _, b = question.partition("+")
    assert answer == f"{int(a) + int(b):03d}"[::-1], "the sum is wrong"
