"""What texts have in common by the definitions alone: all compared with all."""

from __future__ import annotations

from itertools import product

from lineage.contamination.index import NEAR, RUN, WHOLE, Match

Key = tuple[int, int]


def reference(records: list[list[str]], texts: list[list[str]]) -> dict[Key, Match]:
    """The strongest match of each record and text, by the definitions alone."""
    found = {}
    for (r, record), (t, text) in product(enumerate(records), enumerate(texts)):
        if match := _match(r, record, t, text):
            found[r, t] = match
    return found


def _match(r: int, record: list[str], t: int, text: list[str]) -> Match | None:
    if not record:
        return None
    if record == text:
        return Match(r, t, "exact", 1.0, 0, len(text))
    places = [n for n in range(len(text)) if text[n : n + len(record)] == record]
    if places and len(record) >= WHOLE:
        return Match(r, t, "contained", 1.0, places[0], places[0] + len(record))
    ours, theirs = ({tuple(row[n : n + 3]) for n in range(len(row) - 2)}
                    for row in (record, text))  # fmt: skip
    jaccard = len(ours & theirs) / max(len(ours | theirs), 1)
    if jaccard >= NEAR and len(record) >= WHOLE:
        return Match(r, t, "near", jaccard, 0, len(text))
    runs = {
        (start, at)
        for start in range(len(record) - RUN + 1)
        for at in range(len(text) - RUN + 1)
        if record[start : start + RUN] == text[at : at + RUN]
    }
    if not runs:
        return None
    covered = {n for start, _ in runs for n in range(start, start + RUN)}
    first, last = min(at for _, at in runs), max(at + RUN for _, at in runs)
    return Match(r, t, "part", len(covered) / len(record), first, last)
