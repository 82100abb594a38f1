"""Files of DVC in somebody's git history, as `lineage import dvc` reads them."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

from lineage.integrations.dvc import import_dvc
from tests.fuzz.world import small_registry

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RUNS = ("git",)
TRIES = 5
KEPT: Sequence[bytes] = ()
NAMES = ("a.dvc", "sub/b.dvc", "dvc.lock", "dvc.yaml", "metrics.json", ".dvc/config")
MARK = re.compile(rb"^=== ([a-z./]+)\n", re.MULTILINE)
MD5 = b"d3b07384d113edec49eaa6238ad5ff00"


def seeds(folder: Path) -> Sequence[bytes]:
    root = folder / "dvc"
    if not root.exists():
        (root / ".dvc").mkdir(parents=True)
        _git(root, "init", "-q")
    small_registry(folder)
    return [
        b"=== a.dvc\nmd5: x\ndeps:\n- path: b\n  repo: {url: u, rev_lock: r}\nouts:\n"
        b"- md5: %b\n  size: 3\n  hash: md5\n  path: data.csv\n=== .dvc/config\n"
        b"[core]\n    remote = x\n['remote \"x\"']\n    url = /nowhere\n" % MD5,
        b"=== dvc.lock\nschema: '2.0'\nstages:\n  train@1:\n    cmd: python t.py\n"
        b"    deps:\n    - path: data\n      md5: %b.dir\n    params:\n"
        b"      params.yaml:\n        lr: 0.1\n    outs:\n    - path: model.pt\n"
        b"      md5: %b\n=== dvc.yaml\nstages:\n  train:\n    cmd: x\n    wdir: .\n"
        b"    outs: [model.pt]\n    metrics:\n    - metrics.json: {cache: false}\n"
        b"artifacts:\n  m: {path: model.pt, type: model}\n"
        b'=== metrics.json\n{"loss": {"value": 0.5}}\n' % (MD5, MD5),
        b"=== sub/b.dvc\nouts:\n- md5: %b\n  path: b\n  cache: true\n" % MD5,
    ]


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", *words], cwd=root, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def attack(data: bytes, folder: Path) -> None:
    root = folder / "dvc"
    parts = MARK.split(data)
    files = dict(zip(parts[1::2], parts[2::2], strict=True))
    for name in NAMES:
        path = root / name
        path.unlink(missing_ok=True)
        if name.encode() in files:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(files[name.encode()])
    _git(root, "add", "-A", "-f")
    tree = _git(root, "write-tree")
    head = _git(root, "commit-tree", "-m", "x", tree)
    import_dvc(small_registry(folder), root, rev=head)
