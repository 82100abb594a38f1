"""How much of a commit's records people and machines wrote, as one bar.

That takes a walk through all that it came from. What commits say never changes, so an
answer is kept; where the walk may be long, the page comes first and asks for it then.
"""

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from lineage.audit.text import percent
from lineage.descent.ancestry import Ancestry, gather
from lineage.descent.shares import Shares
from lineage.server.pages.site import Site

if TYPE_CHECKING:
    from lineage.descent.shares import Composition
    from lineage.registry import Registry

_NEAR = 150  # commits that were recorded before; what came of more comes later
_KEPT = 4096
_ORIGINS = ("human", "machine", "unknown")


class Part(NamedTuple):
    """A piece of the bar, in hundredths of it."""

    origin: str
    share: float
    x: str
    wide: str


@dataclass(frozen=True)
class Made:
    """The bar: `said` is the same in words."""

    parts: tuple[Part, ...]
    said: str


@dataclass(frozen=True)
class Later:
    """The answer is not there yet: the bar has no parts."""

    parts: tuple[Part, ...] = ()


_kept: "dict[tuple[str, str], Made | None]" = {}  # of all threads of a server
_lock = Lock()


def at_once(registry: "Registry", id_: str) -> Made | Later | None:
    """What `id_` is made of; `Later` where that takes long, None where it has none."""
    if (registry.uuid(), id_) in _kept or registry.ids.get(id_).number < _NEAR:
        return made(registry, id_)
    return Later()


def made(registry: "Registry", id_: str) -> Made | None:
    """The same, however long it takes."""
    key = registry.uuid(), id_
    with _lock:
        if key in _kept:
            return _kept[key]
    ancestry = gather(registry, id_)
    found = _made(ancestry)
    if ancestry.absent:  # what is not here today may come
        return found
    with _lock:
        while len(_kept) >= _KEPT:
            _kept.pop(next(iter(_kept)))
        _kept[key] = found
    return found


def _made(ancestry: Ancestry) -> Made | None:
    """Of a generation, what its model was trained on."""
    id_ = ancestry.subject
    found = Shares(ancestry, "records").compositions
    commit = ancestry.commits[id_]
    parts = [part for part in commit.ids("includes") if part in ancestry.commits]
    models = [part for part in parts if ancestry.commits[part].kind == "model"]
    for subject in (*models, id_):
        if subject in found:
            return bar(found[subject])
    return None


def bar(found: "Composition") -> Made:
    """A composition as a bar."""
    shares = (float(found.human), float(found.machine), float(found.unknown))
    parts, x = [], 0.0
    for origin, share in zip(_ORIGINS, shares, strict=True):
        if share:
            parts.append(Part(origin, share, f"{100 * x:.2f}", f"{100 * share:.2f}"))
        x += share
    said = ", ".join(f"{percent(part.share)} {part.origin}" for part in parts)
    return Made(tuple(parts), said)


def fragment(site: Site, registry: "Registry", id_: str) -> str:
    """The bar by itself, which the page of the commit asks for."""
    return site.render("origins", origins=made(registry, registry.resolve(id_)))
