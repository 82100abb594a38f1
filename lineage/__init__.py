"""Version control for AI feedback loops.

Every model, synthetic dataset and config is a content-addressed commit in a
git-like DAG whose bytes live in DVC::

    import lineage

    registry = lineage.open(".")
    made = registry.commit("dataset", "seed", "corpus.txt", message="first text")
    print(made.id, registry.load(made.id).payload)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lineage.client.connecting import connect
    from lineage.opening import OpenRegistry as Registry
    from lineage.opening import init
    from lineage.opening import open_registry as open  # noqa: A004
    from lineage.store.objects import Commit, Edge, Metric

__all__ = ["Commit", "Edge", "Metric", "Registry", "connect", "init", "open"]

_WHERE = {
    "Commit": ("lineage.store.objects", "Commit"),
    "Edge": ("lineage.store.objects", "Edge"),
    "Metric": ("lineage.store.objects", "Metric"),
    "Registry": ("lineage.opening", "OpenRegistry"),
    "connect": ("lineage.client.connecting", "connect"),
    "init": ("lineage.opening", "init"),
    "open": ("lineage.opening", "open_registry"),
}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used, so that importing stays cheap."""
    if name not in _WHERE:
        raise AttributeError(f"module 'lineage' has no attribute {name!r}")
    module, attribute = _WHERE[name]
    return getattr(import_module(module), attribute)
