"""Copies of what is tainted: as bad, and nothing leads there."""

from lineage.descent.copies import copies
from lineage.indexing import index_of
from lineage.registry import Registry
from lineage.taints.marks import marks


def untainted_copies(registry: Registry, event: str, id_: str) -> list[str]:
    """Commits with all files of `id_` that its taint did not reach, newest first.

    Those that are tainted themselves are none of them.

    Raises:
        StoreError: when the index cannot be used.
    """
    known = marks(registry)

    def is_told(other: str) -> bool:
        return any(m.itself or m.taint.event == event for m in known.of(other))

    with index_of(registry) as index:
        return copies(registry, index, id_, is_told)
