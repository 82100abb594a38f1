"""YAML 1.2 as people expect it: safe, no silent duplicates, `2e-3` is a number."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from lineage.errors import UsageError
from lineage.store.disk import read_file

if TYPE_CHECKING:
    from pathlib import Path

_LARGEST = 1_000_000  # values in one document
_HALF = re.compile("[\ud800-\udfff]")


class _Loader(yaml.SafeLoader):
    """A SafeLoader of the core schema of YAML 1.2, where `no` and `1:30` are text.

    PyYAML follows 1.1. Keys are always text, as in JSON.
    """

    def compose_scalar_node(self, anchor: Any) -> yaml.ScalarNode:
        """A scalar, which an escape must not have given half a character."""
        node = super().compose_scalar_node(anchor)
        if _HALF.search(node.value):
            raise _fault("a character is half of one (a surrogate)", node)
        return node


_Loader.yaml_implicit_resolvers = {
    "<": [("tag:yaml.org,2002:merge", re.compile(r"^<<$"))]
}
_CORE = {
    "null": (r"~|null|Null|NULL|", "~nN"),
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    "float": (
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.inf|\.nan",
        "-+.0123456789",
    ),
}
for _name, (_pattern, _first) in _CORE.items():
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_name}", re.compile(f"^(?:{_pattern})$"), list(_first)
    )
_Loader.yaml_implicit_resolvers[""] = [
    ("tag:yaml.org,2002:null", re.compile(r"^$"))  # a value that is left out
]


def _integer(loader: _Loader, node: yaml.ScalarNode) -> int:
    text = loader.construct_scalar(node)
    return int(text, 0) if text[:2] in ("0o", "0x") else int(text)


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[str, Any]:
    seen = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _fault("a key is a list or a mapping", key)
        if key.value in seen:
            raise _fault(f"{key.value!r} is given twice", key)
        seen.add(key.value)
    loader.flatten_mapping(node)
    return {
        key.value: loader.construct_object(value, deep=True)
        for key, value in node.value
    }


def _fault(problem: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)


_Loader.add_constructor("tag:yaml.org,2002:int", _integer)
_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_yaml(path: Path) -> Any:  # the caller checks the shape
    """Read one YAML (or JSON) document.

    Raises:
        StoreError: when the file cannot be read.
        UsageError: when it is not UTF-8 or not YAML; names the line.
    """
    return parse_yaml(read_file(path), path)


def parse_yaml(data: bytes, path: Path) -> Any:
    """The document that a file has in it; `path` is for what is wrong with it."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"{path}: line {line} is not UTF-8 text"
        raise UsageError(message, hint="save the file as UTF-8") from None
    try:
        found = yaml.load(text, _Loader)  # noqa: S506  (a SafeLoader)
        size = _size(found, {})
    except yaml.YAMLError as error:
        raise UsageError(f"{path}: {_sentence(error, text)}") from None
    except RecursionError:
        raise UsageError(f"{path} is nested too deeply") from None
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        message = f"{path} has a value that is not what its tag or digits say"
        raise UsageError(message) from None
    if size > _LARGEST:
        message = f"{path} stands for more than {_LARGEST:,} values"
        raise UsageError(message, hint="write fewer aliases into it")
    return found


def _size(value: Any, known: dict[int, int]) -> int:
    """How many values there are, with aliases written out."""
    if not isinstance(value, list | dict):
        return 1
    if id(value) not in known:
        inner = value.values() if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_size(item, known) for item in inner)
    return known[id(value)]


def _sentence(error: yaml.YAMLError, text: str) -> str:
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1
        code = f"#x{ord(text[error.position]):04x}"
        return f"line {line}: the character {code} is not allowed"
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    return f"line {mark.line + 1}: {problem}" if mark else f"not YAML: {problem}"
