"""What a report is about, looked at in the ways that facts need."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from lineage.audit.model import (
    Artifact,
    Field,
    Generation,
    Loop,
    MadeOf,
    Report,
    Source,
    Statement,
)
from lineage.store.canonical import Json

Found: TypeAlias = Iterator[tuple[str, Field[Any]]]
"""What a fact finds: labels with a value each, in the report's order."""


@dataclass(frozen=True)
class Scope:
    """A report, its commits by id, and those that it is on."""

    report: Report

    @cached_property
    def artifacts(self) -> dict[str, Artifact]:
        """All commits of the report by id."""
        return {made.id: made for made in self.report.artifacts}

    @cached_property
    def subjects(self) -> tuple[Artifact, ...]:
        """The commits that the report is on."""
        return tuple(self.artifacts[id_] for id_ in self.report.subjects)

    @cached_property
    def about(self) -> tuple[Artifact, ...]:
        """The subjects and, of generations, what they include."""
        found = {made.id: made for made in self.subjects}
        for made in self.subjects:
            for edge in of(made, "includes"):
                found[edge.id] = self.artifacts[edge.id]
        return tuple(found.values())

    @cached_property
    def models(self) -> tuple[Artifact, ...]:
        """The models that the report is on."""
        return tuple(made for made in self.about if made.kind == "model")

    @cached_property
    def configs(self) -> tuple[Artifact, ...]:
        """The configs that what the report is on was made with."""
        edges = (e for made in self.about for e in of(made, "configured_by"))
        configs = {e.id: self.artifacts[e.id] for e in edges}
        configs |= {made.id: made for made in self.about if made.kind == "config"}
        return tuple(configs.values())

    @cached_property
    def roots(self) -> tuple[Artifact, ...]:
        """Data and models that have an origin of their own: they are from outside."""
        return tuple(made for made in self.artifacts.values() if made.origin)

    @cached_property
    def learned_from(self) -> tuple[tuple[Artifact, Source], ...]:
        """What the models were trained on, and what that was mixed from."""
        found = []
        for model in self.models:
            for edge in of(model, "trained_on"):
                found.append((model, edge))
                data = self.artifacts[edge.id]
                found += [(data, mixed) for mixed in of(data, "derived_from")]
        return tuple(found)

    @cached_property
    def newest(self) -> tuple[Generation, ...]:
        """The newest generation of each loop."""
        return tuple(loop.generations[-1] for loop in self.report.loops)

    @cached_property
    def made_of(self) -> dict[str, MadeOf]:
        """What models are made of, by their ids, as far as the report says so."""
        turns = (turn for loop in self.report.loops for turn in loop.turns)
        known = [
            *(t.made_of for t in turns),
            *(g.made_of for g in self.report.generators),
        ]
        return {made.model: made for made in known if made}

    def said(self, *types: str) -> Iterator[Statement]:
        """The statements of these types, ``failed`` with all that failed."""
        for said in self.report.statements:
            if said.type.partition("_")[0] in types or said.type in types:
                yield said

    def now(self, value: Json) -> Field[Json]:
        """A value that holds of the whole report, as of its newest event."""
        return Field("recorded", value, event=self.report.as_of.event)

    def or_none(self, found: Found, what: str) -> Found:
        """What there is; where there is nothing of it, that, as of the newest event."""
        first = next(found, None)
        yield first or (what, self.now("none"))
        yield from found

    def name(self, id_: str) -> str:
        """A commit as an answer names it."""
        made = self.artifacts.get(id_)
        return named(made) if made else id_[:12]


def of(made: Artifact, *roles: str) -> Iterator[Source]:
    """The edges of a commit that have one of these roles."""
    return (edge for edge in made.sources if edge.role in roles)


def rejected(loop: Loop) -> tuple[Generation, ...]:
    """The turns that were rejected; one that the report is on ends the line itself."""
    return tuple(turn for turn in loop.turns if turn.status == "rejected")


def named(made: Artifact) -> str:
    """A commit as an answer names it: model tutor, generation 3 (2f8d3a5b1c09)."""
    turn = f", generation {made.generation}" if made.kind != "config" else ""
    return f"{made.kind} {made.name}{turn} ({made.id[:12]})"


def recorded(value: Json, commit: str) -> Field[Json]:
    """What the manifest of a commit says."""
    return Field("recorded", value, commit=commit)


def joined(parts: Iterable[object]) -> str:
    """What there is of these, with commas."""
    return ", ".join(str(part) for part in parts if part not in (None, ""))
