"""What `impact` says as JSON; docs/json.md describes it."""

import math
from typing import TYPE_CHECKING

from lineage import shapes
from lineage.graph import KIND_ORDER
from lineage.shapes import Json
from lineage.shapes.tainted import marked

if TYPE_CHECKING:
    from lineage.descent.dose import Dose
    from lineage.descent.impact import Impact, Reached
    from lineage.descent.parcels import Share
    from lineage.registry import Registry


def reached(registry: "Registry", found: "Impact", limit: int | None) -> Json:
    """The summary and the recall list of `impact`."""
    from lineage.taints.marks import marks

    known = marks(registry)
    tainted = marked(known, found.source)
    reasons = {one["event"]: one["reason"] for one in tainted}

    def line(each: "Reached") -> Json:
        mine = (mark.taint.event for mark in known.of(each.id))
        why = "; ".join(reasons[event] for event in mine if event in reasons)
        return {**_reached(each), "reason": why or None}

    return {
        "source": {**shapes.named(registry, found.source), "tainted": tainted},
        "unit": found.unit,
        "count": found.count,
        "kinds": {kind: found.kinds.get(kind, 0) for kind in KIND_ORDER},
        "turns": found.turns,
        "branches": [branch._asdict() for branch in found.branches[:limit]],
        "tags": dict(found.tags[:limit]),
        "reached": [line(each) for each in found.reached],
        "measurements": found.measurements,
        "measured": [line(each) for each in found.measured],
        "copies": [shapes.named(registry, id_) for id_ in found.copies[:limit]],
        "ranges": [
            {**each._asdict(), "roles": list(each.roles)}
            for each in found.ranges[:limit]
        ],
    }


def _reached(found: "Reached") -> Json:
    """One line of the recall list."""
    fields = found._asdict()
    dose: Dose | None = fields.pop("dose")
    fields |= {"branches": list(found.branches), "tags": list(found.tags)}
    return {**fields, "dose": dose and _dose(dose)}


def _dose(dose: "Dose") -> Json:
    return {
        "records": dose.records and _bounds(dose.records, dose.whole),
        "written": dose.written and _bounds(dose.written, dose.whole),
        "of": dose.whole,
        "weights": dose.weights,
        "turns": dose.turns,
    }


def _bounds(share: "Share", whole: int | None) -> Json:
    """A share and, of so many records, how many that are; lowest and highest."""
    low, high = share
    counts = [math.floor(low * whole), math.ceil(high * whole)] if whole else None
    return {**shapes.share(low, high), "count": counts}
