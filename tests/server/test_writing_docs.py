"""docs/writing.md: its transcript is what a server answers, its requests are there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from lineage.server.app import create_app
from tests.cli.conftest import stable
from tests.tools import needs

if TYPE_CHECKING:
    from lineage.registry import Registry

PAGE = (Path(__file__).parents[2] / "docs" / "writing.md").read_text()
BLOCK = re.compile(r"^```\n(\$ .*?)^```$", re.MULTILINE | re.DOTALL)
REQUEST = re.compile(
    r"^    (GET|HEAD|POST|PUT|PATCH|DELETE) +(/api/[^\s?]+)", re.MULTILINE
)


@needs("curl")
def test_the_transcript(url: str, tmp_path: Path) -> None:
    """Each command prints what stands below it, but for ids and times."""
    [block] = BLOCK.findall(PAGE)
    commands = re.findall(r"^\$ (.*)", block, re.MULTILINE)
    lines = [f"{{ {command}\n}} > out.{n}\n" for n, command in enumerate(commands)]
    script = "".join(lines).replace("localhost:8800", url)
    subprocess.run(["sh", "-e"], input=script, cwd=tmp_path, text=True, check=True)
    told = []
    for n, command in enumerate(commands):
        out = (tmp_path / f"out.{n}").read_text()
        told += [f"$ {command}\n", out if out.endswith("\n") or not out else f"{out}\n"]
    assert stable("".join(told), tmp_path) == stable(block, tmp_path)


def test_every_request_is_one_that_the_api_has(repo: Registry) -> None:
    """What the page sends, and where, is in the description of the API."""
    paths = create_app(repo.root).openapi()["paths"]
    known = {
        (method.upper(), re.compile(re.sub(r"\{\w+\}", ".+", path)))
        for path, methods in paths.items()
        for method in methods
    }
    asked = REQUEST.findall(PAGE)
    assert len(asked) > 12
    for method, path in asked:
        found = [1 for m, known_ in known if m == method and known_.fullmatch(path)]
        assert found, (method, path)
