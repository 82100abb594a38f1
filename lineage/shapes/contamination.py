"""What `trace --against` says as JSON; docs/json.md describes it."""

from collections import Counter
from typing import TYPE_CHECKING

from lineage.contamination import KINDS
from lineage.shapes import Json

if TYPE_CHECKING:
    from lineage.contamination import Contamination, Hit


def contamination_of(found: "Contamination") -> Json:
    """Everything."""
    return {
        "id": found.id,
        "against": found.against,
        "records": found.records,
        "wordless": found.wordless,
        "found": len(found.strongest),
        "kinds": {kind: counted(found)[kind] for kind in KINDS},
        "hits": [hit_of(hit) for hit in found.hits],
        "looked": [
            {"id": each.id, "name": each.name, "records": each.records,
             "found": each.found, "wrong": list(each.wrong)}
            for each in found.looked
        ],
        "untold": list(found.untold),
        "absent": list(found.absent),
    }  # fmt: skip


def hit_of(hit: "Hit") -> Json:
    """One evaluation record and where it appears."""
    return {
        "number": hit.number,
        "where": hit.where,
        "kind": hit.kind,
        "share": hit.share,
        "source": hit.source,
        "place": hit.place,
        "records": hit.records,
        "text": hit.text,
        "change": hit.change or None,
        "trained": hit.trained,
        "way": [{"role": step.role or None, "id": step.id} for step in hit.way],
    }


def counted(found: "Contamination") -> Counter[str]:
    """How many evaluation records were found, by the strongest kind of each."""
    return Counter(found.strongest.values())
