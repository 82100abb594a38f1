"""Bringing a git bundle into a repository of its own, which is then thrown away.

The header is read here, so that no name of a ref and no demand of it reaches git
unseen. `git index-pack` gets the pack alone, with limits on memory and time, checks
every object and makes no ref; nothing of the bundle is ever checked out.
"""

import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from lineage.bundle_check.archive import Bundle, Refused
from lineage.bundle_check.looked import Looked
from lineage.errors import StoreError
from lineage.store.git import GitRepository
from lineage.store.git_environment import environment
from lineage.store.names import EVENTS

NAME = "data/registry.bundle"
_HEADER = b"# v2 git bundle\n"
_REF = re.compile(
    r"([0-9a-f]{40}) (refs/lineage/(?:events|[a-z]+/[\w.%@+=,!-]+))", re.ASCII
)
_LONGEST_HEADER = 64 * 2**20  # bytes
_MEMORY, _SECONDS = 4 * 2**20, 1800  # KiB and CPU seconds that one git may take
_LIMITED = f'ulimit -v {_MEMORY}; ulimit -t {_SECONDS}; exec "$@"'
_FRUGAL = {
    "core.bigFileThreshold": "16m",  # larger files are read in pieces
    "core.packedGitWindowSize": "16m",
    "core.packedGitLimit": "256m",
    "pack.threads": "2",
    "core.hooksPath": "/dev/null",
    "gc.auto": "0",
}
_RATIO, _SLACK = 200, 64 * 2**20  # how much more than its pack it may unpack to


@contextmanager
def imported(bundle: Bundle, looked: Looked) -> Iterator[GitRepository | None]:
    """A bare repository with what the git bundle holds; None where it cannot be had."""
    with tempfile.TemporaryDirectory(prefix="lineage-verify-") as folder:
        git = GitRepository(Path(folder), Path(folder))
        try:
            _import(bundle, git.root)
            _check_sizes(git, bundle.sizes[NAME])
            _check_whole(git.root)
        except (Refused, StoreError, KeyError) as error:
            missing = isinstance(error, KeyError)
            looked.found("git", NAME, "is missing" if missing else str(error))
            yield None
        else:
            looked.at("git")
            yield git
        finally:
            git.close()


def _import(bundle: Bundle, root: Path) -> None:
    with tempfile.TemporaryFile() as file:
        if NAME not in bundle.sizes:
            raise KeyError(NAME)
        bundle.copy(NAME, file)
        file.seek(0)
        refs = _header(file)
        _git(root, "init", "--quiet", "--bare", "--template=", str(root))
        with tempfile.TemporaryFile() as pack:
            while piece := file.read(2**20):
                pack.write(piece)
            pack.seek(0)
            _git(root, "index-pack", "--strict", "--stdin", source=pack)
    moves = "".join(f"create {ref} {oid}\n" for ref, oid in refs.items())
    with tempfile.TemporaryFile() as text:
        text.write(moves.encode())
        text.seek(0)
        _git(root, "update-ref", "--stdin", source=text)


def _header(file: IO[bytes]) -> dict[str, str]:
    """The refs of a bundle; `file` then stands where its pack begins."""
    if file.readline(len(_HEADER)) != _HEADER:
        raise Refused("is not a bundle of git, version 2")
    refs: dict[str, str] = {}
    while (line := file.readline(1024)) != b"\n":
        found = _REF.fullmatch(line.decode(errors="replace").removesuffix("\n"))
        if found is None or not line.endswith(b"\n") or found[2] in refs:
            raise Refused(f"has a line that cannot be: {line[:80]!r}")
        refs[found[2]] = found[1]
        if file.tell() > _LONGEST_HEADER:
            raise Refused("has a header without an end")
    if EVENTS not in refs:
        raise Refused(f"does not hold {EVENTS}")
    return refs


def _check_sizes(git: GitRepository, packed: int) -> None:
    """Refuse objects that are not worth their bytes before any is read."""
    form = ("--batch-check=%(objectsize)", "--batch-all-objects", "--unordered")
    listed = git.run("cat-file", *form)
    whole = sum(map(int, listed.split()))
    if whole > _RATIO * packed + _SLACK:
        raise Refused(f"would unpack to {whole:,} bytes from {packed:,}")


def _check_whole(root: Path) -> None:
    words = ("fsck", "--strict", "--full", "--no-dangling", "--no-progress")
    said = _git(root, *words).decode(errors="replace").strip()
    if said:
        raise Refused(f"git fsck says: {said.splitlines()[0][:200]}")


def _git(root: Path, *words: str, source: IO[bytes] | None = None) -> bytes:
    """Run git on what is not trusted, within limits.

    Raises:
        Refused: with git's own last words, when it fails.
    """
    options = [
        word for key, value in _FRUGAL.items() for word in ("-c", f"{key}={value}")
    ]
    done = subprocess.run(
        ["sh", "-c", _LIMITED, "sh", "git", "-C", str(root), *options, *words],
        stdin=source or subprocess.DEVNULL,
        capture_output=True,
        env={
            **environment(),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
        },
        check=False,
    )
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        last = said[-1][:200] if said else f"it ended with {done.returncode}"
        raise Refused(f"git {words[0]} says: {last}")
    return done.stdout
