"""YAML as people expect it: safe, no silent duplicates, `2e-3` is a number."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from lineage.errors import StoreError, UsageError

if TYPE_CHECKING:
    from pathlib import Path


class _Loader(yaml.SafeLoader):
    """A SafeLoader that reads floats as YAML 1.2 does and knows no dates."""


_Loader.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
# YAML 1.1, which PyYAML follows, wants a dot and a signed exponent: 2.0e-3.
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)[eE][-+]?[0-9]+$"),
    list("-+.0123456789"),
)


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _fault("a key is a list or a mapping", key)
        if key.value in seen:
            raise _fault(f"{key.value!r} is given twice", key)
        seen.add(key.value)
    return loader.construct_mapping(node, deep=True)


def _fault(problem: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_yaml(path: Path) -> Any:  # the caller checks the shape
    """Read one YAML (or JSON) document.

    Raises:
        StoreError: when the file cannot be read.
        UsageError: when it is not UTF-8 or not YAML; names the line.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"{path}: line {line} is not UTF-8 text"
        raise UsageError(message, hint="save the file as UTF-8") from None
    try:
        return yaml.load(text, _Loader)  # noqa: S506  (a SafeLoader)
    except yaml.YAMLError as error:
        raise UsageError(f"{path}: {_sentence(error)}") from None
    except RecursionError:
        raise UsageError(f"{path} is nested too deeply") from None


def _sentence(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    return f"line {mark.line + 1}: {problem}" if mark else f"not YAML: {problem}"
