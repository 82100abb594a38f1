"""Names of commits: ``tutor~2``, ``HEAD^trained_on``, ``v1``, ``3fa9``.

A revision is a base and any number of steps. The base is HEAD, a tag, a branch or
a prefix (at least 4 digits) of an id or git oid, tried in that order. A step is
``~n`` (n commits back along follows and revises), ``^role`` (the parent along an
edge of that role) or ``^role(kind)`` (the one of that kind among several).
"""

import re
from collections.abc import Iterator

from lineage.errors import Ambiguous, NotFound, UsageError
from lineage.registry import Registry
from lineage.store.objects import KINDS, ROLES

SHORTEST = 4
_BASE = re.compile(r"[^~^]+")
_STEP = re.compile(r"~(?P<back>\d{0,9})|\^(?P<role>\w+)(?:\((?P<kind>\w+)\))?")
_HEX = re.compile(rf"[0-9a-f]{{{SHORTEST},64}}\Z")


def resolve(registry: Registry, revision: str) -> str:
    """The full id that `revision` means.

    Raises:
        NotFound: when there is no such commit.
        Ambiguous: when it could be several; they are listed.
        UsageError: when it is not written as a revision is.
    """
    if ".." in revision:
        hint = "name single revisions; `lineage log REV` shows what REV came from"
        raise UsageError(f"{revision!r} is a range, which is not known here", hint=hint)
    base = _BASE.match(revision)
    if base is None or not revision.isprintable():
        raise UsageError(f"{revision!r} is not a revision", hint="see `lineage log`")
    steps = list(_steps(revision, base.end()))
    id_ = _base(registry, base[0])
    for step in steps:
        id_ = _step(registry, id_, step)
    return id_


def _steps(revision: str, at: int) -> Iterator[re.Match[str]]:
    while at < len(revision):
        step = _STEP.match(revision, at)
        if step is None:
            hint = "after the name come steps ~n, ^role or ^role(kind)"
            wrong = f"{revision!r} makes no sense from {revision[at:]!r} on"
            raise UsageError(wrong, hint=hint)
        yield step
        at = step.end()


def _base(registry: Registry, name: str) -> str:
    if name == "HEAD":
        return _head(registry)
    for space in ("tags", "heads"):
        target = registry.target(f"{space}/{name}")
        if target:
            return target.id
    if _HEX.match(name):
        found = _prefixed(registry, name)
        if found:
            return found
    hint = "`lineage branch` lists the branches, `lineage log` the commits"
    raise NotFound(f"no branch, tag or commit is called {name!r}", hint=hint)


def _head(registry: Registry) -> str:
    branch = registry.head
    target = registry.target(f"heads/{branch}") if branch else None
    if target is None:
        hint = "commit something, or name a branch: `lineage branch` lists them"
        raise NotFound("HEAD names no commit yet", hint=hint)
    return target.id


def _prefixed(registry: Registry, prefix: str) -> str | None:
    found = {record.id for record in registry.ids.find(prefix)}
    if len(prefix) <= 40:
        found |= _by_git_oid(registry, prefix)
    if len(found) > 1:
        lines = [_described(registry, id_) for id_ in sorted(found)]
        raise Ambiguous(f"{prefix!r} could be {len(lines)} commits", lines)
    return found.pop() if found else None


def _by_git_oid(registry: Registry, prefix: str) -> set[str]:
    """Commits whose git oid starts with `prefix`; git itself finds them."""
    listed = registry.git.run("rev-parse", f"--disambiguate={prefix}").decode().split()
    found = registry.git.read_many(f"{oid}:lineage.json" for oid in listed)
    from lineage.store.canonical import digest

    ids = {digest(item[1].data) for item in found if item}
    return {id_ for id_ in ids if registry.ids.find(id_)}


def _described(registry: Registry, id_: str) -> str:
    commit = registry.load(id_)
    return f"{id_[:12]} ({commit.kind} {commit.name})"


def _step(registry: Registry, id_: str, step: re.Match[str]) -> str:
    if step["role"] is None:
        for _ in range(int(step["back"] or 1)):
            id_ = _before(registry, id_)
        return id_
    return _along(registry, id_, step["role"], step["kind"])


def _before(registry: Registry, id_: str) -> str:
    parents = registry.load(id_).ids("follows", "revises")
    if not parents:
        raise NotFound(f"nothing comes before {id_[:12]} on its branch")
    return parents[0]


def _along(registry: Registry, id_: str, role: str, kind: str | None) -> str:
    if role not in ROLES or (kind and kind not in KINDS):
        known = ", ".join(ROLES) if role not in ROLES else ", ".join(KINDS)
        raise UsageError(f"^{role} is no step: unknown word", hint=f"one of: {known}")
    parents = registry.load(id_).ids(role)
    chosen = [p for p in parents if not kind or registry.load(p).kind == kind]
    if not chosen:
        raise NotFound(
            f"{id_[:12]} has no edge {role}{f' to a {kind}' if kind else ''}"
        )
    if len(chosen) > 1:
        lines = [_described(registry, parent) for parent in chosen]
        raise Ambiguous(f"{id_[:12]} has {len(chosen)} edges {role}", lines)
    return chosen[0]
