"""docs/api.md: its examples are what a server answers."""

from __future__ import annotations

import re
import shlex
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from tests.cli.conftest import stable
from tests.server.conftest import serving

if TYPE_CHECKING:
    from lineage.registry import Registry
    from tests.conftest import Run

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
BLOCK = re.compile(r"^```\n(\$ .*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_examples(repo: Registry, run: Run, tmp_path: Path) -> None:
    """Each command prints what stands below it, but for ids and times."""
    (repo.root / "human.txt").write_text("It was the best of times.\n" * 3)
    told = PAGE.read_text()
    blocks = BLOCK.findall(told)
    assert len(blocks) >= 5
    found: list[str] = []
    with serving(repo.root) as url:
        for block in blocks:
            lines = []
            for command in re.findall(r"^\$ (.*)", block, re.MULTILINE):
                lines.append(f"$ {command}")
                before = "\n".join([*found, *lines])
                lines += done(command, url, run, before).splitlines()
            found.append("".join(f"{line.rstrip()}\n" for line in lines))
    assert stable("".join(found), tmp_path) == stable("".join(blocks), tmp_path)


def done(command: str, url: str, run: Run, before: str) -> str:
    """What a command prints; `ETAG` and `NEXT` are those that were printed last."""
    for name, pattern in (("ETAG", r'etag: ("\w+")'), ("NEXT", r'"next":"([\w.]+)"')):
        if name in command:
            command = command.replace(name, re.findall(pattern, before)[-1])
    program, *words = shlex.split(command)
    if program == "lineage":
        return run(*words).stdout
    assert program == "curl"
    headers = {"Accept-Encoding": "identity"}
    headers |= dict(
        value.split(": ", 1) for flag, value in pairwise(words) if flag == "-H"
    )
    [address] = [word for word in words if word.startswith("localhost:8800")]
    told = httpx.get(address.replace("localhost:8800", url), headers=headers)
    if "-si" not in words:
        return told.text
    listed = ("etag", "link", "content-type")
    head = [f"{name}: {told.headers[name]}" for name in listed if name in told.headers]
    return "\n".join([f"HTTP/1.1 {told.status_code}", *head, "", told.text])
