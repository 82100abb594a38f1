"""What a clone is told of packing: ``pack.size``, ``pack.auto`` and ``pack.least``."""

import re

from lineage.errors import UsageError
from lineage.registry import Registry

SIZE, LEAST = 1 << 30, 1_000_000_000  # bytes
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_UNITS |= {"ki": 1 << 10, "mi": 1 << 20, "gi": 1 << 30, "ti": 1 << 40}
_AMOUNT = re.compile(r"(\d{1,15}) ?([kmgt]?i?)b?", re.IGNORECASE)


def pack_size(registry: Registry) -> int:
    """The bytes at which a pack is closed, once a file is at its end."""
    return _amount(registry, "pack.size", SIZE)


def least(registry: Registry) -> int:
    """The bytes of cold files from which `pack --auto` packs."""
    return _amount(registry, "pack.least", LEAST)


def is_automatic(registry: Registry) -> bool:
    """Whether packing follows a loop by itself.

    Raises:
        UsageError: when ``pack.auto`` is neither on nor off.
    """
    return registry.settings.flag("pack.auto")


def amount(text: str) -> int:
    """Bytes, written as ``1GB``, ``512 MiB`` or ``1000000``.

    Raises:
        UsageError: when they are not.
    """
    found = _AMOUNT.fullmatch(text.strip())
    if found is None or found[2].lower() not in _UNITS:
        raise UsageError(f"{text!r} is no size", hint="write 1GB, 512MiB or 1000000")
    return int(found[1]) * _UNITS[found[2].lower()]


def _amount(registry: Registry, key: str, default: int) -> int:
    text = registry.settings.get(key)
    return default if text is None else amount(text)
