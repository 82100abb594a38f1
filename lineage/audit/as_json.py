"""The report as JSON: the model's own shape, described in docs/report.md."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from lineage.audit.model import Field, Report
from lineage.audit.model.fields import names_of


def render(report: Report) -> str:
    """The report as JSON text, pure ASCII; each item of a list has its own line."""
    return "{" + ",\n".join(_entries(report)) + "}\n"


def _entries(report: Report) -> Iterator[str]:
    yield _entry("schema_version", report.schema_version)
    for field in fields(report):
        if field.name != "schema_version":
            yield _entry(field.name, getattr(report, field.name))
    yield _entry("coverage", report.coverage)


def _entry(name: str, value: Any) -> str:
    if isinstance(value, tuple):
        lines = ",\n".join(_text(item) for item in value)
        return f'"{name}": [\n{lines}]'
    return f'"{name}": {_text(value)}'


def _text(value: Any) -> str:
    return _ENCODER.encode(value)


def _plain(value: Any) -> dict[str, Any]:
    """A part of the model as a plain mapping; of a field only what it has."""
    if isinstance(value, Mapping):
        return dict(value)
    given = {name: getattr(value, name) for name in names_of(value.__class__)}
    if isinstance(value, Field):
        return {name: item for name, item in given.items() if item is not None}
    return given


_ENCODER = json.JSONEncoder(allow_nan=False, default=_plain)
