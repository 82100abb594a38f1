"""Two versions of one model's weights compared, beside git-theta's `git diff`.

    python tests/bench/theta.py --theta /path/to/its/venv/bin [--mb 50] [--rounds 3]

git-theta (0.2.0) needs git-lfs, and beside what it asks for: colorama, torch, numpy.
It names the parameter groups that changed; `lineage diff` also says by how much.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.measure import (
    LINEAGE,
    Bench,
    Contestant,
    environment,
    machine,
)

_SIDE = 1024  # rows and columns of a matrix: 4 MB in float32

_MAKE = """
import sys, torch
torch.manual_seed(0)
count, side = map(int, sys.argv[1:])
names = [f"layers.{i}.weight" for i in range(count)]
model = {name: torch.randn(side, side) for name in names}
for version in ("old", "new"):
    torch.save(model, f"{version}.pt")
    model |= {names[0]: model[names[0]] + 0.01 * torch.randn(side, side)}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure diffs beside git-theta's.")
    parser.add_argument("--theta", type=Path, required=True)
    parser.add_argument("--mb", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        matrices = max(given.mb * 10**6 // (4 * _SIDE**2), 2)
        _run(folder, sys.executable, "-c", _MAKE, str(matrices), str(_SIDE))
        os.environ["HOME"] = place  # git-theta and git-lfs write the user's config
        theirs, ours = _theta(folder, given.theta), _lineage(folder)
        command = ["git", "diff", "HEAD~1", "HEAD"]
        diff = [LINEAGE, "diff", "model/m~1", "model/m", "--only", "tensors"]
        contestants = (
            Contestant("git-theta: git diff", command, lambda: theirs),
            Contestant("lineage diff --only tensors", diff, lambda: ours),
        )
        print(machine(folder))
        title = f"{matrices} matrices of 4 MB, one of them changed"
        bench = Bench(folder, given.rounds)
        bench.show(bench.race(title, contestants))


def _theta(folder: Path, theta: Path) -> Path:
    """A repository in which git-theta keeps both versions."""
    os.environ["PATH"] = f"{theta}:{os.environ['PATH']}"
    os.environ["GIT_THETA_LOG_LEVEL"] = "error"
    os.environ["GIT_CONFIG_GLOBAL"] = str(folder / "gitconfig")  # where both install
    place = folder / "theta"
    for words in (
        ("git", "init", "-q", str(place)),
        ("git", "lfs", "install"),
        ("git-theta", "install"),
    ):
        _run(folder, *words)
    _run(place, "git-theta", "track", "model.pt")
    _run(place, "git", "add", ".gitattributes")
    for version in ("old", "new"):
        (place / "model.pt").write_bytes((folder / f"{version}.pt").read_bytes())
        _run(place, "git-theta", "add", "model.pt")
        _run(place, "git", "commit", "-qm", version)
    return place


def _lineage(folder: Path) -> Path:
    """A registry with both versions."""
    place = folder / "lineage"
    _run(folder, LINEAGE, "init", str(place))
    for version in ("old", "new"):
        file = str(folder / f"{version}.pt")
        _run(place, LINEAGE, "commit", "model", file, "--name", "m")
    return place


def _run(folder: Path, *words: str) -> None:
    subprocess.run(words, cwd=folder, env=environment(), check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip


if __name__ == "__main__":
    main()
