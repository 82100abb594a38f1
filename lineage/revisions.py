"""Names of commits: ``tutor~2``, ``HEAD^trained_on``, ``v1``, ``3fa9``.

A revision is a base and any number of steps. The base is HEAD, a tag, a branch or
a prefix (at least 4 digits) of an id or git oid, tried in that order; with ``@{…}``
it is what a name meant then. A step is ``~n`` (n commits back along follows and
revises), ``^role`` (the parent along an edge of that role) or ``^role(kind)`` (the
one of that kind among several).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from lineage.errors import Ambiguous, NotFound, Place
from lineage.repository import Repository
from lineage.store.objects import BACK, KINDS, ROLES

SHORTEST = 4
_SHOWN = 5  # candidates of what is ambiguous
_HEX = re.compile(rf"[0-9a-f]{{{SHORTEST},64}}\Z")
_STEP = r"~([0-9]{{0,9}})|\^({roles})(?:\(({kinds})\))?".format(
    roles="|".join(ROLES), kinds="|".join(KINDS)
)
_STEPS = re.compile(_STEP)
_PLAIN = re.compile(
    rf"(?P<name>[^~^]+?)(?:@\{{(?P<moment>[^}}]*)\}})?(?P<steps>(?:{_STEP})*)"
)


class Back(NamedTuple):
    """The step ``~n``."""

    n: int

    def __str__(self) -> str:
        return f"~{self.n}"


class Along(NamedTuple):
    """The step ``^role`` or ``^role(kind)``."""

    role: str
    kind: str | None = None

    def __str__(self) -> str:
        return f"^{self.role}({self.kind})" if self.kind else f"^{self.role}"


Step: TypeAlias = Back | Along


@dataclass(frozen=True)
class Revision:
    """A base, what it meant at a moment if that is given, and steps from there."""

    name: str
    moment: str | None = None
    steps: tuple[Step, ...] = ()
    place: Place | None = field(default=None, compare=False, repr=False)


class Reading(NamedTuple):
    """What a text means: ids, newest first, and whether it named one by a `revision`.

    A `range` is a stretch of history, ``A..B`` or ``A...B``.
    """

    ids: list[str]
    is_revision: bool = False
    is_range: bool = False


def newest_first(registry: Repository, ids: Iterable[str]) -> list[str]:
    """`ids` by the order of recording."""
    ids = list(ids)
    if len(ids) <= len(registry.ids) // 16:
        return sorted(ids, key=lambda id_: -registry.ids.get(id_).number)
    numbers = {record.id: record.number for record in registry.ids}
    return sorted(ids, key=lambda id_: -numbers[id_])


def only(registry: Repository, ids: list[str], several: str) -> str:
    """The first of `ids`.

    Raises:
        Ambiguous: when there are more; it says `several` and lists a handful.
    """
    if len(ids) == 1:
        return ids[0]
    lines = [described(registry, id_) for id_ in ids[:_SHOWN]]
    if len(ids) > _SHOWN:
        lines.append(f"and {len(ids) - _SHOWN:,} more")
    raise Ambiguous(several, lines)


def described(registry: Repository, id_: str) -> str:
    """A commit in a sentence: its short id, kind and name."""
    commit = registry.load(id_)
    return f"{id_[:12]} ({commit.kind} {commit.name})"


def named(registry: Repository, text: str) -> str | None:
    """The commit that a text without operators means; None where it may be a revset."""
    found = _PLAIN.fullmatch(text)
    if found is None:
        return None
    base = base_of(registry, found["name"], found["moment"])
    if base is None:
        return None
    steps = (_step(step) for step in _STEPS.finditer(found["steps"]))
    return walked(registry, base, steps)


def _step(found: re.Match[str]) -> Step:
    back, role, kind = found.groups()
    return Along(role, kind) if role else Back(int(back or 1))


def commit_of(registry: Repository, revision: Revision) -> str | None:
    """The full id that `revision` means; None where its base is no name.

    Raises:
        NotFound: when a step leads nowhere.
        Ambiguous: when a step could lead to several.
    """
    base = base_of(registry, revision.name, revision.moment)
    return base and walked(registry, base, revision.steps)


def base_of(registry: Repository, name: str, moment: str | None) -> str | None:
    """The id that a name means, or meant at a moment; None where it is no name."""
    if not name.isprintable():
        return None
    if moment is not None:
        from lineage.moments import event_at

        then = Repository(registry.git, at=event_at(registry, moment))
        return base_of(then, name, None)
    if name == "HEAD":
        return _head(registry)
    for space in ("tags", "heads"):
        target = registry.target(f"{space}/{name}")
        if target:
            return target.id
    return _prefixed(registry, name) if _HEX.match(name) else None


def _head(registry: Repository) -> str:
    branch = registry.head
    target = registry.target(f"heads/{branch}") if branch else None
    if target is None:
        hint = "commit something, or name a branch: `lineage branch` lists them"
        raise NotFound("HEAD names no commit yet", hint=hint)
    return target.id


def _prefixed(registry: Repository, prefix: str) -> str | None:
    found = {record.id for record in registry.ids.find(prefix)}
    if len(prefix) <= 40:
        found |= _by_git_oid(registry, prefix)
    if not found:
        return None
    return only(registry, sorted(found), f"{prefix!r} could be {len(found)} commits")


def _by_git_oid(registry: Repository, prefix: str) -> set[str]:
    """Commits whose git oid starts with `prefix`; git itself finds them."""
    listed = registry.git.run("rev-parse", f"--disambiguate={prefix}").decode().split()
    found = registry.git.read_many(f"{oid}:lineage.json" for oid in listed)
    from lineage.store.canonical import digest

    ids = {digest(item[1].data) for item in found if item}
    return {id_ for id_ in ids if id_ in registry.ids}


def walked(registry: Repository, id_: str, steps: Iterable[Step]) -> str:
    """The commit that `steps` lead to; each must lead to exactly one.

    Raises:
        NotFound: when one leads nowhere.
        Ambiguous: when one could lead to several.
    """
    for step in steps:
        if isinstance(step, Along):
            id_ = _along(registry, id_, step)
        else:
            id_ = _back(registry, id_, step.n)
    return id_


def _back(registry: Repository, id_: str, count: int) -> str:
    for _ in range(count):
        parents = registry.load(id_).ids(*BACK)
        if not parents:
            raise NotFound(f"nothing comes before {id_[:12]} on its branch")
        id_ = parents[0]
    return id_


def _along(registry: Repository, id_: str, step: Along) -> str:
    chosen = along(registry, id_, step)
    if not chosen:
        to = f" to a {step.kind}" if step.kind else ""
        raise NotFound(f"{id_[:12]} has no edge {step.role}{to}")
    return only(registry, chosen, f"{id_[:12]} has {len(chosen)} edges {step.role}")


def along(registry: Repository, id_: str, step: Along) -> list[str]:
    """The parents of a commit that a step can lead to."""
    parents = registry.load(id_).ids(step.role)
    return [p for p in parents if step.kind in (None, registry.load(p).kind)]
