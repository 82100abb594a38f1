"""The fields and types that every record must have: our own form, or a pandera schema.

    fields:
      text: {type: string, min_length: 20, max_length: 4000}
      topic: {type: string, enum: [history, law], required: false}

A reason names the field and what is wrong with it, never the value, so that records
which fail alike are counted together.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from lineage.errors import UsageError
from lineage.loop.functions import identity, load_object
from lineage.loop.gates.extras import need
from lineage.loop.gates.singles import SinglesSection, verdict
from lineage.loop.spec.errors import Section, refuse, shown
from lineage.loop.spec.files import parted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lineage.loop.gates.base import Context, GateResult
    from lineage.loop.records.shards import Record
    from lineage.loop.spec import LoopSpec

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "list": (list,),
    "object": (dict,),
}
_SIZED, _NUMBERS = ("string", "list"), ("integer", "number")


class FieldSpec(Section):
    """What one field must be; its names are those of JSON Schema where it has any."""

    type: Literal["string", "integer", "number", "boolean", "list", "object"]
    required: bool = True
    min: float | None = None
    max: float | None = None
    min_length: int | None = Field(default=None, ge=0)
    max_length: int | None = Field(default=None, ge=0)
    pattern: str | None = None
    enum: list[Any] | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _fits_the_type(self) -> Self:
        for names, types in (
            (("min", "max"), _NUMBERS),
            (("min_length", "max_length"), _SIZED),
            (("pattern",), ("string",)),
        ):
            given = [name for name in names if getattr(self, name) is not None]
            if given and self.type not in types:
                refuse(f"is for {' and '.join(types)}, not for {self.type}", given[0])
        _in_order("min", self.min, self.max)
        _in_order("min_length", self.min_length, self.max_length)
        return self

    @model_validator(mode="after")
    def _is_a_pattern(self) -> Self:
        try:
            re.compile(self.pattern or "")
        except re.error as error:
            refuse(f"is no regular expression: {error}", "pattern")
        return self

    def fault(self, value: object) -> str:
        """What is wrong with a value, "" for nothing."""
        if not _is(self.type, value):
            return f"is no {self.type}"
        if self.enum is not None and value not in self.enum:
            return "is none of the values allowed"
        found: Any = value
        if self.min is not None and found < self.min:
            return f"is less than {self.min:g}"
        if self.max is not None and found > self.max:
            return f"is more than {self.max:g}"
        return self._fault_of_size(found)

    def _fault_of_size(self, value: Any) -> str:
        if self.min_length is not None and len(value) < self.min_length:
            return f"is shorter than {self.min_length}"
        if self.max_length is not None and len(value) > self.max_length:
            return f"is longer than {self.max_length}"
        if self.pattern is not None and not re.search(self.pattern, value):
            return f"does not match {self.pattern}"
        return ""


def _in_order(name: str, least: float | None, most: float | None) -> None:
    if least is not None and most is not None and least > most:
        refuse(f"{least:g} is more than the maximum, {most:g}", name)


def _is(type_: str, value: object) -> bool:
    """True is no number, whatever Python says."""
    number = type_ in _NUMBERS and isinstance(value, bool)
    return isinstance(value, _TYPES[type_]) and not number


class SchemaSpec(SinglesSection):
    """The fields and types that every record must have."""

    files: ClassVar[tuple[str, ...]] = ("pandera",)
    why: ClassVar[str] = (
        "a filter that does not err is worth its data while fewer than half of them "
        "are wrong (Feng et al. 2024, arXiv:2406.07515)"
    )
    type: Literal["schema"]
    fields: dict[str, FieldSpec] | None = Field(default=None, min_length=1)
    """What each field must be: `type`, `required`, `min`, `pattern`, `enum`…"""
    additional: bool = True
    """Whether a record may have other fields."""
    pandera: str | None = Field(default=None, min_length=1)
    """Instead: `schema.py:NAME`, a pandera `DataFrameSchema`."""

    @property
    def most(self) -> float:
        """Half, where failing records are dropped, else none."""
        if self.max_rate is not None:
            return self.max_rate
        return 0.5 if self.action == "drop" else 0.0

    @model_validator(mode="after")
    def _one_of_the_two(self) -> Self:
        if (self.fields is None) == (self.pandera is None):
            refuse("needs either fields or pandera")
        if self.pandera and not all(parted(self.pandera)):
            refuse("must be file.py:NAME", "pandera")
        if self.pandera and not self.additional:
            refuse("is for fields; in pandera it is strict=True", "additional")
        return self


class Schema:
    """Drops the records that a schema does not allow."""

    Section = SchemaSpec
    on: Literal["dataset"] = "dataset"

    def __init__(self, section: SchemaSpec, spec: LoopSpec) -> None:
        self.id = section.id
        self._section = section
        self._frame = _pandera(section.pandera, spec) if section.pandera else None

    def check(self, context: Context) -> GateResult:
        """Look at the fields of every record."""
        if self._frame is not None:
            schema, details = self._frame
            reasons = _faults_of_frame(schema, context.records)
        else:
            details, found = {}, map(self._fault, context.records)
            reasons = {row: fault for row, fault in enumerate(found) if fault}
        what = "are not as the schema says"
        return verdict(self._section, context.records, reasons, what, details)

    def _fault(self, record: Record) -> str:
        fields = self._section.fields or {}
        for name, field in fields.items():
            if name not in record:
                if field.required:
                    return f"{name} is missing"
            elif fault := field.fault(record[name]):
                return f"{name} {fault}"
        if not self._section.additional and (more := sorted(record.keys() - fields)):
            return f"{more[0]} is no field of the schema"
        return ""


def _pandera(place: str, spec: LoopSpec) -> tuple[Any, Mapping[str, Any]]:
    """A pandera schema for data frames, and which code it is.

    Raises:
        UsageError: the file has no such schema, or pandera is missing.
    """
    need("pandera", "schema")
    import pandera.pandas

    file, name = parted(place)
    path, source = spec.path(file), spec.content(file)
    schema = load_object(source, path, name)
    if not isinstance(schema, pandera.pandas.DataFrameSchema):
        message = f"{path} has no DataFrameSchema {name}, but {shown(schema)}"
        raise UsageError(message, hint=f"define: {name} = DataFrameSchema({{…}})")
    return schema, {"code": identity(source, path) | {"name": name}}


def _faults_of_frame(schema: Any, records: Sequence[Record]) -> dict[int, str]:
    """What pandera finds, by row; what it says of a column is true of every row."""
    import pandas as pd
    import pandera.errors

    try:
        schema.validate(pd.DataFrame(list(records)), lazy=True)
    except pandera.errors.SchemaErrors as error:
        found = error.failure_cases[["index", "column", "check"]]
    else:
        return {}
    reasons: dict[int, str] = {}
    for index, column, check in found.itertuples(index=False):
        rows = range(len(records)) if pd.isna(index) else [int(index)]
        name = "" if column is None or pd.isna(column) else f"{column}: "
        for row in rows:
            reasons.setdefault(row, f"{name}{check}")
    return dict(sorted(reasons.items()))
