"""What changed between two commits, as data.

`diff` compares an older commit with a newer one; two generations are compared part
by part. Bytes are read only of small structured files that differ.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from lineage.diff.comparison import Comparison, Options
from lineage.diff.files import FileChanges
from lineage.diff.metrics import MetricChange
from lineage.diff.origins import Origins
from lineage.diff.parts import Pair, pairs
from lineage.diff.records import RecordChanges
from lineage.diff.settings import Change
from lineage.diff.tensors import TensorChanges
from lineage.diff.tokenizer import TokenizerChanges
from lineage.errors import NotFound, UsageError
from lineage.registry import Registry
from lineage.store.canonical import Json
from lineage.store.objects import BACK, Commit

__all__ = ["SECTIONS", "Diff", "Options", "before", "diff", "sections"]

SECTIONS = ("metrics", "params", "config", "tokenizer", "records", "tensors", "files")
_OTHERS = ("kind", "name", "edges", "origin", "code", "external", "gates")


@dataclass(frozen=True)
class Diff:
    """What changed from the commit `a` to the commit `b`, both full ids.

    `notes` name what could not be compared, and why; `beyond` what else the two
    manifests say differently. `alike` are sections, and the labels in them, of which
    nothing differs although their files do. `origins` say what two generations were
    trained on, where all sections are asked for. `pairs` are what was compared.
    """

    a: str
    b: str
    metrics: tuple[MetricChange, ...] = ()
    params: tuple[Change, ...] = ()
    config: tuple[Change, ...] = ()
    tokenizer: tuple[TokenizerChanges, ...] = ()
    records: tuple[RecordChanges, ...] = ()
    tensors: tuple[TensorChanges, ...] = ()
    files: FileChanges = field(default_factory=FileChanges)
    notes: tuple[str, ...] = ()
    beyond: tuple[str, ...] = ()
    alike: tuple[tuple[str, str], ...] = ()
    origins: Origins | None = None

    pairs: tuple[Pair, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything changed."""
        return any(getattr(self, section) for section in SECTIONS)

    def only_in(self, side: str) -> list[str]:
        """The parts, as ``kind/name``, that only one side has: ``a`` or ``b``."""
        return [p.label for p in self.pairs if not p.whole and getattr(p, side)]

    @property
    def of_generations(self) -> bool:
        """Whether it is of two generations, which are compared part by part."""
        return bool(self.pairs) and self.pairs[0].kind == "generation"


def diff(
    registry: Registry,
    a: str,
    b: str,
    only: Collection[str] = SECTIONS,
    *,
    options: Options | None = None,
) -> Diff:
    """Compare the revision `a`, taken as the older one, with the revision `b`."""
    from lineage.diff import (
        config,
        files,
        metrics,
        origins,
        records,
        tensors,
        tokenizer,
    )

    ids = registry.resolve(a), registry.resolve(b)
    notes: list[str] = []
    compared = pairs(registry, *ids, notes)
    what = Comparison(registry, compared, options or Options(), notes)
    return Diff(
        *ids,
        metrics=metrics.compare(what) if "metrics" in only else (),
        params=config.compare_params(what) if "params" in only else (),
        config=config.compare(what) if "config" in only else (),
        tokenizer=tokenizer.compare(what) if "tokenizer" in only else (),
        records=records.compare(what) if "records" in only else (),
        tensors=tensors.compare(what) if "tensors" in only else (),
        files=files.compare(what) if "files" in only else FileChanges(),
        notes=tuple(what.notes),
        beyond=tuple(_beyond(*compared[0].commits)),
        alike=tuple(what.alike),
        origins=origins.compare(what) if {*only} == {*SECTIONS} else None,
        pairs=tuple(what.pairs),
    )


def sections(only: str | None) -> list[str]:
    """The sections that `only` names, with commas between; all without it.

    Raises:
        UsageError: when one of them is none.
    """
    names = [*SECTIONS] if only is None else only.split(",")
    for name in names:
        if name not in SECTIONS:
            hint = "some of " + ",".join(SECTIONS)
            raise UsageError(f"{name!r} is no section of a diff", hint=hint)
    return names


def _beyond(a: Commit, b: Commit) -> Iterator[str]:
    """The fields of two manifests that differ and no section shows."""
    before, after = (_without_history(commit) for commit in (a, b))
    turns = a.kind == b.kind == "generation"
    for name in _OTHERS:
        if turns and name in ("name", "edges", "gates"):
            continue  # of every two turns, and the parts are compared
        if before.get(name) != after.get(name):
            yield name


def _without_history(commit: Commit) -> dict[str, Json]:
    return commit.without("follows").without("revises").to_json()


def before(registry: Registry, revision: str) -> str:
    """The commit that comes before `revision` on its branch.

    Raises:
        NotFound: when it is the first.
    """
    id_ = registry.resolve(revision)
    found = registry.load(id_).ids(*BACK)
    if not found:
        hint = "name two revisions to compare"
        raise NotFound(f"nothing comes before {id_[:12]} on its branch", hint=hint)
    return found[0]
