"""Which code a run is: its script by content, and where git has it."""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from lineage.errors import LineageError, raised
from lineage.store.git import GitRepository

_LONGEST = 300
# Keys and tokens as services write them, and whatever is called a secret.
_SECRETS = (
    re.compile(r"(?<=://)[^/\s@]+@"),
    re.compile(r"\b(?:hf_|sk-|ghp_|github_pat_|glpat-|xox[abp]-|AKIA)[\w-]{8,}"),
    re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"),
    re.compile(
        r"(?i)(?<![a-z])((?:[a-z0-9]+[_-])*(?:token|password|passwd|secret|api[_-]?key|"
        r"authorization|bearer)\b[\"']?\s*[:=\s]\s*)(?:bearer\s+)?[\"']?[^\s\"',;&]+"
    ),
)


def main_script() -> Path | None:
    """The file that Python was started with; a notebook or a prompt has none."""
    file = getattr(sys.modules.get("__main__"), "__file__", None)
    path = Path(file).absolute() if file else None
    return path if path and path.is_file() else None


def code_of(script: Path) -> dict[str, str]:
    """A script by its name in its repository, and its SHA-256."""
    name = script.name
    with suppress(LineageError, ValueError):
        root = GitRepository.discover(script.parent).root.resolve()
        name = script.resolve().relative_to(root).as_posix()
    return {"script": name, "sha256": sha256(script.read_bytes()).hexdigest()}


def git_state(script: Path) -> dict[str, Any]:
    """The git commit of the code around a script, and whether it has been changed.

    Files that git does not track do not count. Empty outside of git.
    """
    try:
        repository = GitRepository.discover(script.parent)
        head = repository.run("rev-parse", "HEAD").decode().strip()
        asked = ("status", "--porcelain", "--untracked-files=no")
        changed = repository.run(*asked, options=["--no-optional-locks"])
    except LineageError:
        return {}
    return {"commit": head, "dirty": bool(changed.strip())}


def sentence(error: BaseException) -> str:
    """An exception as one line, without what looks like a secret."""
    return redacted(raised(error))


def redacted(text: str) -> str:
    """A text for the log: cut short, and with no key or password in it."""
    for pattern in _SECRETS:
        text = pattern.sub(lambda m: f"{m[1]}…" if m.re.groups else "…", text)
    cut = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    return cut.encode(errors="backslashreplace").decode()
