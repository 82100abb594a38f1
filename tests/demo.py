"""`lineage demo --fast`, run once for all tests of a session that ask for it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from lineage.store.disk import locked

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = [sys.executable, "-m", "lineage", "demo"]
_SHOWN = "6061bdb5e47e53fb60fbb31038afe373b0674dc91e89004a8b91fcdcc4971890"
_SETTINGS = "[signing]\nkey = ~/.ssh/mine\n[index]\nurl = postgresql://nowhere/x\n"
_IDENTITY = "[user]\nname = Jane Doe\nemail = jane@x.org\n"


def other_text() -> bool:
    """Whether this Python's documentation has other words than 3.11.7's.

    The demo learns from it, and the pages show what it learned from that one.
    """
    from pydoc_data.topics import topics

    return sha256(repr(sorted(topics.items())).encode()).hexdigest() != _SHOWN


@dataclass(frozen=True)
class Demo:
    """What a demo has left, in `below`. Many tests look at it: none may change it."""

    below: Path

    @property
    def home(self) -> Path:
        """Somebody's home, with settings that would change everything."""
        return self.below / "home"

    @property
    def folder(self) -> Path:
        """The registry that was made."""
        return self.below / "look"

    @property
    def text(self) -> str:
        """What one has seen."""
        return (self.below / "seen.txt").read_text(encoding="utf-8")


def told(below: Path) -> Demo:
    """Give the demo in `below`; whoever of several processes comes first runs it."""
    demo = Demo(below)
    below.mkdir(exist_ok=True)
    with locked(below / "lock"):
        if not (below / "seen.txt").exists():
            _run(demo)
    return demo


def _run(demo: Demo) -> None:
    """Run it as somebody with settings of her own, where there is no torch."""
    (demo.home / ".config" / "lineage").mkdir(parents=True, exist_ok=True)
    (demo.home / ".config" / "lineage" / "config").write_text(_SETTINGS)
    (demo.home / ".gitconfig").write_text(_IDENTITY)
    env = without("torch", "transformers", "tokenizers", folder=demo.below)
    env |= {"HOME": str(demo.home), "COLUMNS": "80", "LINEAGE_SIGNING_KEY": "/my/own"}
    env |= {"GIT_AUTHOR_NAME": "Jane Doe", "GIT_AUTHOR_EMAIL": "jane@x.org"}
    env.pop("XDG_CONFIG_HOME", None)
    done = subprocess.run(
        [*COMMAND, "--fast", "--force", os.fspath(demo.folder)], env=env,
        cwd=demo.below, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    (demo.below / "seen.txt").write_text(done.stdout, encoding="utf-8")


def without(*names: str, folder: Path) -> dict[str, str]:
    """An environment in which these packages are not installed."""
    absent = "".join(f"sys.modules[{name!r}] = None\n" for name in names)
    (folder / "sitecustomize.py").write_text(f"import sys\n{absent}")
    return {**os.environ, "PYTHONPATH": os.fspath(folder)}
