"""The tensors of a diff as JSON has them."""

from typing import TYPE_CHECKING

from lineage.shapes import Json
from lineage.shapes.diff.tensor_words import says

if TYPE_CHECKING:
    from lineage.diff import Diff
    from lineage.diff.tensors import Form, Group, TensorChange, Verdict
    from lineage.diff.tensors.sums import Sums

_DIGITS = 7  # of a sum, which is taken in float32 for speed


def tensors(found: "Diff") -> list[Json]:
    """Each model, or part, whose tensors differ."""
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


def _verdict(verdict: "Verdict") -> Json:
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


def _group(group: "Group") -> Json:
    return {
        "kind": group.kind,
        "stack": group.stack,
        "layers": group.layers and list(group.layers),
        "changed": group.changed,
        "total": group.total,
        **_distance(group.sums if group.sums.count else None),
    }


def _distance(sums: "Sums | None") -> Json:
    return {
        "relative": rounded(sums.relative if sums else None),
        "cosine": rounded(sums.cosine if sums else None),
    }


def _tensor(change: "TensorChange") -> Json:
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
        "largest": rounded(sums.largest if sums else None),
        "share": rounded(sums.share if sums else None),
        "nan": sums and list(sums.nan),
        "inf": sums and list(sums.inf),
        "rank": rank
        and {
            "numerical": rank.numerical,
            "effective": rounded(rank.effective),
            "full": rank.full,
        },
    }


def _form(stored: "Form | None") -> Json | None:
    if stored is None:
        return None
    return {"dtype": stored.dtype, "shape": list(stored.shape)}


def rounded(value: float | None) -> float | None:
    """A number without the digits that it does not have; near 1, with all of them."""
    if value is None or abs(value) == float("inf"):
        return None
    return 1 - _few(1 - value) if 0.5 < value < 1 else _few(value)


def _few(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")
