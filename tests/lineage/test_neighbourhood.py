"""What is near a commit: hops, hubs, what is left out and counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lineage.bulk import Draft, import_commits
from lineage.errors import NotFound
from lineage.indexing import index_of
from lineage.neighbourhood import neighbourhood
from lineage.store.index_asking import numbers
from lineage.store.index_near import children
from lineage.store.objects import Commit, Edge

if TYPE_CHECKING:
    from lineage.neighbourhood import Near, Neighbourhood
    from lineage.registry import Registry


ORIGIN = {"type": "human", "source": "https://example.com", "licence": "CC0-1.0"}


def made(registry: Registry, kind: str, name: str, **edges: list[str]) -> str:
    """Record a commit with edges by role; its id."""
    found = [Edge(role, id_) for role, ids in edges.items() for id_ in ids]
    params = {"name": name}
    return registry.commit(kind, name, params=params, edges=found).id


def of(found: Neighbourhood, id_: str) -> Near:
    """The node of a commit."""
    return next(node for node in found.nodes if node.id == id_)


def names(found: Neighbourhood) -> list[str]:
    return [node.name for node in found.nodes]


def arrows(found: Neighbourhood) -> list[tuple[str, str]]:
    name = {node.id: node.name for node in found.nodes}
    return [(name[arrow.source], name[arrow.product]) for arrow in found.arrows]


@pytest.fixture
def chain(repo: Registry) -> list[str]:
    """Seven datasets, each derived from the one before."""
    ids = [made(repo, "dataset", "d0")]
    for n in range(1, 7):
        ids.append(made(repo, "dataset", f"d{n}", derived_from=ids[-1:]))
    return ids


def test_two_hops_and_no_more(repo: Registry, chain: list[str]) -> None:
    """What is two edges before or after is near; what is three is counted, or not."""
    found = neighbourhood(repo, chain[3])
    assert names(found) == ["d1", "d2", "d3", "d4", "d5"]
    assert arrows(found) == [("d1", "d2"), ("d2", "d3"), ("d3", "d4"), ("d4", "d5")]
    assert [node.others for node in found.nodes] == [1, 0, 0, 0, 0]


def test_as_far_as_is_asked(repo: Registry, chain: list[str]) -> None:
    """One hop shows the neighbours alone."""
    assert names(neighbourhood(repo, chain[3], hops=1)) == ["d2", "d3", "d4"]


def test_who_asks_for_nothing_that_is_here(repo: Registry) -> None:
    """A commit that is not here has no neighbours."""
    with pytest.raises(NotFound):
        neighbourhood(repo, "0" * 64)


def test_a_hub_is_a_chip_but_for_the_center(repo: Registry) -> None:
    """What many use is named beside each, and is drawn only where it is asked about."""
    seed = made(repo, "dataset", "seed")
    data = [made(repo, "dataset", f"d{n}", derived_from=[seed]) for n in range(7)]
    model = made(repo, "model", "m", trained_on=data[:2])
    from_model = neighbourhood(repo, model)
    assert names(from_model) == ["d0", "d1", "m"]
    assert [[c.name for c in n.chips] for n in from_model.nodes] == [
        ["seed"], ["seed"], [],
    ]  # fmt: skip
    from_data = neighbourhood(repo, data[0])
    assert arrows(from_data) == [("seed", "d0"), ("d0", "m")]
    from_seed = neighbourhood(repo, seed)
    assert len(from_seed.arrows) == 7 + 2


def test_chips_of_one_name_are_one(repo: Registry) -> None:
    """A mix of many datasets that everything uses names them once, and how many."""
    parts = [
        repo.commit("dataset", "part", params={"n": n}, branch=f"p{n}").id
        for n in range(5)
    ]
    mixes = [made(repo, "dataset", f"mix{n}", derived_from=parts) for n in range(6)]
    model = made(repo, "model", "m", trained_on=mixes[:1])
    [chip] = of(neighbourhood(repo, model), mixes[0]).chips
    assert (chip.name, chip.more) == ("part", 4)


def test_a_config_is_always_a_chip(repo: Registry) -> None:
    """A config, used once or a thousand times, has no arrow but into the center."""
    config = made(repo, "config", "settings")
    data = made(repo, "dataset", "d", configured_by=[config])
    model = made(repo, "model", "m", trained_on=[data], configured_by=[config])
    found = neighbourhood(repo, model)
    assert [node.chips[0].name for node in found.nodes] == ["settings", "settings"]
    assert arrows(found) == [("d", "m")]
    assert ("settings", "d") in arrows(neighbourhood(repo, config))


def test_a_crowd_is_cut_and_counted(repo: Registry) -> None:
    """Of many that use a seed the newest are drawn, the others counted."""
    seed = made(repo, "dataset", "seed")

    edges = (Edge("derived_from", seed),)
    commits = (Commit("dataset", f"c{n}", edges) for n in range(40))
    list(import_commits(repo, (Draft(commit, branch="") for commit in commits)))
    found = neighbourhood(repo, seed)
    assert len(found.nodes) == 1 + 16
    assert names(found)[-1] == "c39"
    assert of(found, seed).uses == 24
    with index_of(repo) as index:
        drawn, count = index.read(
            lambda ask: children(ask, numbers(ask, [seed])[0], 9, 20)
        )
    assert (len(drawn), count) == (9, 20)


def test_where_records_came_from(repo: Registry) -> None:
    """A dataset is what it says, or what its edges say: written by a model, derived."""
    human = repo.commit("dataset", "h", params={"a": 1}, origin=ORIGIN).id
    model = made(repo, "model", "m", trained_on=[human])
    written = made(repo, "dataset", "w", generated_by=[model])
    mixed = made(repo, "dataset", "x", derived_from=[written])
    found = neighbourhood(repo, model)
    assert [node.origin for node in found.nodes] == [
        "human",
        None,
        "machine",
        "derived",
    ]
    assert of(found, mixed).name == "x"
