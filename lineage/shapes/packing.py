"""What packing did, as JSON has it."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lineage.packing.counts import Packed, Unpacked


def packed(counts: "Packed", *, dry_run: bool) -> dict[str, Any]:
    """What `lineage pack` did, or would do."""
    return {
        "dry_run": dry_run,
        "files": counts.files,
        "whole": counts.whole,
        "packed": counts.packed,
        "released": counts.released,
        "seconds": round(counts.seconds, 3),
        "packs": counts.packs,
        "kinds": [asdict(kind) for kind in counts.kinds.values()],
        "left": [asdict(left) for left in counts.left.values()],
        "plain_parents": counts.parents,
    }


def unpacked(counts: "Unpacked") -> dict[str, Any]:
    """What `lineage unpack` did."""
    return {**asdict(counts), "seconds": round(counts.seconds, 3)}
