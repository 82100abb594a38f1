"""The records of a diff as JSON has them."""

from typing import TYPE_CHECKING

from lineage.shapes import Json

if TYPE_CHECKING:
    from lineage.diff import Diff
    from lineage.diff.records import ColumnChange, Distribution, Sample, SchemaChange


def records(found: "Diff") -> list[Json]:
    return [
        {
            "label": item.label,
            "a": item.records[0],
            "b": item.records[1],
            "same_files": item.same_files,
            "added": item.added,
            "removed": item.removed,
            "changed": item.changed,
            "key": list(item.key),
            "changed_columns": dict(item.changed_columns),
            "moved": item.moved,
            "reordered": item.reordered,
            "duplicated": dict(zip("ab", item.duplicated, strict=True)),
            "schema": [_retyped(change) for change in item.schema],
            "columns": [_column(column) for column in item.columns],
            "sampled": item.sampled and dict(zip("ab", item.sampled, strict=True)),
            "samples": [_sample(sample) for sample in item.samples],
        }
        for item in found.records
    ]


def _retyped(change: "SchemaChange") -> Json:
    sides = {"a": change.a and list(change.a), "b": change.b and list(change.b)}
    return {"name": change.name, "change": change.what, **sides}


def _column(column: "ColumnChange") -> Json:
    return {
        "name": column.name,
        "kind": column.kind,
        "a": _side(column.a),
        "b": _side(column.b),
        "ks": column.ks,
        "wasserstein": column.wasserstein,
        "js": column.js,
        "shift": column.shift,
    }


def _side(side: "Distribution") -> Json:
    return {
        "count": side.count,
        "nulls": side.nulls,
        "distinct": side.distinct,
        "min": side.low,
        "mean": side.mean,
        "max": side.high,
        "text": dict(side.text),
    }


def _sample(sample: "Sample") -> Json:
    return {
        "change": sample.what,
        "path": sample.path,
        "number": sample.number,
        "copies": sample.copies,
        "record": sample.record,
    }
