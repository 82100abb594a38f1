"""Putting good git objects in the place of damaged ones.

What is damaged moves to ``<home>/trash``. A pack with damage in it is taken apart
into loose objects: git recovers all that can be read. What git derives (commit
graph, index of several packs) is removed, and git makes it again.
"""

import re
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from lineage.errors import StoreError
from lineage.store.canonical import digest
from lineage.store.fsck import Fault
from lineage.store.git import GitRepository
from lineage.store.git_environment import environment
from lineage.store.git_objects import GitObject

_PACK = re.compile(r"pack-[0-9a-f]{40}")
_DERIVED = ("info/commit-graph", "info/commit-graphs", "pack/multi-pack-index")


class Healer:
    """Works on the objects of one repository; call it under the registry's lock."""

    def __init__(self, git: GitRepository, trash: Path) -> None:
        self._git = git
        self._objects = git.common / "objects"
        self._trash = trash
        self.moved = 0

    def clear(self, found: Sequence[Fault]) -> None:
        """Take damaged files out of the way, and save what is good in them."""
        said = " ".join(fault.what for fault in found)
        if "commit-graph" in said or "multi-pack-index" in said:
            for name in _DERIVED:
                self._discard(self._objects / name)
        for fault in found:
            if fault.oid:
                self._discard(self._objects / fault.oid[:2] / fault.oid[2:])
        for pack in self._suspects(found):
            self._take_apart(pack)
        self._git.close()

    def _suspects(self, found: Sequence[Fault]) -> list[Path]:
        """Packs that git complains of, or that hold an object it complains of."""
        named = {name for fault in found for name in _PACK.findall(fault.what)}
        packs = sorted((self._objects / "pack").glob("pack-*.pack"))
        oids = [bytes.fromhex(fault.oid) for fault in found if fault.oid]
        return [
            pack
            for pack in packs
            if pack.stem in named
            or any(oid in pack.with_suffix(".idx").read_bytes() for oid in oids)
        ]

    def _take_apart(self, pack: Path) -> None:
        for path in pack.parent.glob(f"{pack.stem}.*"):
            self._discard(path)
        with (self._trash / pack.name).open("rb") as file:
            subprocess.run(
                ["git", "-C", str(self._git.root), "unpack-objects", "-r", "-q"],
                stdin=file,
                capture_output=True,
                env=environment(),
                check=False,  # it says what it could not read, and fsck says it again
            )

    def _discard(self, path: Path) -> None:
        if path.exists():
            self._trash.mkdir(parents=True, exist_ok=True)
            self.moved += 1
            path.replace(
                self._trash / (path.name if "pack" in path.name else _flat(path))
            )

    def put(self, objects: Iterable[GitObject]) -> None:
        """Write objects, each under the name that its bytes have."""
        self._git.write(objects)
        self._git.close()


def _flat(path: Path) -> str:
    return f"{path.parent.name}{path.name}"


def objects_at(place: str, oids: Iterable[str]) -> Iterator[GitObject]:
    """Those of `oids` that the repository at `place` has, whole."""
    done = subprocess.run(
        ["git", "-C", place, "cat-file", "--batch"],
        input="".join(f"{oid}\n" for oid in oids).encode(),
        capture_output=True,
        env=environment(),
        check=False,
    )
    data, at = done.stdout, 0
    while at < len(data):
        end = data.index(b"\n", at)
        words = data[at:end].decode(errors="replace").split(" ")
        at = end + 1
        if len(words) == 3 and words[2].isdigit():
            found = GitObject(words[1], data[at : at + int(words[2])])
            at += int(words[2]) + 1
            if found.oid == words[0]:
                yield found


def mirrored(git: GitRepository, url: str, work: Path) -> str | None:
    """A bare copy of the repository at `url` in `work`, to read objects from."""
    with suppress(StoreError):
        git.run("clone", "--quiet", "--mirror", "--", url, str(work / "copy"))
        return str(work / "copy")
    return None


def blobs_by_digest(git: GitRepository, wanted: set[str]) -> dict[str, bytes]:
    """The blobs whose SHA-256 is among `wanted`, wherever they are in the store."""
    words = ("--batch-all-objects", "--batch-check=%(objectname) %(objecttype)")
    lines = git.run("cat-file", *words).decode().splitlines()
    oids = [line[:40] for line in lines if line.endswith(" blob")]
    found: dict[str, bytes] = {}
    for answer in git.read_many(oids):
        if answer and (name := digest(answer[1].data)) in wanted:
            found[name] = answer[1].data
    return found
