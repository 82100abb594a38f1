"""How well an edge is known: as its manifest says it, and as the bytes do.

A manifest says of an edge that it was ``declared`` by a person or ``observed`` by the
runner. Events of the type ``evidence`` say later what the bytes show: ``verified`` or
``contradicted``. Of those about one edge the newest holds.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from lineage.evidence.checked import CONTRADICTED, VERIFIED
from lineage.registry import Registry
from lineage.statements import statements, subjects
from lineage.store.objects import Edge, Event

EVIDENCE = "evidence"  # the type of such an event
GRADES = (CONTRADICTED, "declared", "observed", VERIFIED)
"""Weakest first: a path is as good as the weakest edge on it."""


class Shown(NamedTuple):
    """What the bytes show of an edge: how it was looked at, and what was found."""

    grade: str
    method: str
    figures: Mapping[str, Any]
    event: Event


def grade(registry: Registry, child: str, edge: Edge) -> str:
    """How well an edge of the commit `child` is known, one of `GRADES`.

    Of a registry as it was at some event, how well it was known by then.
    """
    if child not in subjects(registry, EVIDENCE):
        return edge.evidence
    found = shown(registry, child).get((edge.role, edge.id))
    return found.grade if found else edge.evidence


def shown(registry: Registry, child: str) -> dict[tuple[str, str], Shown]:
    """What the bytes have shown of the edges of `child`, by role and id."""
    found: dict[tuple[str, str], Shown] = {}
    for _, event in statements(registry, child, EVIDENCE):
        for item in _edges(event):
            figures = item.get("figures")
            found[item["role"], item["id"]] = Shown(
                item["grade"],
                str(item.get("method", "")),
                figures if isinstance(figures, dict) else {},
                event,
            )
    return found


def _edges(event: Event) -> Iterator[dict[str, Any]]:
    """What one event says of edges; what is malformed says nothing."""
    given = event.data.get("edges")
    for item in given if isinstance(given, list) else ():
        if (
            isinstance(item, dict)
            and isinstance(item.get("role"), str)
            and isinstance(item.get("id"), str)
            and item.get("grade") in (VERIFIED, CONTRADICTED)
        ):
            yield item
