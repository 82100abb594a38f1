"""The bytes that others keep of the same generations."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import peers
from tests.bench.measure import Bench, do

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.bench.store_models import Generation

_CODECS = Path(__file__).with_name("store_codecs.py")
_THETA = """
export HOME=$PWD/home GIT_THETA_LOG_LEVEL=error GIT_THETA_CHECKPOINT_TYPE=safetensors
unset GIT_CONFIG_GLOBAL
mkdir home && git init -q
git config --global user.name bench
git config --global user.email bench@example.org
git lfs install && git-theta install && git-theta track model.safetensors
git add .gitattributes
for file in "$@"; do
    cp "$file" model.safetensors
    git-theta add model.safetensors && git commit -qm "$file"
done
"""
THETA_ROWS = ("minilm/full-5e-5", "minilm/last-layer", "minilm/lora-merged")


@dataclass(frozen=True, slots=True)
class Made:
    """A case's folder and what is in it."""

    name: str
    place: Path
    chain: Sequence[Generation]

    def files(self) -> Iterator[tuple[Path, Path | None]]:
        """Each file, and that of the same name in the first that it came from."""
        for one in self.chain:
            parents = [self.place / folder for _, folder in one.edges]
            for file in sorted((self.place / one.folder).iterdir()):
                parent = parents[0] / file.name if parents else None
                yield file, parent if parent and parent.exists() else None

    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.stat().st_size for file, _ in self.files())


def kept(bench: Bench, made: Made) -> dict[str, int | str]:
    """Bytes by peer, or why there are none."""
    found: dict[str, int | str] = {}
    for peer in bench.here():
        if peer.name in ("dvc", "git lfs"):
            found[peer.name] = _whole(bench, peer, made)
    if made.name in THETA_ROWS:
        found["git-theta"] = _theta(bench, made)
    elif not made.name.startswith("minilm"):
        found["git-theta"] = "no bf16"
    return found | _codecs(bench, made)


def _whole(bench: Bench, peer: peers.Peer, made: Made) -> int:
    """What is in a tool's repository beside the files themselves."""
    folder = bench.repository(peer)
    empty = used(folder)
    for one in made.chain:
        shutil.copytree(made.place / one.folder, folder / "data" / one.folder)
    do(folder, peer.add)
    total = used(folder) - empty - used(folder / "data")
    shutil.rmtree(folder)
    return total


def _theta(bench: Bench, made: Made) -> int | str:
    if not peers.installed("git-theta"):
        return "not here"
    folder = bench.fresh("theta")
    files = [str(file) for file, _ in made.files() if file.suffix == ".safetensors"]
    command = ["sh", "-ec", _THETA, "sh", *files]
    done = subprocess.run(
        command, cwd=folder, env=peers.environment(), capture_output=True, check=False
    )
    total = used(folder / ".git")
    shutil.rmtree(folder)
    return "failed" if done.returncode else total


def _codecs(bench: Bench, made: Made) -> dict[str, int | str]:
    """What compressors make of the files, in the peers' own environment."""
    pairs = [[str(file), parent and str(parent)] for file, parent in made.files()]
    folder = bench.fresh("codecs")
    done = subprocess.run(
        [str(peers.PLACE / "bin" / "python"), str(_CODECS), str(folder)],
        input=json.dumps(pairs),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env=peers.environment(),
    )
    shutil.rmtree(folder)
    found: dict[str, int | str] = json.loads(done.stdout)
    return found


def used(place: Path) -> int:
    """Bytes of the files under a folder; one that has several names counts once."""
    seen: set[int] = set()
    total = 0
    for folder, _, names in os.walk(place):
        for name in names:
            found = os.lstat(os.path.join(folder, name))  # noqa: PTH118
            if found.st_ino not in seen:
                seen.add(found.st_ino)
                total += found.st_size
    return total
