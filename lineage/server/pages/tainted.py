"""The taints that reached a commit, as its page says them."""

from typing import TYPE_CHECKING, NamedTuple

from lineage.server.pages import words

if TYPE_CHECKING:
    from lineage.registry import Registry


class Told(NamedTuple):
    """A taint: `of` is what is tainted, None for the commit itself."""

    reason: str
    event: str
    perhaps: bool
    of: words.Ref | None


def of(registry: "Registry", id_: str) -> list[Told]:
    """The taints that reached the commit `id_`, the newest first."""
    from lineage.taints.marks import marks

    return [
        Told(
            mark.taint.reason,
            mark.taint.event,
            mark.perhaps,
            None if mark.itself else words.ref(registry, mark.taint.subject),
        )
        for mark in reversed(marks(registry).of(id_))
    ]
