"""The tensors of a diff as JSON has them, and as rows."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lineage.cli.diff.tensor_words import form, says
from lineage.cli.render import Record

if TYPE_CHECKING:
    from lineage.diff import Diff
    from lineage.diff.tensors import Form, Group, TensorChange, Verdict
    from lineage.diff.tensors.sums import Sums

_DIGITS = 7  # of a sum, which is taken in float32 for speed


def data(found: "Diff") -> list[Record]:
    """Everything; docs/json.md describes it."""
    return [
        {
            "label": item.label,
            "verdict": {
                **_verdict(item.verdict),
                **_distance(item.sums if item.sums.count else None),
                "says": says(item.verdict),
            },
            "groups": [_group(group) for group in item.groups],
            "tensors": [_tensor(change) for change in item.changes],
            "facts": [{"path": c.path, "a": c.a, "b": c.b} for c in item.facts],
        }
        for item in found.tensors
    ]


def _verdict(verdict: "Verdict") -> Record:
    return {
        "what": verdict.what,
        "changed": verdict.changed,
        "total": verdict.total,
        "dtypes": verdict.dtypes and list(verdict.dtypes),
        "layers": verdict.layers and list(verdict.layers),
        "rank": verdict.rank,
        "modules": list(verdict.modules),
        "beside": list(verdict.beside),
        "frozen": list(verdict.frozen),
    }


def _group(group: "Group") -> Record:
    return {
        "kind": group.kind,
        "stack": group.stack,
        "layers": group.layers and list(group.layers),
        "changed": group.changed,
        "total": group.total,
        **_distance(group.sums if group.sums.count else None),
    }


def _distance(sums: "Sums | None") -> Record:
    return {
        "relative": _rounded(sums.relative if sums else None),
        "cosine": _rounded(sums.cosine if sums else None),
    }


def _tensor(change: "TensorChange") -> Record:
    sums, rank = change.sums, change.rank
    return {
        "name": change.name,
        "change": change.change,
        "was": change.was,
        "twin": change.twin,
        "a": _form(change.a),
        "b": _form(change.b),
        "rows": change.rows,
        **_distance(sums),
        "largest": _rounded(sums.largest if sums else None),
        "share": _rounded(sums.share if sums else None),
        "nan": sums and list(sums.nan),
        "inf": sums and list(sums.inf),
        "rank": rank
        and {
            "numerical": rank.numerical,
            "effective": _rounded(rank.effective),
            "full": rank.full,
        },
    }


def _form(stored: "Form | None") -> Record | None:
    if stored is None:
        return None
    return {"dtype": stored.dtype, "shape": list(stored.shape)}


def _rounded(value: float | None) -> float | None:
    """A number without the digits that it does not have; near 1, with all of them."""
    if value is None or abs(value) == float("inf"):
        return None
    return 1 - _few(1 - value) if 0.5 < value < 1 else _few(value)


def _few(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def rows(found: "Diff") -> Iterator[Record]:
    """A line for each tensor that differs."""
    for item in found.tensors:
        before = f"{item.label}/" if item.label else ""
        for change in item.changes:
            sums = change.sums
            yield {
                "path": before + change.name,
                "change": change.change,
                "a": form(change.a) or None,
                "b": form(change.b) or None,
                "delta": _rounded(sums.relative if sums else None),
            }
