"""What transformers keeps beside a tokenizer: roles, settings, chat templates.

Where it stands has changed from version to version: roles in special_tokens_map.json
or tokenizer_config.json, added tokens in added_tokens.json or there or in
tokenizer.json alone, chat templates in a field, a list of fields, or files of their
own. Here they are the same thing wherever they are.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lineage.errors import LineageError

CONFIG, ROLES, ADDED = (
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
)
TEMPLATE, OLD_TEMPLATE = "chat_template.jinja", "chat_template.json"
MORE_TEMPLATES = "additional_chat_templates"
_LARGEST = 1 << 24  # bytes of a file written for people
_EXTRA = ("additional_special_tokens", "extra_special_tokens")
_DEFAULT = "default"  # the name of the one template that a tokenizer has

# How it was loaded, by which class, and what tokenizer.json says as well.
_NOT_SETTINGS = frozenset({
    "added_tokens_decoder", "auto_map", "backend", "chat_template", "is_local",
    "local_files_only", "max_length", "name_or_path", "pad_to_multiple_of",
    "pad_token_type_id", "processor_class", "special_tokens_map_file", "stride",
    "tokenizer_file", "transformers_version", "truncation_strategy",
})  # fmt: skip
_GENERIC = ("PreTrainedTokenizer", "TokenizersBackend")  # of versions 4 and 5
_UNLIMITED = int(1e30)  # what transformers calls no limit, as a float prints it

# What a setting is where it is left out (transformers 4 and 5 agree on these).
_DEFAULTS: Mapping[str, Any] = {
    "do_basic_tokenize": True,
    "errors": "replace",
    "model_max_length": _UNLIMITED,
    "padding_side": "right",
    "split_special_tokens": False,
    "truncation_side": "right",
}


@dataclass(frozen=True)
class Beside:
    """The special tokens by role, added tokens with flags, settings, chat templates."""

    roles: Mapping[str, Any] = field(default_factory=dict)
    added: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    templates: Mapping[str, str] = field(default_factory=dict)


def read_beside(names: list[str], find: Callable[[str], Path]) -> Beside:
    """What stands in those of `names` that are such files.

    Raises:
        LineageError: names the file that is malformed or not here.
    """
    try:
        return _read(names, find)
    except (AttributeError, TypeError, ValueError):
        files = ", ".join(n for n in names if n in (CONFIG, ROLES, ADDED))
        message = f"{files} hold something else than transformers writes there"
        raise LineageError(message) from None


def _read(names: list[str], find: Callable[[str], Path]) -> Beside:

    def said(name: str) -> dict[str, Any]:
        return _object(find(name), name) if name in names else {}

    config, map_ = said(CONFIG), said(ROLES)
    both = map_ | config
    roles = {k: _content(v) for k, v in both.items() if _is_role(k) and v is not None}
    if extra := sorted({t for key in _EXTRA for t in _extra(both.get(key))}):
        roles["additional"] = extra
    settings = {k: v for k, v in config.items() if not (_is_role(k) or k in _EXTRA)}
    added = {token: {"id": id_} for token, id_ in said(ADDED).items()}
    for id_, token in (config.get("added_tokens_decoder") or {}).items():
        added[_content(token)] = {"id": int(id_), **_flags(token)}
    return Beside(roles, added, _settings(settings), _templates(names, find, config))


def _is_role(key: str) -> bool:
    return key.endswith("_token") and not key.startswith(("add_", "use_"))


def _content(token: Any) -> Any:
    return token.get("content") if isinstance(token, dict) else token


def _extra(tokens: Any) -> list[str]:
    """Special tokens without a role: a list, or in version 5 also by name."""
    found = tokens.values() if isinstance(tokens, dict) else tokens or []
    return [str(_content(token)) for token in found]


def _flags(token: Any) -> dict[str, Any]:
    flags = token if isinstance(token, dict) else {}
    return {k: v for k, v in flags.items() if k not in ("content", "__type")}


def _settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """Settings without bookkeeping and without those that are as if left out."""
    found = {k: v for k, v in given.items() if k not in _NOT_SETTINGS}
    if isinstance(limit := found.get("model_max_length"), int | float):
        found["model_max_length"] = min(limit, _UNLIMITED)
    if isinstance(name := found.get("tokenizer_class"), str):
        bare = name.removesuffix("Fast")
        found["tokenizer_class"] = None if bare in _GENERIC else bare
    return {
        key: value
        for key, value in found.items()
        if value not in (None, [], {}) and value != _DEFAULTS.get(key)
    }


def _templates(
    names: list[str], find: Callable[[str], Path], config: Mapping[str, Any]
) -> dict[str, str]:
    """Chat templates by name; a file of its own comes before a field."""
    found: dict[str, str] = {}
    given = config.get("chat_template")
    if isinstance(given, list):
        found = {str(t.get("name")): str(t.get("template")) for t in given}
    elif given:
        found[_DEFAULT] = str(given)
    if OLD_TEMPLATE in names:
        said = _object(find(OLD_TEMPLATE), OLD_TEMPLATE)
        found[_DEFAULT] = str(said.get("chat_template", ""))
    for name in names:
        folder, _, last = name.rpartition("/")
        if name == TEMPLATE or (folder == MORE_TEMPLATES and last.endswith(".jinja")):
            key = _DEFAULT if name == TEMPLATE else last.removesuffix(".jinja")
            found[key] = read_text(find(name), name)
    return found


def read_text(path: Path, name: str, largest: int = _LARGEST) -> str:
    """What a file says, called `name`.

    Raises:
        LineageError: when it has more than `largest` bytes, or is not UTF-8.
    """
    if path.stat().st_size > largest:
        raise LineageError(f"{name} is too large for what it is called")
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError:
        raise LineageError(f"{name} is not UTF-8") from None


def read_json(path: Path, name: str, largest: int = _LARGEST) -> Any:
    """As `read_text`, as JSON."""
    try:
        return json.loads(read_text(path, name, largest))
    except (ValueError, RecursionError) as error:
        raise LineageError(f"{name} is not JSON: {error}") from None


def _object(path: Path, name: str) -> dict[str, Any]:
    said = read_json(path, name)
    if not isinstance(said, dict):
        raise LineageError(f"{name} is not a JSON object")
    return said
