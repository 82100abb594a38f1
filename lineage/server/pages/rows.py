"""Commits in a list, as searches and branches show them."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from lineage.graph import headlines
from lineage.history import Names, entry
from lineage.server.pages import words
from lineage.taints.marks import marks
from lineage.turns import failed_gates

if TYPE_CHECKING:
    from lineage.registry import Registry

_FEW = 2  # metrics of a commit


def rows(registry: "Registry", ids: Iterable[str]) -> list[dict[str, Any]]:
    """What a list says of each commit."""
    names, known = Names.of(registry), marks(registry)
    found = []
    for id_ in ids:
        one = entry(registry, id_, names)
        telling = headlines(one.metrics)[:_FEW]
        found.append(
            {
                "to": words.Ref(
                    id_,
                    one.commit.kind,
                    one.commit.name,
                    words.title(one.commit, one.generation),
                ),
                "message": one.message.partition("\n")[0],
                "by": one.author.get("name", ""),
                "time": one.time,
                "branches": one.branches,
                "tags": one.tags,
                "live": one.live,
                "metrics": [(name, one.metrics[name].value) for name in telling],
                "tainted": bool(known.of(id_)),
                "failed": failed_gates(one.commit.gates),
            }
        )
    return found
