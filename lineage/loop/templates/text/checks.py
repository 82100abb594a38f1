"""Unit tests of generated records: what fails here trains nobody.

`check_record` gets each record that a model wrote, a mapping with "text" and, from
the built-in step, "prompt", "id", "seed" and more. It raises, or returns False, when
the record is no good. This file must stand alone: its SHA-256 is recorded.
"""

from itertools import groupby

REFUSALS = ("as an ai language model", "i cannot assist with")


def check_record(record: dict[str, str]) -> None:
    text, words = record["text"], record["text"].split()
    assert words, "nothing was written"
    assert text != record.get("prompt"), "nothing was added to the prompt"
    assert not any(phrase in text.lower() for phrase in REFUSALS), "a refusal"
    longest = max(len(list(run)) for _, run in groupby(words))
    assert longest < 12, "one word over and over"
