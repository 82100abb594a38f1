"""Programs that some tests ask for a second opinion, and that a bare machine lacks."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


def has(*programs: str) -> bool:
    """Whether all of these are installed."""
    return not _missing(programs)


def needs(*programs: str) -> pytest.MarkDecorator:
    """Skip a test where one of these is not installed."""
    return pytest.mark.skipif(not has(*programs), reason=_reason(programs))


def skip_without(*programs: str) -> None:
    """Skip the test that runs where one of these is not installed."""
    if not has(*programs):
        pytest.skip(_reason(programs))


def git(root: Path, *args: str) -> str:
    """What git prints in a repository."""
    command = ["git", "-C", str(root), *args]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout


def _missing(programs: tuple[str, ...]) -> list[str]:
    return [name for name in programs if shutil.which(name) is None]


def _reason(programs: tuple[str, ...]) -> str:
    return f"not on this machine: {', '.join(_missing(programs))}"


needs_openssh = needs("ssh-keygen")
WHAT_AN_AUDITOR_HAS = ("git", "openssl", "ssh-keygen", "unzip")
needs_what_an_auditor_has = needs(*WHAT_AN_AUDITOR_HAS)
