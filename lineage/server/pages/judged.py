"""What signatures are worth, as pages say it."""

from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakKeyDictionary

from lineage.keys.signatures import Signatures
from lineage.keys.signatures import words as said

if TYPE_CHECKING:
    from lineage.registry import Registry
    from lineage.store.event_reading import Logged

_CLASSES = {"good": "signed", "unsigned": "unsigned"}
_kept: "WeakKeyDictionary[Registry, tuple[tuple[str, ...], Signatures]]" = (
    WeakKeyDictionary()
)


class Mark(NamedTuple):
    """A signature in a few words, and how its border looks."""

    class_: str
    says: str


def signature(registry: "Registry", logged: "Logged") -> Mark | None:
    """What the signature of an event is worth; None where there are no keys."""
    keys = tuple(registry.key_log.oids())
    if not keys:
        return None
    if registry not in _kept or _kept[registry][0] != keys:
        # what an event is judged by changes only with the keys
        _kept[registry] = keys, Signatures(registry)
    found = _kept[registry][1].of(logged)
    if found.state == "no keys":
        return None
    if found.state == "unsigned":
        return Mark("unsigned", "not signed")
    return Mark(_CLASSES.get(found.state, "broken"), said(found))
