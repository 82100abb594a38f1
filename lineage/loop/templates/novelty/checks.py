"""Whether what a model wrote is true: the calendar knows."""

import re
from calendar import month_name
from datetime import date, timedelta

CLAIM = re.compile(r"The day after (\w+) (\d+) is (\w+) (\d+)\.")
MONTHS = list(month_name)


def verify_record(record: dict[str, str]) -> bool | None:
    """None for no claim; a day that does not exist is wrong."""
    claim = CLAIM.match(record["text"])
    if claim is None:
        return None
    month, day, next_month, next_day = claim.groups()
    try:
        first = date(2023, MONTHS.index(month), int(day))
        second = date(2023, MONTHS.index(next_month), int(next_day))
    except ValueError:
        return False
    after = first + timedelta(1)
    return (after.month, after.day) == (second.month, second.day)
