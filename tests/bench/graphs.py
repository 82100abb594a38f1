"""Large registries: loops that share a seed, fork, and merge what they learned."""

from __future__ import annotations

import random
from itertools import islice
from typing import TYPE_CHECKING

from lineage.bulk import Draft
from lineage.store.objects import Commit, Edge, Metric

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOOPS = 40  # side by side, at most
_FORK, _MERGE = 0.02, 0.05  # of all turns


class _Loop:
    """One loop and the newest of its commits."""

    def __init__(self, name: str, model: str, last: str | None = None) -> None:
        self.name = name
        self.model = model
        self.last = last
        self.turn = 0


def graph(size: int) -> Iterator[Draft]:
    """`size` commits, the same ones each time.

    The seed and the settings are parents of every dataset and every model: hubs. A
    turn of a loop is a dataset, a model and a generation, one branch for each loop.
    """
    return islice(_graph(min(_LOOPS, size // 25)), size)


def _graph(width: int) -> Iterator[Draft]:
    chance = random.Random(7)  # noqa: S311 - the same graph each time
    human = {"type": "human", "source": "Hamlet", "licence": "CC0-1.0"}
    seed = Commit("dataset", "seed", params={"lines": 4000}, origin=human)
    settings = Commit("config", "settings", params={"lr": 2e-3, "steps": 300})
    first = Commit("model", "base", params={"layers": 2}, metrics={"loss": Metric(4)})
    yield from (Draft(seed), Draft(settings), Draft(first))
    hubs = (seed.id, settings.id)
    loops = [_Loop(f"l{n}", first.id) for n in range(width)]
    number = 0
    while True:
        loop = loops[number % len(loops)]
        other = chance.choice(loops) if chance.random() < _MERGE else None
        yield from _turn(loop, other, hubs, number)
        number += 1
        if chance.random() < _FORK:
            fork = _Loop(f"f{number}", loop.model, loop.last)
            loops[chance.randrange(len(loops))] = fork


def _turn(
    loop: _Loop, other: _Loop | None, hubs: tuple[str, str], number: int
) -> Iterator[Draft]:
    seed, settings = hubs
    loop.turn += 1
    counts = {"records": [750, 1000]}
    written = Edge("generated_by", loop.model, "observed", counts)
    data = Commit(
        "dataset",
        f"{loop.name}-data",
        (written, Edge("derived_from", seed, "observed")),
        params={"temperature": 0.8, "seed": number},
    )
    edges = [
        Edge("trained_on", data.id, "observed"),
        Edge("fine_tuned_from", loop.model, "observed"),
        Edge("configured_by", settings, "observed"),
    ]
    if other and other.model != loop.model:
        edges.append(Edge("merged_from", other.model))
    loss = 4.0 + number % 997 / 100
    model = Commit(
        "model",
        loop.name,
        tuple(edges),
        params={"learning_rate": 1e-3, "step": number, "optimiser": "adamw"},
        metrics={"loss": Metric(loss), "perplexity": Metric(2.7 * loss)},
    )
    parts = [
        Edge("includes", data.id, "observed"),
        Edge("includes", model.id, "observed"),
    ]
    follows = [Edge("follows", loop.last, "observed")] if loop.last else []
    turn = Commit(
        "generation", loop.name, (*parts, *follows), params={"turn": loop.turn}
    )
    loop.model, loop.last = model.id, turn.id
    yield from (Draft(part, branch="") for part in (data, model))
    yield Draft(turn, branch=f"loop/{loop.name}", revise=False)
