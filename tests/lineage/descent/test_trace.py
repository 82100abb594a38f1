"""What a commit is made of, in a registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lineage.descent.trace import Made, Trace, trace
from lineage.store.objects import Edge

if TYPE_CHECKING:
    from lineage.registry import Registry

HUMAN = {"type": "human", "source": "a book", "licence": "CC0", "by": "Ada"}
UNKNOWN = {"type": "unknown", "source": "somewhere", "licence": "?"}


class Maker:
    """Makes small commits by name; edges are (role, name of the parent, a, b)."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.ids: dict[str, str] = {}

    def make(self, kind: str, name: str, *edges: tuple[Any, ...], **more: Any) -> str:
        made = self.registry.commit(
            kind,
            name,
            edges=[
                Edge(
                    role,
                    self.ids[parent],
                    share={"records": counts} if counts else None,
                )
                for role, parent, *counts in edges
            ],
            params={"name": name},
            branch=name,
            revise=False,
            **more,
        )
        self.ids[name] = made.id
        return made.id

    def trace(self, name: str) -> Trace:
        return trace(self.registry, self.ids[name])

    def sources(self, made: Made) -> dict[str, tuple[str, str, str]]:
        """Give origin, least and most by the name of the source."""
        names = {id_: name for name, id_ in self.ids.items()}
        return {
            names[part.id]: (
                part.origin,
                str(part.shares["records"].low),
                str(part.shares["records"].high),
            )
            for part in made.parts
        }


@pytest.fixture
def maker(repo: Registry) -> Maker:
    return Maker(repo)


def composed(found: Trace) -> tuple[str, str, str]:
    """Give the shares of human, machine and unknown of the first records told."""
    made_of = found.made[0].amounts[0].made_of
    return str(made_of.human), str(made_of.machine), str(made_of.unknown)


def test_a_loop_that_accumulates(maker: Maker) -> None:
    """Machine shares grow by turn, each model counts for what it wrote itself."""
    maker.make("dataset", "book", origin=HUMAN)
    maker.make("model", "m0", ("trained_on", "book", 8, 8))
    maker.make("dataset", "s1", ("generated_by", "m0"), ("derived_from", "book"))
    maker.make(
        "dataset", "x1", ("derived_from", "book", 8, 16), ("derived_from", "s1", 8, 16)
    )
    maker.make("model", "m1", ("trained_on", "x1", 16, 16))
    maker.make("dataset", "s2", ("generated_by", "m1"), ("derived_from", "book"))
    maker.make(
        "dataset",
        "x2",
        *(("derived_from", name, 8, 24) for name in ("book", "s1", "s2")),
    )
    maker.make("model", "m2", ("trained_on", "x2", 24, 24))

    found = maker.trace("m2")

    assert composed(found) == ("1/3", "2/3", "0")
    assert maker.sources(found.made[0]) == {
        "book": ("human", "1/3", "1/3"),
        "m0": ("machine", "1/3", "1/3"),
        "m1": ("machine", "1/3", "1/3"),
    }
    assert (found.distance, found.generation) == ((0, 2), 2)
    assert found.made[0].amounts[0].count == 24
    assert found.gaps == ()
