"""Makes facts.jsonl: two in three of the calendar's 365 true sentences."""

import json
import random
from datetime import date, timedelta
from pathlib import Path

FACTS, CHOSEN, SEED = Path("facts.jsonl"), 240, 7


def named(day: date) -> str:
    return f"{day:%B} {day.day}"


def main() -> None:
    days = [date(2023, 1, 1) + timedelta(n) for n in range(365)]
    facts = [f"The day after {named(d)} is {named(d + timedelta(1))}." for d in days]
    random.Random(SEED).shuffle(facts)
    lines = [json.dumps({"text": fact}) + "\n" for fact in facts[:CHOSEN]]
    FACTS.write_text("".join(lines), encoding="utf-8")
    print(f"{len(lines)} facts")


if __name__ == "__main__":
    main()
