"""docs/python.md is run, and prints what it says."""

from __future__ import annotations

import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lineage
from tests.server.conftest import serving

if TYPE_CHECKING:
    import pytest

PAGE = Path(__file__).parents[2] / "docs" / "python.md"
BLOCK = re.compile(r"^```(python|text)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SERVED = "https://lineage.example"


def test_every_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each block of Python prints the block of text that follows it."""
    monkeypatch.chdir(tmp_path)
    Path("corpus.jsonl").write_text('{"text": "a"}\n{"text": "b"}\n')
    Path("weights").write_bytes(b"w" * 100)
    names: dict[str, Any] = {}
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    printed = said = ""
    for kind, text in blocks:
        if kind == "text":
            said += text
            continue
        with redirect_stdout(StringIO()) as out:
            if SERVED in text:
                with serving(names["registry"].root) as url:
                    exec(text.replace(SERVED, url), names)  # noqa: S102
            else:
                exec(text, names)  # noqa: S102
        printed += out.getvalue()
    names["registry"].close()
    assert printed == said
    assert len(blocks) == 10


def test_the_public_names_are_few_and_told() -> None:
    """What `lineage` exports, and what the page calls, is there and has a docstring."""
    page = PAGE.read_text(encoding="utf-8")
    table = re.findall(r"^\| (`.*?) \|", page, re.MULTILINE)
    called = re.findall(r"`(\w+)\(", " ".join(table))
    told = re.search(r"^(`branch`.*?) are the others", page, re.MULTILINE)
    called += re.findall(r"`(\w+)`", told[1] if told else "")
    assert len(called) > 20
    for name in lineage.__all__:
        assert getattr(lineage, name).__doc__, name
        assert name in page, name
    for name in {*called, *_public(lineage.Registry)}:
        assert getattr(lineage.Registry, name).__doc__, name


def _public(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}
