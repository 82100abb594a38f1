"""What changed between two commits, as data.

`diff` compares an older commit with a newer one; two generations are compared part
by part. Bytes are read only of small structured files that differ.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from lineage.diff.config import Change
from lineage.diff.files import FileChanges
from lineage.diff.metrics import MetricChange
from lineage.errors import NotFound
from lineage.registry import Registry

SECTIONS = ("metrics", "params", "config", "files")


@dataclass(frozen=True)
class Diff:
    """What changed from the commit `a` to the commit `b`, both full ids.

    `notes` name what could not be compared, and why.
    """

    a: str
    b: str
    metrics: tuple[MetricChange, ...] = ()
    params: tuple[Change, ...] = ()
    config: tuple[Change, ...] = ()
    files: FileChanges = field(default_factory=FileChanges)
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything changed."""
        return bool(self.metrics or self.params or self.config or self.files)


def diff(registry: Registry, a: str, b: str, only: Collection[str] = SECTIONS) -> Diff:
    """Compare the revision `a`, taken as the older one, with the revision `b`."""
    from lineage.diff import config, files, metrics
    from lineage.diff.parts import pairs

    ids = registry.resolve(a), registry.resolve(b)
    compared = pairs(registry, *ids)
    notes: list[str] = []
    return Diff(
        *ids,
        metrics=metrics.compare(compared) if "metrics" in only else (),
        params=config.compare_params(compared) if "params" in only else (),
        config=config.compare(registry, compared, notes) if "config" in only else (),
        files=files.compare(registry, compared) if "files" in only else FileChanges(),
        notes=tuple(notes),
    )


def before(registry: Registry, revision: str) -> str:
    """The commit that comes before `revision` on its branch.

    Raises:
        NotFound: when it is the first.
    """
    id_ = registry.resolve(revision)
    found = registry.load(id_).ids("follows", "revises")
    if not found:
        hint = "name two revisions to compare"
        raise NotFound(f"nothing comes before {id_[:12]} on its branch", hint=hint)
    return found[0]
