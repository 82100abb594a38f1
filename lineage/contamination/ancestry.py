"""What a commit was made of, and the way from it to each of its datasets."""

import heapq
from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from lineage.descent.roles import FLOW, RECORDS, WEIGHTS
from lineage.registry import Registry
from lineage.store.objects import Commit
from lineage.walks import reached

_DETOUR = 1 << 20  # as many steps as a dataset counts that has nothing of it


class Step(NamedTuple):
    """One commit of a way, and the role of the edge that led to it ("" at first)."""

    role: str
    id: str


@dataclass(frozen=True)
class Ancestry:
    """All that something came along from: by id the parents, each with its role.

    Parents that are not in this registry are left out of `parents`, and in `absent`.
    """

    root: str
    commits: dict[str, Commit]
    parents: dict[str, list[Step]]
    absent: frozenset[str]

    @classmethod
    def of(cls, registry: Registry, root: str) -> "Ancestry":
        """Walk up from `root` along every edge that something comes along."""
        commits: dict[str, Commit] = {}
        parents: dict[str, list[Step]] = {}
        absent: set[str] = set()
        ahead = deque([root])
        while ahead:
            id_ = ahead.popleft()
            if id_ in commits:
                continue
            commit = commits[id_] = registry.load(id_)
            steps = [Step(e.role, e.id) for e in commit.edges if e.role in FLOW]
            absent |= {step.id for step in steps if step.id not in registry.ids}
            parents[id_] = [step for step in steps if step.id not in absent]
            ahead += [step.id for step in parents[id_]]
        return cls(root, commits, parents, frozenset(absent))

    @property
    def datasets(self) -> list[str]:
        """The datasets, in the order in which a walk from the root meets them."""
        return [id_ for id_, commit in self.commits.items() if commit.kind == "dataset"]

    @property
    def read(self) -> set[str]:
        """The dataset asked about, and those of models and generations."""
        takers = (
            id_ for id_, commit in self.commits.items() if commit.kind != "dataset"
        )
        taken = {step.id for id_ in takers for step in self.parents[id_]}
        return {d for d in self.datasets if d in taken or d == self.root}

    @property
    def untold(self) -> list[str]:
        """The models of which nothing says what they were trained on."""
        return [
            id_
            for id_, commit in self.commits.items()
            if commit.kind == "model" and not commit.ids(*(RECORDS | WEIGHTS))
        ]

    def above(self, id_: str) -> set[str]:
        """All that `id_` came from."""

        def up(one: str) -> Iterator[str]:
            return (step.id for step in self.parents[one])

        return reached(up(id_), up)

    def way(self, to: str, through: Collection[str]) -> tuple[Step, ...]:
        """The way from the root to the dataset `to`: the shortest of the likeliest.

        A way through datasets that have what is sought (`through`) is likelier than
        any that leads through one that has not.
        """
        queue: list[tuple[int, int, str, tuple[Step, ...]]] = []
        start = (Step("", self.root),)
        heapq.heappush(queue, (0, 0, self.root, start))
        done: set[str] = set()
        while queue:
            cost, _, id_, way = heapq.heappop(queue)
            if id_ == to:
                return way
            if id_ in done:
                continue
            done.add(id_)
            for step in self.parents[id_]:
                far = cost + self._length(step, through)
                heapq.heappush(queue, (far, len(way), step.id, (*way, step)))
        raise KeyError(to)

    def _length(self, step: Step, through: Collection[str]) -> int:
        """How far a step leads.

        Records lead on more surely than what a model makes of them, and out of a
        generation the way goes through its model.
        """
        dataset = self.commits[step.id].kind == "dataset"
        far = 1 if step.role in RECORDS else 4 if dataset else 2
        return far + (dataset and step.id not in through) * _DETOUR
