"""One turn of a loop: a generation in the making, and how what it makes is committed.

`stepping.run` does a step; `record` or `note` put what it left into the registry, as
soon as it exists. Between the two nothing is recorded, so a kill costs the step that
is running and no more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lineage.loop.branches import branch_of, runs
from lineage.loop.running.environment import environment
from lineage.loop.running.journal import Parts
from lineage.loop.running.progress import Activity
from lineage.loop.running.verdicts import Said
from lineage.store.objects import Edge

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from lineage.loop.running.budgets import Budgets
    from lineage.loop.running.journal import Journal
    from lineage.loop.running.progress import Progress
    from lineage.loop.running.reuse import Reuse
    from lineage.loop.running.workshop import Workshop
    from lineage.loop.spec import LoopSpec
    from lineage.loop.steps.protocol import Launcher, Result, Step
    from lineage.registry import Registry


@dataclass(frozen=True, slots=True)
class Made:
    """What a step left: its result, its files, and what its event says.

    `id` is the commit that an earlier run made of it; `output` is empty then.
    """

    result: Result
    output: Path
    code: Mapping[str, Any]
    data: Mapping[str, Any]
    id: str = ""

    @property
    def wrote(self) -> bool:
        """Whether there are files: a check may keep no record."""
        return "part" in self.data if self.id else any(self.output.iterdir())


@dataclass(slots=True)
class Turn:
    """A generation in the making: the `attempt`-th try at it, counted from 0.

    `made` are the parts that it has so far and `said` what their steps said. It is
    set `aside` when it is to be finished, but not as the loop's own generation.
    """

    registry: Registry
    workshop: Workshop
    spec: LoopSpec
    journal: Journal
    progress: Progress
    steps: Mapping[str, Step]
    launcher: Launcher
    generation: int
    attempt: int
    config: str
    resolved: Mapping[str, Any]
    reuse: Reuse
    budgets: Budgets
    made: Parts = field(default_factory=Parts)
    said: Said = field(default_factory=Said)
    aside: str = ""

    def record(
        self,
        made: Made,
        kind: str,
        part: str,
        edges: Iterable[Edge],
        origin: Mapping[str, Any] | None = None,
    ) -> str:
        """Commit what a step wrote as a part of the generation; returns its id.

        `origin` is where its records are from, unless the step says it.
        """
        if made.id:
            return made.id
        id_ = self.commit(
            kind,
            self.spec.name if kind == "model" else f"{self.spec.name}-{part}",
            made.output,
            edges=edges,
            part=part,
            params={"generation": self.generation, "attempt": self.attempt},
            metrics=made.result.metrics,
            code=made.code,
            origin=made.result.origin or origin,
            circumstances=made.data,
        )
        self.workshop.keep(id_, made.output)
        return id_

    def note(self, made: Made, type_: str, subject: str) -> None:
        """Record a step that wrote no files as an event about `subject`."""
        if not made.id:
            message = f"generation {self.generation} of {self.spec.name}"
            self.registry.attest(
                type_, subject=subject, message=message, data=made.data
            )

    def commit(
        self,
        kind: str,
        name: str,
        path: Path | None = None,
        *,
        part: str,
        params: Mapping[str, Any],
        circumstances: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> str:
        """Commit a part under the loop's run refs; returns its id."""
        if kind == "dataset":
            params = {**params, "part": part}
        made = self.registry.commit(
            kind,
            name,
            path,
            params=params,
            ref=f"runs/{runs(self.spec.name, self.generation)}{part}",
            revise=False,
            message=f"{part} of generation {self.generation}",
            circumstances={**(circumstances or self.circumstances()), "part": part},
            **fields,
        )
        return made.id

    def commit_generation(
        self,
        branch: str,
        message: str,
        params: Mapping[str, Any] | None = None,
        **circumstances: Any,
    ) -> str:
        """The generation of what the turn has made, or of what it came to; on `branch`.

        The same parts make the same commit, wherever a gate or a person puts it.
        """
        before = self.journal.generations[-1] if self.journal.generations else ""
        return self.registry.commit(
            "generation",
            self.spec.name,
            edges=self._edges(before),
            params={
                "generation": self.generation,
                "attempt": self.attempt,
                **(params or {}),
            },
            metrics=self.said.metrics,
            gates=[dict(gate) for gate in self.said.gates],
            branch=branch,
            revise=False,
            expect=before if branch == branch_of(self.spec.name) else None,
            message=message,
            circumstances=self.circumstances(**circumstances),
        ).id

    def _edges(self, before: str) -> list[Edge]:
        made = self.made
        kept = made.synthetic or made.generated
        included = (made.config, made.human, kept, made.mixed, made.model)
        edges = [observed("includes", id_) for id_ in included if id_]
        if made.held_out:
            edges.append(observed("evaluated_on", made.held_out))
        if before:
            edges.append(observed("follows", before))
        return edges

    def activity(self, step: str) -> Activity:
        """A step of this generation, as progress shows it."""
        total = self.spec.num_generations
        return Activity(self.spec.name, self.generation, total, step)

    def circumstances(self, **more: Any) -> dict[str, Any]:
        """What every event of this turn says, and more."""
        return {
            "loop": self.spec.name,
            "generation": self.generation,
            "attempt": self.attempt,
            "environment": environment(self.spec.num_threads),
            **more,
        }


def observed(role: str, id_: str) -> Edge:
    """An edge that the runner saw come about."""
    return Edge(role, id_, "observed")
