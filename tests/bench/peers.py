"""The tools that keep files as we do: how each is got, asked, and what it calls that.

A peer is four lines of shell about `data`, a file or a folder in the working directory,
and they are printed as they are. Tools that do not sync are followed by `sync`, so that
what they took in is on the disk when the clock stops, as ours is. Those of Debian are
looked for on the PATH; those of PyPI get an environment of their own, `.venv/peers`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

BIN = Path(sys.executable).parent
PLACE = BIN.parent / "peers"
LISTED = Path(__file__).with_name("peers.txt")


@dataclass(frozen=True, slots=True)
class Peer:
    """How a tool makes a repository, takes `data` in, and gives it back.

    `forget` removes what lies in the work tree before `get`, which is not timed.
    """

    name: str
    version: str
    missing: str
    make: str
    add: str
    get: str
    forget: str = "rm -rf data"


OURS = Peer(
    name="lineage",
    version="lineage --version | cut -d' ' -f3",
    missing="",
    make="lineage -q init",
    add="lineage -q commit dataset data --name data",
    get="lineage -q get dataset/data data",
)

PEERS = (
    Peer(
        name="dvc",
        version="dvc --version",
        missing="pip install dvc",
        make="git init -q && dvc -q init",
        add="dvc -q add data && sync",
        get="dvc -q checkout",
    ),
    Peer(
        name="git lfs",
        version="git lfs version | sed 's,git-lfs/,,; s, .*,,'",
        missing="apt-get install git-lfs",
        make="git init -q && git lfs install --local"
        " && echo 'data filter=lfs -text\ndata/** filter=lfs -text' > .gitattributes",
        add="git add .gitattributes data && git commit -qm data --allow-empty && sync",
        get="git checkout -q -- data",
    ),
    Peer(
        name="git annex",
        version="git annex version --raw",
        missing="apt-get install git-annex",
        make="git init -q && git annex init -q bench",
        add="git annex -q add data && git commit -qm data --allow-empty && sync",
        get="git annex -q unlock data",
        forget="rm -rf data && git reset -q --hard",  # links, as `add` leaves them
    ),
    Peer(
        name="oxen",
        version="oxen version",
        missing="make bench, with PyPI within reach",
        make="oxen init",
        add="oxen add && sync",
        get="oxen restore",
    ),
)

FLOOR = Peer(
    name="cp, sha256sum",
    version="sha256sum --version | sed 's,.* ,,;q'",
    missing="",
    make="true",
    add="cp -r data copy && find data -type f -exec sha256sum {} + > sums && sync",
    get="cp -r copy data",
)


def environment() -> dict[str, str]:
    """The caller's, with our tools first, compiled bytecode, and nobody's settings.

    Commits have an author, git repacks nothing in the background and DVC sends no
    telemetry.
    """
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    who = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "bench"), ("EMAIL", "bench@example.org"))
    }
    setting = {
        "GIT_CONFIG_GLOBAL": os.environ.get("GIT_CONFIG_GLOBAL", os.devnull),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "gc.auto",
        "GIT_CONFIG_VALUE_0": "0",
    }
    path = os.pathsep.join((str(BIN), str(PLACE / "bin"), os.environ["PATH"]))
    said = {"PATH": path, "DVC_NO_ANALYTICS": "1", "PYTHONWARNINGS": "ignore"}
    return {**kept, **who, **setting, **said}


def install() -> Iterator[str]:
    """Fill `.venv/peers` with what `peers.txt` names; yields what could not be had."""
    wanted = [
        line.strip()
        for line in LISTED.read_text("utf-8").splitlines()
        if line.strip() and not line.startswith("#")
    ]
    if not (PLACE / "bin" / "python").exists():
        venv.create(PLACE, with_pip=True)
    _link_oxen()
    _lend_packages()
    for line in wanted:
        if line.replace("_", "-") not in _installed():
            yield from _pip(line)


def _installed() -> set[str]:
    [packages] = PLACE.glob("lib/python*/site-packages")
    return {
        f"{one.metadata['Name'].lower().replace('_', '-')}=={one.version}"
        for one in distributions(path=[str(packages)])
    }


def _pip(line: str) -> Iterator[str]:
    command = [str(PLACE / "bin" / "pip"), "install", "-q", "--retries", "0", line]
    print(f"installing {line} into {PLACE}", file=sys.stderr)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["pip failed"])[-1]
        yield f"{line} could not be installed: {reason}"


def _link_oxen() -> None:
    """`oxen` of the command line is not on PyPI: ours calls its Python API."""
    script = Path(__file__).with_name("oxen_cli.py").read_text("utf-8")
    target = PLACE / "bin" / "oxen"
    target.write_text(f"#!{PLACE}/bin/python\n{script}", "utf-8")
    target.chmod(0o755)


def _lend_packages() -> None:
    """Let peers import what ours has, torch of all things, and not install it twice."""
    [packages] = PLACE.glob("lib/python*/site-packages")
    (packages / "ours.pth").write_text(f"{sysconfig.get_paths()['purelib']}\n", "utf-8")


_SHOW = f"{PLACE}/bin/pip show {{}} | sed -n 's/Version: //p'"
TOOLS = {
    "mlflow": ("pip show mlflow | sed -n 's/Version: //p'", "pip install mlflow"),
    "wrk": ("wrk -v | sed 's/wrk debian.//; s/ .*//;q'", "apt-get install wrk"),
    "strace": ("strace -V | sed 's/.* //;q'", "apt-get install strace"),
    "git-theta": (_SHOW.format("git-theta"), "make bench, with PyPI within reach"),
    "hf-xet": (_SHOW.format("hf-xet"), "pip install hf-xet"),
    "zipnn": (_SHOW.format("zipnn"), "make bench, with PyPI within reach"),
}  # what some areas need besides: how it says its version, how to get it


def present() -> tuple[dict[str, str], dict[str, str]]:
    """Versions of what is here, and of the rest how to get it."""
    asked = {peer.name: (peer.version, peer.missing) for peer in PEERS} | TOOLS
    found = {name: _said(version) for name, (version, _) in asked.items()}
    versions = {name: version for name, version in found.items() if version}
    missing = {name: how for name, (_, how) in asked.items() if not found[name]}
    return versions, missing


def _said(script: str) -> str:
    """What a line of shell prints first; nothing where it fails."""
    done = subprocess.run(
        ["sh", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
    )
    return "" if done.returncode else done.stdout.split("\n")[0].strip()


def installed(name: str) -> bool:
    """Whether a program is on the PATH of what is measured."""
    return shutil.which(name, path=environment()["PATH"]) is not None
