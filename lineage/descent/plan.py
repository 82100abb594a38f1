"""What to make again when a commit is replaced: everything that it reached, in order.

Nothing is changed. The order is that of recording, in which what a commit is made from
always comes before it. Parts of a loop's generation belong to it: the loop makes them
again when it goes on from its last clean generation.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from lineage.descent.impact import Branch, branches
from lineage.descent.reach import Reach, reach
from lineage.descent.roles import REACHING
from lineage.indexing import index_of
from lineage.registry import Registry
from lineage.store.objects import Commit


class Step(NamedTuple):
    """A commit to make again.

    `step` is the code that made it, `configs` what it was configured by, `again` those
    of its inputs that are made again before it, `kept` those that hold. It is part of
    the generation `part_of`, if of any.
    """

    id: str
    kind: str
    name: str
    step: str
    configs: tuple[str, ...]
    again: tuple[str, ...]
    kept: tuple[str, ...]
    part_of: str | None


class LoopRun(NamedTuple):
    """A loop's branch to run again: `generations` of it, after the one that is `clean`.

    Without `clean` the loop begins with what was reached, and is made anew. `config`
    is the one that its tip was made with.
    """

    branch: str
    clean: str | None
    first: str
    generations: int
    config: str | None


@dataclass(frozen=True)
class Plan:
    """What to make again once `source` is replaced; `loops` make some of the `steps`.

    These may have been cut short: `count` says how many there are.
    """

    source: str
    loops: tuple[LoopRun, ...]
    count: int
    steps: tuple[Step, ...]


def plan(registry: Registry, id_: str, *, limit: int | None = None) -> Plan:
    """What to make again once the commit `id_`, a full id, is replaced.

    At most `limit` steps are described.

    Raises:
        NotFound: when it is not here.
        StoreError: when the index cannot be used.
    """
    with index_of(registry) as index:
        found = reach(registry, index, id_, "records")
        affected = branches(registry, index, found)
    return Plan(
        source=id_,
        loops=tuple(_loops(registry, affected)),
        count=len(found.numbers),
        steps=tuple(_steps(registry, found, limit)),
    )


def _loops(registry: Registry, affected: tuple[Branch, ...]) -> Iterator[LoopRun]:
    """The branches of loops; those of tries that were set aside (``@``) are over."""
    for branch in affected:
        if registry.load(branch.tip).kind == "generation" and "@" not in branch.name:
            parts = registry.load(branch.tip).ids("includes")
            configs = (id_ for id_ in parts if registry.load(id_).kind == "config")
            yield LoopRun(
                branch=branch.name,
                clean=branch.clean,
                first=branch.first,
                generations=branch.affected,
                config=next(configs, None),
            )


def _steps(registry: Registry, found: Reach, limit: int | None) -> Iterator[Step]:
    owners = _owners(found)
    affected = {found.id(number) for number in found.doses}
    for number in found.numbers[:limit]:
        id_ = found.id(number)
        commit = registry.load(id_)
        inputs = dict.fromkeys(e.id for e in commit.edges if e.role in REACHING)
        configs = commit.ids("configured_by")
        owner = owners.get(number)
        yield Step(
            id=id_,
            kind=commit.kind,
            name=commit.name,
            step=_code(commit),
            configs=configs,
            again=tuple(one for one in inputs if one in affected),
            kept=tuple(o for o in inputs if o not in affected and o not in configs),
            part_of=None if owner is None else found.id(owner),
        )


def _code(commit: Commit) -> str:
    """What made a commit, as its manifest calls that."""
    code = commit.code or {}
    return next(
        (str(code[k]) for k in ("step", "callable", "command") if k in code), ""
    )


def _owners(found: Reach) -> dict[int, int]:
    """The generation that each part belongs to.

    Beside those that it includes, what these are derived from and nothing else
    includes, if the same config made it: a loop's raw records.
    """
    owners: dict[int, int] = {}
    derived: list[tuple[int, int]] = []
    configs: dict[int, set[int]] = {}
    for child, role, parent, *_ in found.graph.edges:
        if role == "includes":
            owners.setdefault(parent, child)
        elif role == "derived_from":
            derived.append((child, parent))
        elif role == "configured_by":
            configs.setdefault(child, set()).add(parent)
    for child, parent in reversed(derived):
        same = configs.get(child, set()) & configs.get(parent, set())
        if child in owners and parent not in owners and same:
            owners[parent] = owners[child]
    return owners
