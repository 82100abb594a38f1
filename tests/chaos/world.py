"""Where the chaos happens: three clones, two remotes, and a disk that is small."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.chaos.crowd import SMALL, Crowd
from tests.chaos.journal import Done, Journal
from tests.servers import free_port

if TYPE_CHECKING:
    from tests.chaos.crowd import Running

BIN = Path(sys.executable).parent
LINEAGE = [sys.executable, "-m", "lineage", "--no-pager"]
DVC = [sys.executable, "-m", "dvc"]
CLONES = ("ada", "bob", "cy")
KEY, SECRET = "chaos-access-key", "chaos-secret-key"


@dataclass(frozen=True)
class Made:
    """A commit that was asked for, by the SHA-256 of its only file."""

    place: str
    sha256: str
    id: str = ""  # empty where nobody was told
    draft: bool = False  # its branch was deleted


@dataclass
class Known:
    """What the actors know of one another's work."""

    made: list[Made] = field(default_factory=list)
    events: list[tuple[str, str]] = field(default_factory=list)  # place, id
    freed: set[str] = field(default_factory=set)
    erased: set[str] = field(default_factory=set)
    requests: dict[str, str] = field(default_factory=dict)  # event by request
    loops: list[tuple[str, str]] = field(default_factory=list)  # place, name
    lock: threading.Lock = field(default_factory=threading.Lock)


class World:
    """The clones `ada` and `bob`; and on a small disk `cy`, `origin` and its store."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.small = folder, folder / "small"
        for name in ("small", "work", "s3/bucket"):
            (folder / name).mkdir(parents=True)
        self.mounted = mount(self.small)
        self.journal = Journal(folder / "journal.jsonl")
        self.env = closed(folder)
        self.crowd = Crowd(self.journal, self.env)
        self.known = Known()
        self.over = threading.Event()
        self.s3_port, self.port = free_port(), free_port()

    def root(self, place: str) -> Path:
        """The folder of a clone."""
        return (self.small if place == "cy" else self.folder) / place

    def lineage(self, actor: str, place: str, *words: str | Path) -> Done:
        """Run `lineage WORDS` in a clone."""
        args = [str(word) for word in words]
        return self.crowd.run(actor, place, args, [*LINEAGE, *args], self.root(place))

    def dvc(self, actor: str, place: str, *words: str) -> Done:
        """Run `dvc WORDS` in a clone."""
        command = [*DVC, *words]
        return self.crowd.run(actor, place, ["dvc", *words], command, self.root(place))

    def make(self) -> None:
        """Make the remotes and the clones, with nobody about."""
        origin, backup = self.small / "origin.git", self.folder / "backup.git"
        for bare in (origin, backup):
            self._do(self.folder, "git", "init", "-q", "--bare", bare)
        first = self.root("ada")
        self._do(self.folder, *LINEAGE, "init", first)
        self._set_up_dvc(first)
        self._name(first, "ada")
        self._do(first, "git", "push", "-q", origin, "HEAD")
        add: list[str | Path] = [*LINEAGE, "remote", "add"]
        self._do(first, *add, "origin", origin, "--dvc-remote", "store")
        self._do(first, *LINEAGE, "push", "origin")
        for name in CLONES[1:]:
            clone: list[str | Path] = [*LINEAGE, "clone", origin, self.root(name)]
            self._do(self.folder, *clone, "--dvc-remote", "store")
            self._name(self.root(name), name)
            self._do(self.root(name), *DVC, "pull", "-q")
        for name in CLONES:
            self._do(
                self.root(name),
                *add,
                "backup",
                backup,
                "--dvc-remote",
                "s3",
                "--packed",
            )

    def serve_s3(self) -> Running:
        """Serve S3 from a folder; each folder in it is a bucket."""
        address, keys = f"127.0.0.1:{self.s3_port}", f"{KEY},{SECRET}"
        command = [str(BIN / "rclone"), "serve", "s3", "--addr", address]
        command += ["--auth-key", keys, "--config", os.devnull, "--log-level", "ERROR"]
        command += ["--cache-dir", str(self.folder / "rclone"), str(self.folder / "s3")]
        return self.crowd.start(command, self.folder, "rclone serve s3")

    def serve(self) -> Running:
        """Serve `ada` over HTTP, with two workers."""
        command = [*LINEAGE, "serve", "--port", str(self.port), "--workers", "2"]
        return self.crowd.start(command, self.root("ada"), "serve")

    def close(self) -> None:
        """Let go of the disk."""
        self.journal.close()
        if self.mounted:
            subprocess.run(["umount", "-l", self.small], check=False)

    def _set_up_dvc(self, root: Path) -> None:
        """Something that DVC itself tracks, and its remotes."""
        (root / "plain.txt").write_text("tracked by DVC itself\n" * 50)
        self._do(root, *DVC, "add", "-q", "plain.txt")
        self._do(root, *DVC, "remote", "add", "-d", "store", self.small / "store")
        self._do(root, *DVC, "remote", "add", "s3", "s3://bucket")
        settings = {
            "endpointurl": f"http://127.0.0.1:{self.s3_port}",
            "access_key_id": KEY,
            "secret_access_key": SECRET,
            "region": "us-east-1",
        }
        for name, value in settings.items():
            self._do(root, *DVC, "remote", "modify", "s3", name, value)
        self._do(root, *DVC, "push", "-q")
        self._do(root, "git", "add", ".")
        self._do(root, "git", "commit", "-q", "-m", "Track a file with DVC")

    def _name(self, root: Path, name: str) -> None:
        self._do(root, "git", "config", "user.name", name)

    def _do(self, where: Path, *command: str | Path) -> None:
        subprocess.run(
            command, cwd=where, env=self.env, check=True, stdout=subprocess.DEVNULL
        )


def closed(folder: Path) -> dict[str, str]:
    """The environment of every process: no home, no settings but these, no network."""
    config = folder / "config" / "git"
    config.mkdir(parents=True)
    (config / "config").write_text(
        "[user]\n\tname = Chaos\n\temail = chaos@example.com\n"
        "[init]\n\tdefaultBranch = main\n"
    )
    private = ("DVC_", "GIT_", "LINEAGE_", "PYTHONDONT", "XDG_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(private)}
    return kept | {
        "HOME": str(folder / "config"),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(folder / "config" / "dvc"),
        "DVC_SYSTEM_CONFIG_DIR": str(folder / "config"),
        "LC_ALL": "C.UTF-8",
        "NO_COLOR": "1",
        "OMP_NUM_THREADS": "1",
    }


def mount(place: Path) -> bool:
    """Mount a small disk there, where that is allowed."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", str(place)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def listens(port: int, patience: float = 30) -> bool:
    """Wait until somebody listens there."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.1)
    return False
