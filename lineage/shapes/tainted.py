"""The taints that reached a commit, as JSON has them."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lineage.taints.marks import Marks


def marked(marks: "Marks", id_: str) -> list[dict[str, Any]]:
    """The taints that reached a commit, as JSON has them."""
    return [
        {
            "event": mark.taint.event,
            "subject": mark.taint.subject,
            "reason": mark.taint.reason,
            "perhaps": mark.perhaps,
            "records": mark.seen and mark.seen._asdict(),
        }
        for mark in marks.of(id_)
    ]
