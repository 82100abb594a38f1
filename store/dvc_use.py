"""What DVC itself still needs of its cache, by what its files name.

DVC's files are small and plain text: whatever in them looks like an MD5 counts as
needed. That is more than `dvc gc` in any form would keep, and asks no DVC, which
takes 10 ms per commit: every ``*.dvc`` and ``dvc.lock`` in work trees, the index,
stashes and all commits of refs that are not ours, and the run cache.
"""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from lineage.store import names
from lineage.store.git import GitRepository
from lineage.store.places import place

_OBJECT = re.compile(rb"(?<![0-9a-f])[0-9a-f]{32}(?:\.dir)?(?![0-9a-f])")
_OURS = (f"--exclude={names.ROOT}*", f"--exclude={names.KEEP}")
_SKIPPED = {".git", ".dvc", ".venv", "node_modules"}


def used_by_dvc(git: GitRepository, cache: Path) -> set[str]:
    """The objects that DVC's own files name, folders with what is in them."""
    files = [*_in_work_trees(git), *_in_git(git), *_in_run_cache(cache)]
    named = {found.decode() for data in files for found in _OBJECT.findall(data)}
    for oid in [oid for oid in named if oid.endswith(".dir")]:
        path = place(cache, oid)
        if path.exists():
            named |= {found.decode() for found in _OBJECT.findall(path.read_bytes())}
    return named


def _in_git(git: GitRepository) -> Iterator[bytes]:
    stashes = git.run("stash", "list", "--format=%H").decode().split()
    asked = ("--objects", "--indexed-objects", *_OURS, "--all", *stashes)
    lines = git.run("rev-list", *asked).decode(errors="replace").splitlines()
    pairs = (line.partition(" ") for line in lines)
    oids = [oid for oid, _, path in pairs if _is_dvc(path.rpartition("/")[2])]
    yield from (found[1].data for found in git.read_many(oids) if found)


def _in_work_trees(git: GitRepository) -> Iterator[bytes]:
    listed = git.run("worktree", "list", "--porcelain", "-z").decode().split("\0")
    roots = [line[9:] for line in listed if line.startswith("worktree ")]
    for root in {str(git.root), *roots}:
        for folder, folders, files in os.walk(root):
            folders[:] = [name for name in folders if name not in _SKIPPED]
            yield from _read(Path(folder, name) for name in files if _is_dvc(name))


def _in_run_cache(cache: Path) -> Iterator[bytes]:
    return _read(path for path in (cache / "runs").rglob("*") if path.is_file())


def _read(paths: Iterable[Path]) -> Iterator[bytes]:
    return (path.read_bytes() for path in paths if path.is_file())


def _is_dvc(name: str) -> bool:
    return name.endswith(".dvc") or name == "dvc.lock"
