"""Branches and tags, by name, some at a time."""

from typing import TYPE_CHECKING, Any

from lineage.server.pages import words
from lineage.server.pages.site import Site
from lineage.taints.marks import marks

if TYPE_CHECKING:
    from lineage.registry import Registry

_MOST = 200  # of a page
_SPACES = {"heads": "branches", "tags": "tags"}


def page(site: Site, registry: "Registry", part: str, after: str) -> str:
    """The branches and tags with `part` in their name, those behind `after`."""
    spaces = {
        what: _some(site, registry, space, part, after)
        for space, what in _SPACES.items()
    }
    return site.render("names", spaces=spaces, part=part)


def _some(
    site: Site, registry: "Registry", space: str, part: str, after: str
) -> dict[str, Any]:
    """The names of a space; commits are read for those that are shown alone."""
    names, known = registry.events_log.names(space), marks(registry)
    wanted = sorted(name for name in names if part.casefold() in name.casefold())
    behind = [name for name in wanted if name > after]
    shown = behind[:_MOST]
    targets = {name: registry.target(f"{space}/{name}") for name in shown}
    more = len(behind) > _MOST
    return {
        "count": len(wanted),
        "head": registry.head if space == "heads" else None,
        "rows": [
            {
                "name": name,
                "to": words.ref(registry, target.id),
                "tainted": bool(known.of(target.id)),
            }
            for name, target in targets.items()
            if target
        ],
        "older": site.href("names", part=part, after=shown[-1]) if more else "",
    }
