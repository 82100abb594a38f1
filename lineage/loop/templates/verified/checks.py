"""The verifier: it knows the answer, so what fails here is wrong for sure.

This file must stand alone: its SHA-256 is recorded.
"""

import re


def check_record(record: dict[str, str]) -> None:
    found = re.fullmatch(r"(\d\d)\+(\d\d)=(\d{3})", record["text"])
    assert found, "no sum"
    one, other, said = map(int, found.groups())
    assert one + other == said, "the sum is wrong"
