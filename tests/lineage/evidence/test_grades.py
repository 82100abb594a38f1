"""How well an edge is known: by its manifest, and by what the bytes have shown."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

import lineage
from lineage.evidence import GRADES, grade
from lineage.store.objects import Edge

if TYPE_CHECKING:
    from lineage.registry import Registry


@pytest.fixture
def pair(repo: Registry) -> tuple[str, Edge]:
    """A child with two edges to one parent, and one of them."""
    base = repo.commit("model", "base", params={"x": 1}).id
    edges = [Edge("fine_tuned_from", base, "observed"), Edge("evaluated_on", base)]
    child = repo.commit("model", "child", edges=edges).id
    return child, edges[0]


def say(registry: Registry, child: str, *edges: Any) -> str:
    return registry.attest("evidence", subject=child, data={"edges": list(edges)})


def one(edge: Edge, grade: Any, **more: Any) -> dict[str, Any]:
    return {"role": edge.role, "id": edge.id, "grade": grade, "method": "m", **more}


def test_the_newest_word_on_an_edge_holds(
    repo: Registry, pair: tuple[str, Edge]
) -> None:
    """What was recorded, until an event says otherwise; other edges stay."""
    child, edge = pair
    assert grade(repo, child, edge) == "observed"
    first = say(repo, child, one(edge, "verified"))
    assert grade(repo, child, edge) == "verified"
    say(repo, child, one(edge, "contradicted", figures={"cosine": 0.0}))
    assert grade(repo, child, edge) == "contradicted"
    assert grade(repo, child, Edge("evaluated_on", edge.id)) == "declared"
    assert grade(repo, edge.id, edge) == "observed"  # of another child
    with closing(lineage.open(repo.root, at=first)) as then:
        assert grade(then, child, edge) == "verified"
    assert GRADES == ("contradicted", "declared", "observed", "verified")


@pytest.mark.parametrize(
    "said",
    [None, {}, "verified", [None], [{}], [{"role": "fine_tuned_from"}], [[]]],
)
def test_malformed_evidence_says_nothing(
    repo: Registry, pair: tuple[str, Edge], said: Any
) -> None:
    """An event that another tool wrote wrongly leaves the grade as it was."""
    child, edge = pair
    repo.attest("evidence", subject=child, data={"edges": said})
    for wrong in ("declared", "sure", None, 3):
        say(repo, child, one(edge, wrong))
    say(repo, child, {**one(edge, "verified"), "id": 3})
    assert grade(repo, child, edge) == "observed"
    say(repo, child, one(edge, "verified", figures=[1]), None)
    assert grade(repo, child, edge) == "verified"
