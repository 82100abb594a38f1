"""The taints of a registry as JSON has them; docs/json.md describes them."""

from typing import TYPE_CHECKING

from lineage import shapes
from lineage.shapes import Json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lineage.registry import Registry
    from lineage.taints import Taint
    from lineage.taints.records import Seen


def tainted(registry: "Registry", seen: "Mapping[str, Sequence[Seen]]") -> list[Json]:
    """Every taint, lifted ones too; `seen` says where tainted records went."""
    from lineage.taints import taints
    from lineage.taints.marks import marks

    reached = marks(registry).counts()
    return [
        {
            **_taint(registry, one),
            "reached": reached.get(one.event, 0),
            "in": [_in(registry, each) for each in seen.get(one.event, ())],
        }
        for one in taints(registry)
    ]


def _in(registry: "Registry", seen: "Seen") -> Json:
    """How many tainted records a dataset has."""
    id_, (low, high, of) = seen
    commit = registry.load(id_)
    named = {"id": id_, "kind": commit.kind, "name": commit.name}
    return {**named, "low": low, "high": high, "of": of}


def _taint(registry: "Registry", one: "Taint") -> Json:
    commit, lifted = registry.load(one.subject), one.lifted
    return {
        "event": one.event,
        "subject": one.subject,
        "kind": commit.kind,
        "name": commit.name,
        "reason": one.reason,
        "records": None if one.records is None else len(one.records),
        "time": one.time,
        "author": shapes.author(one.author),
        "lifted": lifted
        and {
            "event": lifted.event,
            "time": lifted.time,
            "author": shapes.author(lifted.author),
            "reason": lifted.reason,
        },
    }
