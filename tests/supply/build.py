"""Build the sdist and the wheel: of one commit the same bytes, whoever builds.

    python tests/supply/build.py sdist OUT            from HEAD, never the work tree
    python tests/supply/build.py wheel SDIST OUT
    python tests/supply/build.py both OUT             one, and from it the other

Setuptools leaves the builder's clock, umask and name in an archive. So the files are
those of `git archive`, the time is the commit's, and the sdist is packed once more.
"""

from __future__ import annotations

import gzip
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
UMASK = 0o022


def sdist(out: Path, root: Path = ROOT, commit: str = "HEAD") -> Path:
    """Build the sdist of a commit of the repository at `root`."""
    git = ["git", "-C", str(root), "-c", f"tar.umask={UMASK:04o}"]
    files = _read([*git, "archive", "--format=tar", commit])
    then = int(_read([*git, "log", "-1", "--format=%ct", commit]))
    with tempfile.TemporaryDirectory() as folder:
        tree, made = Path(folder) / "tree", Path(folder) / "made"
        _unpack(io.BytesIO(files), tree)
        _build("--sdist", tree, made, then)
        [archive] = made.iterdir()
        target = out / archive.name
        target.write_bytes(repacked(archive.read_bytes(), then))
    return target


def wheel(archive: Path, out: Path) -> Path:
    """Build the wheel from an sdist; its time is that of the sdist's files."""
    with tempfile.TemporaryDirectory() as folder:
        tree, made = Path(folder) / "tree", Path(folder) / "made"
        then = _unpack(io.BytesIO(gzip.decompress(archive.read_bytes())), tree)
        [top] = tree.iterdir()
        _build("--wheel", top, made, then)
        [built] = made.iterdir()
        return Path(shutil.copy(built, out))


def repacked(data: bytes, then: int) -> bytes:
    """The same files in the same archive, whoever packed it, and whenever."""
    packed = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(data)) as old,
        gzip.GzipFile("", "wb", 9, packed, mtime=then) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as new,
    ):
        for member in sorted(old.getmembers(), key=lambda one: one.name):
            content = old.extractfile(member) if member.isfile() else None
            new.addfile(_nobodys(member, then), content)
    return packed.getvalue()


def _nobodys(member: tarfile.TarInfo, then: int) -> tarfile.TarInfo:
    """Say of a file only what it is: its name, its kind, whether it is a program."""
    told = tarfile.TarInfo(member.name)
    told.type, told.linkname, told.size = member.type, member.linkname, member.size
    told.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    told.mtime = then
    return told


def _unpack(file: io.BytesIO, tree: Path) -> int:
    """Unpack a tar file; the newest time in it."""
    with tarfile.open(fileobj=file) as archive:
        archive.extractall(tree, filter="data")
        return int(max(member.mtime for member in archive.getmembers()))


def _build(what: str, tree: Path, out: Path, then: int) -> None:
    env = os.environ | {
        "SOURCE_DATE_EPOCH": str(then),
        "LC_ALL": "C",
        "TZ": "UTC",
        "PYTHONHASHSEED": "0",
    }
    command = [sys.executable, "-m", "build", "-q", "--no-isolation", what]
    quiet = subprocess.DEVNULL
    subprocess.run(
        [*command, "-o", out, tree], env=env, umask=UMASK, stdout=quiet, check=True
    )


def _read(command: list[str]) -> bytes:
    return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout


def main(word: str, *rest: str) -> None:
    """Do what the words say, and print the paths of what was built."""
    out = Path(rest[-1])
    out.mkdir(parents=True, exist_ok=True)
    built = []
    if word in {"sdist", "both"}:
        built.append(sdist(out))
    if word in {"wheel", "both"}:
        built.append(wheel(built[0] if built else Path(rest[0]), out))
    print(*built, sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
