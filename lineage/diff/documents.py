"""Structured files as plain data: JSON, YAML, TOML and literals in Python files."""

from pathlib import Path, PurePath
from typing import Any

from lineage.errors import UsageError
from lineage.store.disk import disk_errors

_DIGITS = 1000  # of an integer: Python converts no more than 4,300
SUFFIXES = frozenset({".json", ".yaml", ".yml", ".toml", ".py"})


def structured(name: str) -> bool:
    """Whether a file's name says that it is one of these."""
    return PurePath(name).suffix.lower() in SUFFIXES


def read(path: Path, name: str = "", *, skipped: dict[str, str] | None = None) -> Any:
    """What the file at `path` says; `name` tells the format where `path` does not.

    Any other name is taken for YAML, of which JSON is nearly a part. What a Python
    file sets and is no literal goes to `skipped`, by its path with its source.

    Raises:
        StoreError: when it cannot be read.
        UsageError: when it is malformed, not UTF-8, gives a key twice, or, without
            `skipped`, sets something that is no literal.
    """
    shown = name or str(path)
    suffix = PurePath(shown).suffix.lower()
    try:
        if suffix in _READERS:
            with disk_errors(f"reading {shown}"):
                data = path.read_bytes()
            others: dict[str, str] = {}
            found = _READERS[suffix](data, others)
            return _told(shown, found, others, skipped)
        from lineage.loop.spec.yaml_file import read_yaml

        return read_yaml(path)
    except RecursionError:
        raise UsageError(f"{shown} is nested too deeply") from None
    except ValueError as error:
        raise UsageError(f"{shown} is not {_FORMATS[suffix]}: {error}") from None
    except UsageError as error:
        message = str(error).replace(str(path), shown)
        raise UsageError(message, hint=error.hint) from None


def _json(data: bytes, _: object) -> Any:
    import json

    return json.loads(
        data, object_pairs_hook=_once, parse_constant=_refuse, parse_int=_integer
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice!r} is given twice")
    return found


def _integer(digits: str) -> int:
    if len(digits) > _DIGITS:
        raise ValueError(f"a number has {len(digits):,} digits")
    return int(digits)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a JSON number")


def _toml(data: bytes, _: object) -> Any:
    import tomllib

    return tomllib.loads(data.decode())


def _python(data: bytes, skipped: dict[str, str]) -> Any:
    from lineage.diff import literals

    return literals.read(data, skipped)


def _told(
    shown: str, found: Any, others: dict[str, str], skipped: dict[str, str] | None
) -> Any:
    """`found`, once it is said what of the file is not in it."""
    if skipped is not None:
        skipped |= others
    elif others:
        hint = "write numbers, text, lists and dicts"
        raise UsageError(f"{min(others)} in {shown} is no literal", hint=hint)
    return found


_READERS = {".json": _json, ".toml": _toml, ".py": _python}
_FORMATS = {".json": "JSON", ".toml": "TOML", ".py": "Python"}
