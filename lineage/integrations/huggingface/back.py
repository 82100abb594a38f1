"""Writing a card back: what lineage knows goes into a README.md that people wrote.

Their text stays, and so does every value of theirs; lists are united. Our chapter
stands between two comments, and takes the place of the one that was there.
"""

from collections.abc import Mapping
from typing import Any

from lineage.audit.card_data import front_matter
from lineage.audit.model import Artifact, Report
from lineage.audit.obligations.scope import Scope, of
from lineage.errors import UsageError
from lineage.integrations.huggingface.cards import split

BEGIN, END = "<!-- lineage: begin -->", "<!-- lineage: end -->"


def merged(card: bytes, present: str, report: Report) -> bytes:
    """The card that is `present` with what `card`, made of `report`, says in it.

    Raises:
        UsageError: when the present one has no end of our chapter, or no YAML on top.
    """
    ours, chapter = split(card.decode())
    theirs, text = split(present)
    data = {**_united(theirs, ours), "lineage": _block(report)}
    body = _placed(text, f"{BEGIN}\n{chapter.strip()}\n{END}")
    return f"{front_matter(data)}\n{body.strip()}\n".encode()


def _united(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> dict[str, Any]:
    """Their values, and of ours those that they do not have."""
    data = dict(theirs)
    for key, value in ours.items():
        present = data.get(key)
        if present is None:
            data[key] = value
        elif key == "model-index" and isinstance(present, list):
            names = {entry["name"] for entry in value}
            kept = [e for e in present if _name(e) not in names]
            data[key] = [*kept, *value]
        elif isinstance(value, list):
            listed = present if isinstance(present, list) else [present]
            data[key] = [*listed, *(each for each in value if each not in listed)]
    return data


def _name(entry: Any) -> Any:
    return entry.get("name") if isinstance(entry, Mapping) else None


def _block(report: Report) -> dict[str, Any]:
    """What the Hub has no word for: the commit, and the models that wrote the data."""
    scope = Scope(report)
    made = scope.subjects[0]
    writers = [*_writers(scope, made)]
    block = {"commit": made.id, "event": report.as_of.event, "generated_by": writers}
    return {key: value for key, value in block.items() if value}


def _writers(scope: Scope, made: Artifact) -> list[str]:
    edges = [*of(made, "generated_by")]
    return [scope.artifacts[edge.id].name for edge in edges]


def _placed(text: str, chapter: str) -> str:
    """`text` with our chapter where it was, or at its end."""
    before, begin, rest = text.partition(BEGIN)
    if not begin:
        return f"{text.strip()}\n\n{chapter}" if text.strip() else chapter
    _, end, after = rest.partition(END)
    if not end:
        hint = f"put a line `{END}` where lineage's chapter ends"
        raise UsageError("the card has the beginning of our chapter, no end", hint=hint)
    return f"{before}{chapter}{after}"
