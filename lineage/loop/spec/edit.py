"""A `loop.yaml` with some fields of its gates changed, the rest as it was typed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from lineage.loop.spec.yaml_file import parse_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class _Edit(NamedTuple):
    """Characters to put in place of others."""

    start: int
    end: int
    text: str


def edited(
    data: bytes, path: Path, changes: Mapping[str, Mapping[str, Any]]
) -> bytes | None:
    """The file with fields of its gates, found by their ids, set to new values.

    Returns:
        None, where what comes out would not say exactly that and nothing else.
    """
    wanted = parse_yaml(data, path)
    wanted["gates"] = [  # copies: two places may share one
        {**gate, **changes.get(str(gate.get("id", gate["type"])), {})}
        for gate in wanted["gates"]
    ]
    text = data.decode("utf-8")
    try:
        root = yaml.compose(text, yaml.SafeLoader)
        edits = sorted(_edits(root, text, changes), reverse=True)
        for start, end, new in edits:
            text = text[:start] + new + text[end:]
        after = text.encode()
        return after if parse_yaml(after, path) == wanted else None
    except Exception:  # noqa: BLE001 - an unusual form: nothing is changed
        return None


def _edits(
    root: Any, text: str, changes: Mapping[str, Mapping[str, Any]]
) -> Iterator[_Edit]:
    for gate in _value(root, "gates").value:
        named = _value(gate, "id") or _value(gate, "type")
        new = dict(changes.get(named.value, {}))
        for key, node in gate.value:
            if key.value in new:
                start, end = node.start_mark.index, node.end_mark.index
                yield _Edit(start, end, _plain(new.pop(key.value)))
        if new:
            yield _added(gate, text, [f"{k}: {_plain(v)}" for k, v in new.items()])


def _added(gate: Any, text: str, lines: list[str]) -> _Edit:
    """New fields at the end of a `{…}`, or after the line that has the type."""
    if gate.flow_style:
        at = len(text[: gate.end_mark.index - 1].rstrip())
        comma = "" if text[at - 1] in "{," else ","
        return _Edit(at, at, f"{comma} {', '.join(lines)}")
    margin = " " * gate.value[0][0].start_mark.column
    end = text.find("\n", _value(gate, "type").end_mark.index)
    ending = "\r\n" if text[max(end - 1, 0) : end] == "\r" else "\n"
    at = len(text) if end < 0 else end - len(ending) + 1
    return _Edit(at, at, "".join(f"{ending}{margin}{line}" for line in lines))


def _value(mapping: Any, name: str) -> Any:
    return next((value for key, value in mapping.value if key.value == name), None)


def _plain(value: Any) -> str:
    """A value as YAML has it on one line."""
    return json.dumps(value, ensure_ascii=False)
