"""Structured files as plain data: JSON, YAML and TOML, whoever wrote them."""

from pathlib import Path, PurePath
from typing import Any

from lineage.errors import UsageError
from lineage.store.disk import disk_errors

_DIGITS = 1000  # of an integer: Python converts no more than 4,300
SUFFIXES = frozenset({".json", ".yaml", ".yml", ".toml"})


def structured(name: str) -> bool:
    """Whether a file's name says that it is one of these."""
    return PurePath(name).suffix.lower() in SUFFIXES


def read(path: Path, name: str = "") -> Any:
    """What the file at `path` says; `name` tells the format where `path` does not.

    Any other name is taken for YAML, of which JSON is nearly a part.

    Raises:
        StoreError: when it cannot be read.
        UsageError: when it is malformed, not UTF-8, or gives a key twice.
    """
    shown = name or str(path)
    suffix = PurePath(shown).suffix.lower()
    try:
        if suffix in (".json", ".toml"):
            with disk_errors(f"reading {shown}"):
                data = path.read_bytes()
            return _json(data) if suffix == ".json" else _toml(data)
        from lineage.loop.spec.yaml_file import read_yaml

        return read_yaml(path)
    except RecursionError:
        raise UsageError(f"{shown} is nested too deeply") from None
    except ValueError as error:
        raise UsageError(f"{shown} is not {suffix[1:].upper()}: {error}") from None
    except UsageError as error:
        message = str(error).replace(str(path), shown)
        raise UsageError(message, hint=error.hint) from None


def _json(data: bytes) -> Any:
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


def _toml(data: bytes) -> Any:
    import tomllib

    return tomllib.loads(data.decode())
