"""Records are held to fields and types, in our own form or in pandera's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from lineage.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage.loop.spec import LoopSpec
    from tests.lineage.loop.gates.conftest import Bench

RIGHT = {"text": "Paris", "year": 1900, "tags": ["a"], "sure": True, "rate": 0.5}
FIELDS = {
    "text": {"type": "string", "min_length": 2, "max_length": 9, "pattern": "^P"},
    "year": {"type": "integer", "min": 1000, "max": 2000},
    "tags": {"type": "list", "max_length": 2},
    "sure": {"type": "boolean"},
    "rate": {"type": "number", "max": 1},
    "kind": {"type": "string", "enum": ["city", "land"], "required": False},
}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"text": "P"}, "text is shorter than 2"),
        ({"text": "P" * 10}, "text is longer than 9"),
        ({"text": "Rome"}, "text does not match ^P"),
        ({"year": 999}, "year is less than 1000"),
        ({"year": 2001}, "year is more than 2000"),
        ({"year": 1900.0}, "year is no integer"),
        ({"year": True}, "year is no integer"),
        ({"year": None}, "year is no integer"),
        ({"tags": ["a", "b", "c"]}, "tags is longer than 2"),
        ({"tags": "ab"}, "tags is no list"),
        ({"sure": 1}, "sure is no boolean"),
        ({"rate": 2}, "rate is more than 1"),
        ({"kind": "river"}, "kind is none of the values allowed"),
    ],
)
def test_a_record_fails_by_a_field(
    bench: Bench, change: dict[str, Any], reason: str
) -> None:
    """The reason names the field and the rule, and the record is dropped."""
    records = [RIGHT, RIGHT | change, RIGHT | {"kind": "city"}]
    result = bench({"type": "schema", "fields": FIELDS}, records)
    assert result.rejected == {1: reason}
    assert result.action == "drop"
    assert result.passed
    assert result.details["reasons"] == [
        {"reason": reason, "count": 1, "records": ["r1"]}
    ]


def test_a_field_that_is_missing_or_too_much(bench: Bench) -> None:
    """Fields are required unless said; others are allowed unless refused."""
    fields = {
        "text": {"type": "string"},
        "id": {"type": "string"},
        "a": {"type": "list"},
    }
    gate = {"type": "schema", "fields": fields}
    result = bench(gate, ["x", {"text": "y", "a": [], "b": 1}])
    assert result.rejected == {0: "a is missing"}
    result = bench(gate | {"additional": False}, [{"text": "y", "a": [], "b": 1}])
    assert result.rejected == {0: "b is no field of the schema"}
    assert not result.passed
    assert result.sentence == (
        "1 of 1 records are not as the schema says; at most 50 % may"
    )


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        ({}, "needs either fields or pandera"),
        ({"fields": {"a": {"type": "text"}}}, "must be 'string', 'integer'"),
        ({"fields": {"a": {"type": "list", "min": 1}}}, "is for integer and number"),
        (
            {"fields": {"a": {"type": "string", "pattern": "("}}},
            "no regular expression",
        ),
        (
            {"fields": {"a": {"type": "integer", "min": 3, "max": 2}}},
            "3 is more than the maximum, 2",
        ),
        ({"fields": {"a": {"type": "string", "minlength": 1}}}, "mean min_length"),
        ({"pandera": "schema.py"}, "must be file.py:NAME"),
        ({"pandera": "s.py:S", "additional": False}, "is for fields"),
    ],
)
def test_impossible_schemas_are_refused(
    parse: Callable[..., LoopSpec], gate: dict[str, Any], message: str
) -> None:
    """In one sentence, before anything runs."""
    with pytest.raises(UsageError) as refused:
        parse(gates=[{"type": "schema"} | gate])
    assert message in str(refused.value)


SCHEMA = """
from pandera.pandas import Check, Column, DataFrameSchema

RECORDS = DataFrameSchema({
    "text": Column(str, Check.str_length(min_value=3)),
    "year": Column(int, Check.in_range(1000, 2000)),
})
"""


def test_a_pandera_schema_judges_rows(bench: Bench, tmp_path: Path) -> None:
    """Each failing row is dropped with the column and the check; never the value."""
    (tmp_path / "schema.py").write_text(SCHEMA)
    records = [{"text": "abc", "year": 1900}, {"text": "secret", "year": 1}] * 3
    result = bench({"type": "schema", "pandera": "schema.py:RECORDS"}, records)
    assert set(result.rejected) == {1, 3, 5}
    assert result.rejected[1] == "year: in_range(1000, 2000)"
    assert "secret" not in json.dumps(result.to_json())
    assert result.details["code"]["name"] == "RECORDS"


def test_a_pandera_column_that_is_missing_fails_every_row(
    bench: Bench, tmp_path: Path
) -> None:
    """What is wrong with a column is wrong with all records."""
    (tmp_path / "schema.py").write_text(SCHEMA)
    result = bench({"type": "schema", "pandera": "schema.py:RECORDS"}, ["abc", "def"])
    assert set(result.rejected) == {0, 1}
    assert not result.passed


def test_a_pandera_file_without_the_schema(
    bench: Bench, parse: Callable[..., LoopSpec], tmp_path: Path
) -> None:
    """It is found when the gate is made, and the config has the file by its hash."""
    (tmp_path / "schema.py").write_text("OTHER = 1")
    with pytest.raises(UsageError, match=r"has no DataFrameSchema RECORDS, but null"):
        bench({"type": "schema", "pandera": "schema.py:RECORDS"}, ["x"])
    spec = parse(gates=[{"type": "schema", "pandera": "schema.py:RECORDS"}])
    (gate,) = spec.resolved()["gates"]
    assert gate["pandera"]["file"] == "schema.py"
    assert gate["pandera"]["name"] == "RECORDS"
