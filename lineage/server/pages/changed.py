"""What a commit changed: metrics, params, config and files against the one before."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lineage.server.pages import words
from lineage.store.objects import BACK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lineage.diff.files import FileChanges
    from lineage.diff.metrics import MetricChange
    from lineage.diff.settings import Change
    from lineage.registry import Registry

_CHEAP = ("metrics", "params", "files")  # what manifests and file lists say
_MOST = 12  # rows
SORTS = ("changed", "renamed", "added", "removed")


@dataclass(frozen=True)
class Changed:
    """What differs from the commit `since`; `more` rows are on the page that compares.

    `counts` are files by what happened to them.
    """

    since: words.Ref
    metrics: "Sequence[MetricChange]"
    params: "Sequence[Change]"
    counts: "dict[str, int]"
    more: int

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.metrics or self.params or self.counts)


def since_before(registry: "Registry", id_: str) -> Changed | None:
    """What changed since the commit before on its branch; None for the first."""
    from lineage.diff import diff

    before = registry.load(id_).ids(*BACK)
    if not before or before[0] not in registry.ids:
        return None
    found = diff(registry, before[0], id_, _CHEAP)
    return Changed(
        words.ref(registry, before[0]),
        found.metrics[:_MOST],
        found.params[:_MOST],
        counted(found.files),
        len(found.metrics[_MOST:]) + len(found.params[_MOST:]),
    )


def counted(files: "FileChanges") -> dict[str, int]:
    """How many files were added, removed, changed and renamed."""
    counts = {kind: len(getattr(files, kind)) for kind in SORTS}
    return {kind: count for kind, count in counts.items() if count}
