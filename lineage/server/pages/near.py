"""The drawing of what is near a commit: on its page, and on a page of its own."""

from typing import TYPE_CHECKING

from lineage.neighbourhood import HOPS, MOST_HOPS, neighbourhood
from lineage.server.pages import words
from lineage.server.pages.graph import graph
from lineage.server.pages.site import Site

if TYPE_CHECKING:
    from markupsafe import Markup

    from lineage.registry import Registry


def drawing(site: Site, registry: "Registry", id_: str, hops: int = HOPS) -> "Markup":
    """The neighbourhood of the commit `id_` as a picture; empty when it is alone."""
    from markupsafe import Markup

    from lineage.taints.marks import marks

    near = neighbourhood(registry, id_, hops)
    told = marks(registry)
    tainted = {node.id for node in near.nodes if told.of(node.id)}
    return Markup(graph(near, site, tainted))  # noqa: S704 - names in it are escaped


def page(site: Site, registry: "Registry", id_: str, hops: int) -> str:
    """The drawing alone, as far as is asked.

    Raises:
        NotFound: when the commit is not here.
    """
    return site.render(
        "graph",
        of=words.ref(registry, id_),
        drawing=drawing(site, registry, id_, hops),
        hops=hops,
        most=MOST_HOPS,
    )
