"""The first commit of a new repository: DVC's own files, and nothing else."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from lineage.errors import StoreError
from lineage.store.disk import locked
from lineage.store.git import GitRepository

_FIRST = "Make a lineage registry"


def is_unborn(git: GitRepository) -> bool:
    """Whether HEAD has no commit yet, or only half of a first one of ours."""
    return (git.home / "first").exists() or not _has_head(git)


def _has_head(git: GitRepository) -> bool:
    try:
        git.run("rev-parse", "--verify", "--quiet", "HEAD")
    except StoreError:
        return False
    return True


def commit_first(
    git: GitRepository, paths: Iterable[str], who: Mapping[str, str]
) -> None:
    """Commit `paths`, and nothing else, where HEAD has no commit yet.

    As long as it has none, `dvc diff` and its like say nothing at all. What a git
    that was killed in here left locked is free again: a note says that it was ours.
    """
    identity = (f"user.name={who['name']}", f"user.email={who['email']}")
    options = [word for setting in identity for word in ("-c", setting)]
    words = ("-q", "--no-gpg-sign", "-m", _FIRST, "--only", "--", *paths)
    git.home.mkdir(exist_ok=True)
    note = git.home / "first"
    with locked(git.home / "first.lock") as lock:
        for left in _locks(git) if note.exists() else ():
            left.unlink(missing_ok=True)
        note.touch()
        if not _has_head(git):
            git.run("add", "--force", "--", *paths, keep=(lock,))
            git.run("commit", *words, options=options, keep=(lock,))
        note.unlink()


def _locks(git: GitRepository) -> list[Path]:
    """What git locks for a first commit."""
    named = [git.common / name for name in ("index.lock", "HEAD.lock")]
    return [*named, *(git.common / "refs" / "heads").rglob("*.lock")]
