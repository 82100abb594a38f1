"""The tokenizers of a diff as JSON has them."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lineage.shapes import Json

if TYPE_CHECKING:
    from lineage.diff import Diff
    from lineage.diff.settings import Change
    from lineage.diff.tokenizer.retokenised import Retokenised
    from lineage.diff.tokenizer.tables import Table
    from lineage.diff.tokenizer.templates import TemplateChange

TABLES = {"vocabulary": "renumbered", "scores": "rescored", "merges": "moved"}


def tokenizer(found: "Diff") -> list[Json]:
    return [
        {
            "label": item.label,
            "folder": item.folder,
            **{name: _table(name, getattr(item, name)) for name in TABLES},
            "special": by_path(item.special),
            "settings": by_path(item.settings),
            "templates": [_template(template) for template in item.templates],
            "text": _text(item.text),
        }
        for item in found.tokenizer
    ]


def _table(name: str, table: "Table") -> Json:
    return {
        "a": table.a,
        "b": table.b,
        "added": [{"token": e.token, "b": e.b} for e in table.added],
        "removed": [{"token": e.token, "a": e.a} for e in table.removed],
        TABLES[name]: [{"token": e.token, "a": e.a, "b": e.b} for e in table.moved],
    }


def by_path(changes: Iterable["Change"]) -> list[Json]:
    """Settings that differ."""
    return [{"path": c.path, "a": c.a, "b": c.b} for c in changes]


def _template(change: "TemplateChange") -> Json:
    sides = {"a": change.a, "b": change.b}
    return {"name": change.name, **sides, "patch": list(change.lines)}


def _text(text: "Retokenised | None") -> Json | None:
    if text is None:
        return None
    return {
        "source": text.source,
        "whole": text.whole,
        "records": text.records,
        "different": text.different,
        "characters": text.characters,
        "tokens": {"a": text.a, "b": text.b, "fresh": text.fresh},
    }
