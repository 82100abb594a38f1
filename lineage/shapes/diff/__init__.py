"""What `diff` says as JSON; docs/json.md describes it."""

from collections.abc import Callable, Collection
from functools import partial
from typing import TYPE_CHECKING, Any

from lineage.shapes import Json
from lineage.shapes.trace import composition

if TYPE_CHECKING:
    from lineage.diff import Diff
    from lineage.diff.metrics import MetricChange
    from lineage.diff.origins import Origins
    from lineage.diff.parts import Pair

SORTS = ("added", "removed", "changed", "renamed")


def diffed(found: "Diff", names: Collection[str]) -> Json:
    """The sections `names` of a diff; of all of them, what is beside them too."""
    data: Json = {"a": found.a, "b": found.b}
    sections = _sections()
    data |= {name: sections[name](found) for name in sections if name in names}
    if sections.keys() <= {*names}:
        data["alike"] = [{"section": n, "label": label} for n, label in found.alike]
        data["parts"] = [_pair(pair) for pair in found.pairs[1:]]
        data["others"] = list(found.beyond)
        data["origins"] = _origins(found.origins)
    return data


def _sections() -> dict[str, Callable[["Diff"], Any]]:
    from lineage.shapes.diff.records import records
    from lineage.shapes.diff.tensors import tensors
    from lineage.shapes.diff.tokenizer import tokenizer

    return {
        "metrics": metrics,
        "params": partial(settings, "params"),
        "config": partial(settings, "config"),
        "tokenizer": tokenizer,
        "records": records,
        "tensors": tensors,
        "files": files,
    }


def _origins(made: "Origins | None") -> Json | None:
    """What the records of either side are made of."""
    if made is None:
        return None
    return {"a": composition(made.a), "b": composition(made.b)}


def _pair(pair: "Pair") -> Json:
    """What belongs to the two commits, side by side."""
    return {
        "label": pair.label,
        "a": pair.a and pair.a.id,
        "b": pair.b and pair.b.id,
    }


def metrics(found: "Diff") -> list[Json]:
    """The metrics that differ."""
    return [_metric(item) for item in found.metrics]


def _metric(found: "MetricChange") -> Json:
    sides = {"a": found.a, "b": found.b}
    return {
        "name": found.name,
        **{side: metric and metric.value for side, metric in sides.items()},
        "delta": found.delta,
        "better": found.better,
        "verdict": found.verdict,
        "direction": found.direction,
        **{f"{s}_interval": metric and metric.interval for s, metric in sides.items()},
        **{f"{s}_event": e for s, e in zip(sides, found.events, strict=True)},
    }


def settings(name: str, found: "Diff") -> list[Json]:
    """The params, or what is in config files."""
    changes = getattr(found, name)
    return [{"path": c.path, "a": c.a, "b": c.b, "change": c.change} for c in changes]


def files(found: "Diff") -> Json:
    """The files by what became of them."""
    paths = {s: [item.path for item in getattr(found.files, s)] for s in SORTS[:-1]}
    renamed = [{"a": item.came_from, "b": item.path} for item in found.files.renamed]
    return {**paths, "renamed": renamed}
