"""A reward for novelty: the share of word runs that no human wrote."""

import json
import re
from pathlib import Path

FACTS = Path(__file__).with_name("facts.jsonl")


def runs(text: str) -> list[tuple[str, ...]]:
    """Two and three words in a row, of the first sentence."""
    words = re.findall(r"\w+", text.partition(".")[0])
    return [tuple(words[i : i + n]) for n in (2, 3) for i in range(len(words) - n + 1)]


KNOWN = {
    run
    for line in FACTS.read_text("utf-8").splitlines()
    for run in runs(json.loads(line)["text"])
}


def score(record: dict[str, str]) -> float:
    found = runs(record["text"])
    return sum(run not in KNOWN for run in found) / max(len(found), 1)
