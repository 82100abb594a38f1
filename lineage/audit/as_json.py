"""The report as JSON: the model's own shape, described in docs/report.md."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from lineage.audit.model import Field, Report
from lineage.audit.model.fields import names_of

_LEAVES = (str, int, float)


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
    return json.dumps(_plain(value), allow_nan=False)


def _plain(value: Any) -> Any:
    """The model as plain data; of a field only what it has."""
    if value is None or isinstance(value, _LEAVES):
        return value
    if isinstance(value, Field):
        given = ((name, getattr(value, name)) for name in names_of(Field))
        return {name: _plain(item) for name, item in given if item is not None}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return {name: _plain(getattr(value, name)) for name in names_of(value.__class__)}
