"""docs/loop.md and docs/gates.md are the reference: they name everything."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from lineage.loop.gates import GATES
from lineage.loop.measuring.definitions import MEASURES
from lineage.loop.spec import LoopSpec, load
from lineage.loop.spec.errors import Section

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "loop.md").read_text(encoding="utf-8")
GATES_PAGE = (DOCS / "gates.md").read_text(encoding="utf-8")


def sections(section: type[Section]) -> set[type[Section]]:
    """A section and all below it."""
    found = {section}
    for field in section.model_fields.values():
        for part in (field.annotation, *get_args(field.annotation)):
            if isinstance(part, type) and issubclass(part, Section):
                found |= sections(part)
    return found


def test_every_field_is_in_the_reference() -> None:
    """A field that the spec reads is explained."""
    read = {name for cls in sections(LoopSpec) for name in cls.model_fields}
    assert len(read) > 40
    missing = {name for name in read if not re.search(rf"`[^`]*\b{name}\b", PAGE)}
    assert missing == set()


def test_the_measures_are_the_table() -> None:
    """Id, version and direction of each measure stand in the table as in the code."""
    table = re.findall(r"^\| `(\w+)` \| (\d+) \| .* \| (\w+) \|$", PAGE, re.MULTILINE)
    assert table == [
        (measure.id, str(measure.version), measure.direction or "neither")
        for measure in MEASURES.values()
    ]


def test_every_gate_has_a_heading() -> None:
    """Each type of gate has its section."""
    assert (
        sorted(re.findall(r"^### `(\w+)`: ", GATES_PAGE, re.MULTILINE)) == GATES.names()
    )


@pytest.mark.parametrize("name", GATES.names())
def test_every_field_of_a_gate_is_explained(name: str) -> None:
    """In its own section; what every gate has, before the first of them."""
    common = GATES_PAGE.split("\n## On data\n")[0]
    for field in GATES[name].Section.model_fields:
        assert re.search(rf"`[^`]*\b{field}\b", _part(name) + common), field


@pytest.mark.parametrize("name", GATES.names())
def test_gate_defaults_are_the_references(name: str) -> None:
    """The default of each gate's fields is the one in its table."""
    for field, info in GATES[name].Section.model_fields.items():
        if info.default and isinstance(info.default, str | float) and field != "id":
            (row,) = re.findall(rf"^\| .*`{field}`.*$", _part(name), re.MULTILINE)
            assert str(info.default) in row


def _part(name: str) -> str:
    """The section of a gate."""
    return re.split(r"\n##", GATES_PAGE.split(f"### `{name}`: ")[1])[0]


def test_the_example_is_valid(tmp_path: Path) -> None:
    """The page's first example loads as it stands."""
    (tmp_path / "checks.py").touch()
    (tmp_path / "groups.yaml").touch()
    path = tmp_path / "loop.yaml"
    path.write_text(PAGE.split("```yaml\n")[1].split("```")[0], encoding="utf-8")
    spec = load(path)
    assert spec.training["learning_rate"] == 2e-3
    assert [gate.type for gate in spec.gates]
    spec.resolved()
