"""From facts to the report."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from lineage.audit import gaps
from lineage.audit.artifacts import artifacts_of
from lineage.audit.composition import training, written
from lineage.audit.facts import Facts, gather
from lineage.audit.generations import generation, measures, statement
from lineage.audit.model import (
    Artifact,
    AsOf,
    Generation,
    Loop,
    Report,
    Statement,
)
from lineage.registry import Registry


def report(registry: Registry, revision: str) -> Report:
    """Everything that the registry holds about `revision`, and what it does not.

    Raises:
        NotFound: when there is no such commit.
    """
    return from_facts(gather(registry, revision))


def from_facts(facts: Facts) -> Report:
    """The report on facts that were gathered before."""
    artifacts = artifacts_of(facts)
    statements = tuple(statement(event) for event in facts.statements)
    chain, rejected = _turns(facts, artifacts, statements)
    newest = facts.newest
    made = Report(
        as_of=AsOf(newest.id, newest.time, newest.type),
        subject=facts.subject,
        loop=_loop(facts),
        oversight=facts.oversight,
        generations=chain,
        rejected=rejected,
        measures=measures(chain),
        training=training(artifacts),
        written=written(artifacts, (*chain, *rejected)),
        artifacts=tuple(artifacts.values()),
        statements=statements,
        gaps=(),
    )
    return replace(made, gaps=gaps.find(made))


def _turns(
    facts: Facts, artifacts: Mapping[str, Artifact], statements: Iterable[Statement]
) -> tuple[tuple[Generation, ...], tuple[Generation, ...]]:
    """The generations of the chain, and the rejected ones."""
    spoken: dict[str, list[Statement]] = {}
    for said in statements:
        spoken.setdefault(said.subject or "", []).append(said)

    def made(ids: Iterable[str]) -> tuple[Generation, ...]:
        known = (facts.commits[id_] for id_ in ids)
        return tuple(generation(k, artifacts, spoken, facts) for k in known)

    return made(facts.chain), made(facts.rejected)


def _loop(facts: Facts) -> Loop | None:
    if not facts.chain:
        return None
    return Loop(
        name=facts.commits[facts.chain[-1]].commit.name,
        branches=facts.branches,
        later=facts.later,
        also_in=facts.also_in,
    )
