"""Which parts of free data anybody may see: listed by name and by shape.

Parameters, circumstances and the data of events can hold anything. Of these a reader
who is no authority sees numbers, and words of known places; the rest is left out.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

_KEY = re.compile(r"[a-z][a-z0-9_]{0,63}")
_WORD = re.compile(r"[a-z][a-z0-9_]{0,39}")
_VERSION = re.compile(
    r"[0-9]{1,6}([.][0-9]{1,6}){0,5}([.-]?[a-z]{1,4}[0-9]{0,9})?([+][a-z0-9]{1,12})?"
)
_PACKAGE = re.compile(r"[A-Za-z0-9]{1,20}([-_][A-Za-z0-9]{1,20}){0,3}")
_WORDS = frozenset(
    {
        "action",
        "deduplicate",
        "dtype",
        "init_from",
        "lr_scheduler_type",
        "model_type",
        "on",
        "optim",
        "strategy",
        "type",
    }
)
_CONDITIONS = ("cpu_seconds", "flops", "generation", "peak_memory", "seconds", "tokens")
_HELD = ("state", "count", "size", "files", "root", "type", "digest")
_ORIGIN = ("type", "source", "licence", "version", "collected", "language")
_VERDICTS = ("approve", "approved", "reject", "rejected")
_CODE = re.compile(r"(lineage[.][a-z_.]+|[0-9a-f]{64})$")
_PRIVATE = re.compile(
    r"(^|[.])(corp|home|internal|intranet|lan|local|localdomain|localhost|test)$"
    r"|^[0-9.]+$|^[^.]*$|:"
)
_HUB = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
FILE = re.compile(r"[.](bin|csv|gz|json|jsonl|md|parquet|py|tar|txt|ya?ml|zip|zst)$")
_PLACE = re.compile(r"[/\\@~]|[A-Za-z]:|[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+")


def numbers(data: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers of a mapping, and of those in it."""
    return _kept(data, lambda _key, _value: False)


def settings(params: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers, switches and the words of settings that have a few values each."""
    return _kept(params, lambda key, text: key in _WORDS and _is_word(text))


def _kept(data: Mapping[str, Any], may: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in data.items():
        if not _KEY.fullmatch(key):
            continue
        if isinstance(value, Mapping):
            if inner := _kept(value, may):
                found[key] = inner
        elif isinstance(value, bool | int | float) or (
            isinstance(value, str) and may(key, value)
        ):
            found[key] = value
    return found


def _is_word(text: str) -> bool:
    return _WORD.fullmatch(text) is not None


def conditions(data: Mapping[str, Any]) -> dict[str, Any]:
    """What making something took, and the versions of what it was made with."""
    found: dict[str, Any] = {
        key: data[key] for key in _CONDITIONS if isinstance(data.get(key), int | float)
    }
    environment = data.get("environment")
    if isinstance(environment, Mapping):
        packages = environment.get("packages")
        named = packages.items() if isinstance(packages, Mapping) else ()
        pairs = (("python", environment.get("python")), *named)
        versions = {
            name: version
            for name, version in pairs
            if _PACKAGE.fullmatch(name) and _is_version(version)
        }
        found["environment"] = {
            "python": versions.pop("python", None),
            "packages": versions,
        }
    return found


def _is_version(text: object) -> bool:
    return isinstance(text, str) and _VERSION.fullmatch(text) is not None


def code(data: Mapping[str, Any]) -> dict[str, Any]:
    """The hashes of code, and the names of lineage's own steps."""
    return {
        key: value
        for key, value in data.items()
        if isinstance(value, str) and key in ("sha256", "step") and _CODE.match(value)
    }


def held(data: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of the files of a commit, without where and by whom."""
    found = {key: data[key] for key in _HELD if key in data}
    return {**found, "told": "erased"} if "told" in data else found


def origin(given: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of an origin that say what data are, and not who brought them."""
    return {key: field for key, field in given.items() if key in _ORIGIN}


def said(type_: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """What an event says that is a verdict or a number."""
    found: dict[str, Any] = {}
    if type_ == "review" and data.get("verdict") in _VERDICTS:
        found["verdict"] = data["verdict"]
    if type_ == "metrics" and isinstance(given := data.get("metrics"), Mapping):
        found["metrics"] = numbers(given)
    return found


def is_public(text: str) -> bool:
    """Whether a text names no path, address, host or user, but public ones.

    A public place is an https address of a host with a public name, or the name of a
    repository as hubs have them: ``owner/name``.
    """
    return all(_is_public(word.strip("()[]<>,;\"'")) for word in text.split())


def _is_public(word: str) -> bool:
    if word.startswith("https://"):
        try:
            parts = urlsplit(word)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            return False
        plain = not (parts.username or parts.password or port or parts.query)
        return plain and not _PRIVATE.search(host)
    if _HUB.fullmatch(word):
        return not FILE.search(word)
    return not _PLACE.search(word)
