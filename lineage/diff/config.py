"""Settings side by side, by dotted path: params, and small structured files.

Of a config commit every JSON, YAML and TOML file is read, of a model config.json.
A file that is the same on both sides is not read at all.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from lineage.diff.comparison import Comparison
from lineage.diff.documents import read, structured
from lineage.diff.parts import Pair, Side
from lineage.errors import LineageError
from lineage.registry import Registry
from lineage.store.files import FileEntry

_LARGEST = 1 << 20  # bytes; a config is written by hand
_MISSING = object()


@dataclass(frozen=True)
class Change:
    """A setting by its path; None where it is missing."""

    path: str
    a: Any
    b: Any


def compare_params(what: Comparison) -> tuple[Change, ...]:
    """Parameters that differ; those of parts, where the whole does not have them.

    Those of config parts are settings, and not among these.
    """
    pairs = what.pairs
    own = {name for side in pairs[0].commits for name in side.params}
    found = list(changes("", _params(pairs[0].a), _params(pairs[0].b)))
    for pair in pairs[1:]:
        if pair.part and pair.kind != "config":
            sides = ({k: v for k, v in _params(side).items() if k not in own}
                     for side in (pair.a, pair.b))  # fmt: skip
            found += changes(f"{pair.label}/", *sides)
    return tuple(found)


def compare(what: Comparison) -> tuple[Change, ...]:
    """Settings that differ; a note says what could not be read, and why."""
    pairs = what.pairs
    configs = sum(pair.kind == "config" for pair in pairs)
    found: list[Change] = []
    for pair in pairs:
        bare = not pair.label or (pair.kind == "config" and configs == 1)
        prefix = "" if bare else f"{pair.label}/"
        if pair.label and pair.kind == "config":
            found += changes(prefix, _params(pair.a), _params(pair.b))
        found += _file_changes(what.registry, pair, prefix, what.notes)
    return tuple(found)


def _params(side: Side | None) -> Mapping[str, Any]:
    return side.commit.params if side else {}


def _file_changes(
    registry: Registry, pair: Pair, prefix: str, notes: list[str]
) -> Iterator[Change]:
    before, after = _documents(registry, pair.a), _documents(registry, pair.b)
    params = _params(pair.a) or _params(pair.b)
    for name in sorted({*before, *after}):
        sides = [side[name] for side in (before, after) if name in side]
        if len({entry.sha256 for entry in sides}) == 1 and len(sides) == 2:
            continue
        named = name or (sides[-1].path if params else "")
        within = f"{prefix}{named}:" if named else prefix
        try:
            old, new = (_read(registry, each.get(name)) for each in (before, after))
            yield from list(changes(within, old, new))
        except LineageError as error:
            notes.append(f"{prefix}{sides[-1].path} is not compared: {error}")


def _documents(registry: Registry, side: Side | None) -> dict[str, FileEntry]:
    """The structured files of a commit by name; a payload of one file has none."""
    if side is None or side.commit.payload is None:
        return {}
    entries = registry.files(side.id)
    if side.commit.kind == "model":
        return {e.path: e for e in entries if e.path == "config.json"}
    if side.commit.kind != "config":
        return {}
    single = side.commit.payload.type == "file"
    return {"" if single else e.path: e for e in entries if structured(e.path)}


def _read(registry: Registry, entry: FileEntry | None) -> Any:
    """What a file says, as plain data.

    Raises:
        LineageError: when it is too large, not here, damaged or malformed.
    """
    if entry is None:
        return {}
    if entry.size > _LARGEST:
        raise LineageError("it is too large for a config")
    wrong = registry.payloads.check(entry)
    if wrong:
        raise LineageError(f"it {wrong}")
    return read(registry.payloads.path(entry.md5), entry.path) or {}


def changes(prefix: str, old: object, new: object) -> Iterator[Change]:
    before, after = dict(_flat(old)), dict(_flat(new))
    for path in sorted({*before, *after}):
        a, b = before.get(path, _MISSING), after.get(path, _MISSING)
        if a != b or isinstance(a, bool) != isinstance(b, bool):
            shown = (None if value is _MISSING else value for value in (a, b))
            yield Change(prefix + path, *shown)


def _flat(value: object, path: str = "") -> Iterator[tuple[str, Any]]:
    """Leaves by dotted path; a list is a leaf unless it holds mappings."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _flat(item, f"{path}.{_key(key)}" if path else _key(key))
    elif isinstance(value, list) and any(isinstance(v, Mapping) for v in value):
        for index, item in enumerate(value):
            yield from _flat(item, f"{path}.{index}" if path else str(index))
    elif value != {} or path:
        yield path, _leaf(value)


def _key(key: object) -> str:
    text = _printable(str(key))
    return json.dumps(text, ensure_ascii=False) if "." in text or not text else text


def _leaf(value: Any) -> Any:
    """A value as JSON has it; dates, infinities and the like become text."""
    if isinstance(value, list):
        return [_leaf(item) for item in value]
    if value is None or value == {} or isinstance(value, int):
        return value
    if isinstance(value, float) and isfinite(value):
        return value
    return _printable(str(value))


def _printable(text: str) -> str:
    """`text` without lone surrogates, which JSON escapes can bring in."""
    return text.encode(errors="backslashreplace").decode()
