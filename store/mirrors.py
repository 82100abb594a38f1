"""Mirrors: refs that repeat the names of the newest event, and the attic.

A gitlink in a view keeps nothing alive, so that git's own gc, fsck, push and fetch
need refs. `refs/lineage/attic/OID` keeps what a name has left.
"""

import re
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from lineage.store import names
from lineage.store.git import GitRepository
from lineage.store.git_graph import refs
from lineage.store.views import Move

_OID = re.compile(r"[0-9a-f]{40}")

Step: TypeAlias = dict[str, tuple[str | None, str | None]]
"""Refs with their oids before (None: whatever it is) and after (None: deleted)."""


def mirrored(moves: Iterable[Move]) -> Step:
    """What `moves` mean for the mirrors and the attic; old values unchecked."""
    step: Step = {}
    for move in moves:
        step[names.ref(move.ref)] = (None, move.after and move.after.git)
        if move.before and not move.kept:
            step |= kept([move.before.git])
    return step


def kept(oids: Iterable[str]) -> Step:
    """What keeps git commits that nothing else keeps: the attic."""
    return {names.ATTIC + oid: (None, oid) for oid in oids}


def stale(git: GitRepository, wanted: Mapping[str, str]) -> Step:
    """What has to move so that the mirrors are `wanted`, and the attic what it says."""
    actual = refs(git, *names.MIRRORS, names.ATTIC)
    attic = {ref: ref.removeprefix(names.ATTIC) for ref in actual}
    right = {**wanted, **{r: oid for r, oid in attic.items() if _OID.fullmatch(oid)}}
    gone = {ref: None for ref in actual if ref not in right}
    moved = {ref: oid for ref, oid in right.items() if actual.get(ref) != oid}
    return {ref: (None, oid) for ref, oid in {**gone, **moved}.items()}


def reached(git: GitRepository) -> set[str]:
    """Every git commit that our refs keep alive."""
    listed = git.run("rev-list", f"--glob={names.ROOT}*", "--")
    return set(listed.decode().split())
