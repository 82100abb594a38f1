"""Who may send an event of which type, and which names it may move."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from lineage.errors import NotAllowed
from lineage.server.access import check_scope
from lineage.store.merging import PULL
from lineage.store.objects import Event
from lineage.store.undone import UNDO


class _Rule(NamedTuple):
    scope: str
    spaces: tuple[str, ...] = ()  # of the names that it may move
    brings: bool = False  # commits


_RULES = {
    "commit": _Rule("write", ("heads", "runs"), brings=True),
    "import": _Rule("write", ("heads",), brings=True),
    "branch": _Rule("write", ("heads",)),
    "rollback": _Rule("write", ("heads",)),
    "tag": _Rule("write", ("tags", "spent")),
    "drop": _Rule("write", ("runs",)),
    "mlflow": _Rule("write", ("heads", "tags", "spent")),
    UNDO: _Rule("write", ("heads", "tags", "spent", "runs", "protected")),
    "review": _Rule("review"),
    "label": _Rule("review"),
    "statement": _Rule("review"),
    "taint": _Rule("review"),
    "untaint": _Rule("review"),
    "release": _Rule("admin"),
    "key": _Rule("admin"),
    "erase": _Rule("admin"),
    "gc": _Rule("admin"),
    "protect": _Rule("admin", ("protected",)),
    "unprotect": _Rule("admin", ("protected",)),
}
_OTHER = _Rule("write")  # says something, and moves nothing
_NEVER = ("init", PULL)


def check_allowed(event: Event, refs: Iterable[str], scopes: Collection[str]) -> None:
    """Refuse an event whose sender may not send it, or that moves what it must not.

    Raises:
        NotAllowed: whose hint says what may.
    """
    if event.type in _NEVER:
        hint = "run `lineage pull` on the server"
        raise NotAllowed(f"nobody sends an event of the type {event.type}", hint=hint)
    rule = _RULES.get(event.type, _OTHER)
    spaces = {ref.partition("/")[0] for ref in refs}
    scope = "admin" if "protected" in spaces else rule.scope
    check_scope(scope, scopes)
    if other := spaces - {*rule.spaces}:
        message = f"an event of the type {event.type} moves no {min(other)}"
        raise NotAllowed(message)
    if event.commits and not rule.brings:
        raise NotAllowed(f"an event of the type {event.type} brings no commits")
