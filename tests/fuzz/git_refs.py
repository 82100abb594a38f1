"""What a remote calls its refs, and the names in the views of its log.

An input is lines: what stands after ``refs/`` is a ref beside the log, what stands
after ``view/`` a path in the view of the log's newest event, which nobody would write.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from lineage.sharing.clone import clone
from lineage.store.names import EVENTS
from tests.fuzz.world import small_registry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

RUNS = ("git",)
TRIES = 2
KEPT = (
    b"refs/heads/a\xe2\x80\xa8b/refs/lineage/events",
    b"refs/heads/\xff/refs/lineage/events",
    b"refs/lineage/heads/model%2Fa\xc2\x85b",
    b"refs/lineage/heads/\xff\nrefs/lineage/attic/x\xe2\x80\xa8refs/y",
    b"view/heads/\xff/a\nrefs/lineage/tags/a%FFb",
    b"view/heads/x\nview/tags/\nview/heads\nrefs/lineage/settings",
)
_REF = re.compile(rb"refs/[^\0-\x20\x7f~^:?*\[\\]+")


def seeds(folder: Path) -> Sequence[bytes]:
    small_registry(folder)
    return [
        b"refs/heads/main\nrefs/lineage/heads/model%2Fx\nrefs/tags/v1",
        b"refs/lineage/attic/1111111111111111111111111111111111111111",
    ]


def attack(data: bytes, folder: Path) -> None:
    there, here = folder / "there.git", folder / "here"
    for place in (there, here):
        shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(small_registry(folder).git.common, there, symlinks=True)
    _git(there, "config", "core.bare", "true")
    tip = _git(there, "rev-parse", EVENTS)
    lines = data.split(b"\n")[:20]
    refs = {line for line in lines if _REF.fullmatch(line)} - {EVENTS.encode()}
    if views := [line for line in lines if line.startswith(b"view/")]:
        tip = _event(there, tip, views)
    listed = sorted([*refs, EVENTS.encode()])
    packed = b"".join(b"%b %b\n" % (tip, ref) for ref in listed)
    (there / EVENTS).unlink(missing_ok=True)
    (there / "packed-refs").write_bytes(b"# pack-refs with: sorted \n" + packed)
    clone(str(there), here).close()


def _event(root: Path, tip: bytes, paths: Sequence[bytes]) -> bytes:
    """The newest event, with something at these paths of its view."""
    index = root / "index.fuzz"
    index.unlink(missing_ok=True)
    where = {"GIT_INDEX_FILE": str(index)}
    _git(root, "read-tree", tip.decode(), env=where)
    for path in paths:
        line = b"100644 %b\t%b\0" % (_git(root, "hash-object", "-w", "HEAD"), path)
        _git(root, "update-index", "-z", "--index-info", data=line, ok=True, env=where)
    made = _git(root, "write-tree", env=where)
    old = _git(root, "cat-file", "commit", tip.decode())
    new = b"tree %b%b\n" % (made, old[45:])
    return _git(root, "hash-object", "-t", "commit", "-w", "--stdin", data=new)


def _git(
    root: Path,
    *words: str,
    data: bytes = b"",
    ok: bool = False,
    env: Mapping[str, str] | None = None,
) -> bytes:
    done = subprocess.run(
        ["git", *words],
        cwd=root,
        input=data,
        capture_output=True,
        env={**os.environ, **(env or {})},
        check=not ok,
    )
    return done.stdout.strip()
