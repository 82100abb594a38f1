"""Reaches: the same from every database, and of the registry's own time."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

import lineage
from lineage.descent.impact import impact
from lineage.errors import NotFound
from lineage.store.objects import Edge

if TYPE_CHECKING:
    from lineage.descent.impact import Impact
    from lineage.registry import Registry


@pytest.fixture(params=["sqlite", "postgresql"])
def placed(request: pytest.FixtureRequest, repo: Registry) -> Registry:
    """Give a registry whose index is its own file, and then a PostgreSQL database."""
    if request.param == "postgresql":
        repo.settings.set("index.url", request.getfixturevalue("database"))
    return repo


def _doses(found: Impact) -> dict[str, object]:
    return {one.id: one.dose and one.dose.records for one in found.reached}


def test_every_database_says_the_same(placed: Registry) -> None:
    """Shares, order, names and events come out of either index alike."""
    seed = placed.commit("dataset", "seed", params={"rows": 1}).id
    share = {"records": [2**40, 2**42], "tokens": [1, 3]}
    edges = [Edge("derived_from", seed, share=share)]
    mixed = placed.commit("dataset", "mixed", edges=edges).id
    model = placed.commit("model", "m", edges=[Edge("trained_on", mixed)]).id
    held = placed.commit("model", "other", edges=[Edge("evaluated_on", seed)]).id
    found = impact(placed, seed)

    assert _doses(found) == {mixed: (0.25, 0.25), model: (0.25, 0.25)}
    assert [one.dose and one.dose.whole for one in found.reached] == [2**42, 2**42]
    assert [one.id for one in found.measured] == [held]
    assert [branch.name for branch in found.branches] == [
        *("dataset/mixed", "dataset/seed", "model/m")
    ]
    one = found.reached[0]
    assert (one.git, one.author) == (
        placed.git_oid(mixed),
        "Ada Example <ada@example.com>",
    )
    assert impact(placed, mixed, limit=0).count == 1
    with pytest.raises(NotFound):
        impact(placed, "0" * 64)


def test_an_origin_that_is_stated_leaves_less_certain(placed: Registry) -> None:
    """What nobody counted may be the dataset's own; the most that it can be stays."""
    seed = placed.commit("dataset", "seed", params={"rows": 1}).id
    [edge] = [Edge("derived_from", seed)]
    found = {}
    for said in ("human", "machine", "mixed", "unknown"):
        origin = {"type": said}
        found[placed.commit("dataset", said, edges=[edge], origin=origin).id] = (0, 1)
    found[placed.commit("dataset", "silent", edges=[edge]).id] = (1, 1)

    assert _doses(impact(placed, seed)) == found


def test_the_past_has_what_there_was(placed: Registry) -> None:
    """What was recorded later was not reached yet, and branches stood elsewhere."""
    seed = placed.commit("dataset", "seed", params={"rows": 1}).id
    first = placed.commit("model", "m", edges=[Edge("trained_on", seed)]).id
    then = placed.events_log.tip()
    second = placed.commit("model", "m", edges=[Edge("fine_tuned_from", first)]).id
    assert [*_doses(impact(placed, seed))] == [first, second]
    url = placed.settings.get("index.url")
    settings = {"index.url": url} if url else None
    with closing(lineage.open(placed.root, at=then, settings=settings)) as past:
        found = impact(past, seed)
        assert [*_doses(found)] == [first]
        assert [b.tip for b in found.branches if b.name == "model/m"] == [first]
