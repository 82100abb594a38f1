"""docs/json.md has the fields of the shapes that real answers are held to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from lineage.server import models
from tests.docs.site import ROOT

if TYPE_CHECKING:
    from pydantic import BaseModel

PAGE = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"(?:^ {4}.*\n)+", re.MULTILINE)
_PART = re.compile(r'[{\[]|[}\]]|"(\w+)"')


def outermost(title: str, number: int) -> set[str]:
    """The fields of a shape in the section, without those of what it holds."""
    section = PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]
    depth, found = 0, set()
    for part in _PART.finditer(_BLOCK.findall(section)[number]):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(part[0], 0)
        if part[1] and depth == 1:
            found.add(part[1])
    return found


@pytest.mark.parametrize(
    ("title", "number", "model", "only_printed"),
    [
        ("log", 0, models.Commit, set()),
        ("diff", 0, models.Diff, set()),
        ("trace", 0, models.Trace, set()),
        ("impact", 0, models.Impact, set()),
        ("taint", 0, models.Taint, {"in"}),  # the server leaves it out
        ("events", 1, models.WholeEvent, set()),
        ("verify", 0, models.Verified, {"repaired"}),  # the server repairs nothing
    ],
)
def test_a_shape_has_the_fields_of_the_answers(
    title: str, number: int, model: type[BaseModel], only_printed: set[str]
) -> None:
    """The page and the server's description of a shape name the same fields."""
    described = set(model.model_json_schema()["properties"]) - {"schema_version"}
    assert outermost(title, number) - only_printed == described
