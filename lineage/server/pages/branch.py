"""One branch: its commits, newest first, and how its measures went along it."""

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from lineage.audit.curves import curve
from lineage.audit.model import Measure, Point
from lineage.errors import NotFound
from lineage.graph import headlines
from lineage.loop.branches import REJECTED
from lineage.loop.measuring.definitions import direction_of
from lineage.measured import metrics
from lineage.server.pages import words
from lineage.server.pages.rows import rows
from lineage.server.pages.site import Site
from lineage.turns import turn_number
from lineage.walks import back

if TYPE_CHECKING:
    from lineage.registry import Registry
    from lineage.store.objects import Metric

_MOST = 100  # commits of a page, and points of its curves
_CURVES = 6


def page(site: Site, registry: "Registry", branch: str, start: str) -> str:
    """The commits of `branch`, from the commit `start` on where that is given.

    Raises:
        NotFound: when there is no such branch, or `start` is not here.
    """
    target = registry.target(f"heads/{branch}")
    if target is None:
        hint = "the page of names lists all branches"
        raise NotFound(f"there is no branch {branch}", hint=hint)
    ids = list(islice(back(registry, start or target.id), _MOST + 1))
    shown, older = ids[:_MOST], ids[_MOST:]
    return site.render(
        "branch",
        branch=branch,
        tip=words.ref(registry, target.id),
        rows=rows(registry, shown),
        curves=[
            _drawn(place, each) for place, each in enumerate(_curves(registry, shown))
        ],
        older=site.href("branches", branch, start=older[0]) if older else "",
        newest=site.href("branches", branch) if start else "",
        rejected=_beside(registry, branch),
    )


def _beside(registry: "Registry", branch: str) -> str:
    """The branch with the turns that were not followed."""
    name = branch + REJECTED
    return name if registry.events_log.lookup(f"heads/{name}") else ""


def _curves(registry: "Registry", ids: list[str]) -> Iterator[Measure]:
    """The telling metrics of the newest commit that has any, by what they mean now."""
    found = [(id_, metrics(registry, id_)) for id_ in reversed(ids)]
    newest = next((known for _, known in reversed(found) if known), {})
    drawn = 0
    for name in headlines(newest):
        now = newest[name]
        points = [
            _point(registry, id_, place, known[name])
            for place, (id_, known) in enumerate(found)
            if name in known and known[name].comparable(now)
        ]
        if len(points) > 1:
            drawn += 1
            yield Measure(
                name, now.definition, now.version, direction_of(now), None, None,
                tuple(points),
            )  # fmt: skip
        if drawn == _CURVES:
            return


def _point(registry: "Registry", id_: str, place: int, metric: "Metric") -> Point:
    """A value; of a generation at its number, of others at their place."""
    commit = registry.load(id_)
    number = place
    if commit.kind == "generation":
        number = turn_number(commit, registry.ids.get(id_).generation)
    return Point(id_, number, metric.value, metric.n, metric.interval)


def _drawn(place: int, measure: Measure) -> dict[str, Any]:
    return {
        "name": measure.name,
        "better": measure.direction or "",
        "svg": Markup(curve(f"curve-{place}", measure)),  # noqa: S704 - made by us
    }
