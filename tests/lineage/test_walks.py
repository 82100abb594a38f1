"""Walks, against brute force and against git on the same graph."""

from __future__ import annotations

import random
import subprocess
from contextlib import closing
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, NamedTuple

import pytest

import lineage
from lineage.errors import NotFound
from lineage.store.objects import BACK, Edge
from lineage.walks import (
    ancestors,
    descendants,
    heads,
    is_ancestor,
    merge_base,
    roots,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from lineage.registry import Registry

COMMITS = 40


class Graph(NamedTuple):
    """A registry, its ids oldest first, and every commit's parents by role."""

    registry: Registry
    ids: list[str]
    parents: dict[str, list[tuple[str, str]]]

    def up(self, id_: str, roles: Collection[str] | None = None) -> set[str]:
        """Give all ancestors, by brute force."""
        above = {p for role, p in self.parents[id_] if roles is None or role in roles}
        return {id_}.union(*(self.up(parent, roles) for parent in above))

    def bases(self, a: str, b: str, roles: Collection[str] | None) -> set[str]:
        common = self.up(a, roles) & self.up(b, roles)
        return {
            c for c in common if not any(c in self.up(d, roles) - {d} for d in common)
        }

    def git(self, *args: str) -> set[str]:
        """Ask git; answers with ids."""
        by_oid = {self.registry.git_oid(id_): id_ for id_ in self.ids}
        done = subprocess.run(
            ["git", *args],
            cwd=self.registry.root,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == ""
        return {by_oid[oid] for oid in done.stdout.split()}


@pytest.fixture(params=["near", "far"], autouse=True)
def _distance(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each walk stay with the manifests, and then read all edges at once."""
    monkeypatch.setattr("lineage.walks._NEAR", 10_000 if request.param == "near" else 0)


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    """Make a tangle: branches, crossed merges, and a hub that many came from."""
    rng = random.Random(7)  # noqa: S311 - the same graph each time
    with closing(lineage.init(tmp_path_factory.mktemp("walks"))) as registry:
        found = Graph(registry, [], {})
        for number in range(COMMITS):
            recent = found.ids[-6:]
            chosen = rng.sample(
                recent, min(len(recent), rng.choice([0, 1, 1, 2, 2, 3]))
            )
            roles = [
                rng.choice(["revises", "derived_from", "trained_on"]) for _ in chosen
            ]
            edges = list(zip(roles, chosen, strict=True))
            if number and rng.random() < 0.4 and found.ids[0] not in chosen:
                edges.append(("configured_by", found.ids[0]))
            made = registry.commit(
                "config",
                "c",
                params={"number": number},
                edges=[Edge(*edge) for edge in edges],
                branch=f"b{number}",
            )
            found.ids.append(made.id)
            found.parents[made.id] = edges
        yield found


@pytest.mark.parametrize("roles", [None, BACK, ("trained_on", "derived_from")])
def test_ancestors_and_descendants(graph: Graph, roles: Collection[str] | None) -> None:
    """They are what following every edge by hand finds."""
    up = {id_: graph.up(id_, roles) for id_ in graph.ids}

    for id_ in graph.ids:
        assert ancestors(graph.registry, [id_], roles) == up[id_]
        down = {other for other in graph.ids if id_ in up[other]}
        assert descendants(graph.registry, [id_], roles) == down


def test_several_starts(graph: Graph) -> None:
    """A walk from several commits is the union, and from none it is empty."""
    chosen = graph.ids[20:23]
    up = set().union(*(graph.up(id_) for id_ in chosen))
    down = {id_ for id_ in graph.ids if graph.up(id_) & set(chosen)}

    assert ancestors(graph.registry, chosen) == up
    assert descendants(graph.registry, chosen) == down
    assert ancestors(graph.registry, []) == descendants(graph.registry, []) == set()


def test_ancestors_as_git_lists_them(graph: Graph) -> None:
    """Along all roles, ancestors are what `git rev-list` reaches."""
    for id_ in graph.ids[::5]:
        listed = graph.git("rev-list", graph.registry.git_oid(id_))
        assert ancestors(graph.registry, [id_]) == listed


@pytest.mark.parametrize("roles", [None, BACK])
def test_merge_bases(graph: Graph, roles: Collection[str] | None) -> None:
    """All common ancestors that are below no other one, newest first."""
    for a, b in combinations(graph.ids, 2):
        found = merge_base(graph.registry, a, b, roles)
        assert set(found) == graph.bases(a, b, roles)
        numbers = [graph.ids.index(id_) for id_ in found]
        assert all(newer > older for newer, older in pairwise(numbers))
    assert merge_base(graph.registry, graph.ids[3], graph.ids[3]) == [graph.ids[3]]


def test_merge_bases_are_those_of_git(graph: Graph) -> None:
    """`git merge-base --all` on the same commits says the same."""
    oid = graph.registry.git_oid
    for a, b in list(combinations(graph.ids[::4], 2)):
        listed = graph.git("merge-base", "--all", oid(a), oid(b))
        assert set(merge_base(graph.registry, a, b, None)) == listed


def test_heads_and_roots(graph: Graph) -> None:
    """Members without a descendant, or an ancestor, among the others."""
    rng = random.Random(3)  # noqa: S311 - the same graph each time
    for size in (0, 1, 5, 12, COMMITS):
        ids = set(rng.sample(graph.ids, size))
        proper = {id_: (graph.up(id_) - {id_}) & ids for id_ in ids}
        assert heads(graph.registry, ids) == ids - set().union(*proper.values())
        assert roots(graph.registry, ids) == {i for i, up in proper.items() if not up}


def test_is_ancestor(graph: Graph) -> None:
    """True for itself and what it came from, along the roles that were asked for."""
    for a, b in combinations(graph.ids[::3], 2):
        assert is_ancestor(graph.registry, a, b) == (a in graph.up(b))
        assert is_ancestor(graph.registry, a, b, BACK) == (a in graph.up(b, BACK))
        assert not is_ancestor(graph.registry, b, a)
    assert is_ancestor(graph.registry, graph.ids[0], graph.ids[0])


def test_a_walk_from_nowhere(graph: Graph) -> None:
    """What is no commit here is an error, whatever is asked of it."""
    known, nowhere = graph.ids[0], "0" * 64
    for call in (ancestors, descendants):
        with pytest.raises(NotFound):
            call(graph.registry, [nowhere])
    for pair in (merge_base, is_ancestor):
        with pytest.raises(NotFound):
            pair(graph.registry, known, nowhere)
        with pytest.raises(NotFound):
            pair(graph.registry, nowhere, known)
