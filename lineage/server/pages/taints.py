"""The taints of the registry: what is bad, why, and how far it went."""

from typing import TYPE_CHECKING

from lineage.server.pages import words
from lineage.server.pages.site import Site
from lineage.shapes.taints import tainted

if TYPE_CHECKING:
    from lineage.registry import Registry

_MOST = 200


def page(site: Site, registry: "Registry") -> str:
    """Every taint, the newest first; lifted ones too."""
    found = tainted(registry, {})[::-1]
    rows = [{**one, "to": words.ref(registry, one["subject"])} for one in found[:_MOST]]
    return site.render("taints", rows=rows, more=len(found) - len(rows))
