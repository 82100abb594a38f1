"""The verifier: it does the sum again, so a reward of 1 means right.

This file must stand alone: its SHA-256 is recorded.
"""

import re


def check_record(record: dict[str, str]) -> bool:
    last = record["text"].strip().splitlines()[-1]
    found = re.fullmatch(r"(\d+) \+ (\d+) = (\d+)", last)
    if found is None:
        return False
    one, other, said = map(int, found.groups())
    return one + other == said
