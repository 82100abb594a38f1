"""Libraries of the extra `gates`, which not everybody has."""

from __future__ import annotations

from importlib.util import find_spec

from lineage.errors import UsageError


def need(module: str, gate: str) -> None:
    """Fail, before anything is generated, where a gate's library is missing.

    Raises:
        UsageError: how to install it.
    """
    if find_spec(module) is None:
        message = f"the gate {gate} needs {module}, which is not installed"
        raise UsageError(message, hint="install it: pip install 'lineage-vcs[gates]'")
