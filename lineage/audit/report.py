"""From facts to the report."""

from collections.abc import Mapping
from dataclasses import replace

from lineage.audit import gaps
from lineage.audit.artifacts import artifacts_of
from lineage.audit.composition import training, written
from lineage.audit.facts import Facts, Told, gather
from lineage.audit.generations import generation, measures, statement
from lineage.audit.model import Artifact, AsOf, Generation, Loop, Report, Statement
from lineage.registry import Registry

_EVERYTHING = "authority"  # the audience that is told everything


def report(registry: Registry, revset: str) -> Report:
    """Everything that the registry holds about `revset`, and what it does not.

    Raises:
        NotFound: when there is no such commit.
    """
    return from_facts(gather(registry, revset))


def from_facts(facts: Facts) -> Report:
    """The report on facts that were gathered before."""
    artifacts = artifacts_of(facts)
    statements = tuple(statement(*said) for said in facts.statements)
    spoken: dict[str, list[Statement]] = {}
    for said in statements:
        spoken.setdefault(said.subject or "", []).append(said)
    loops = tuple(_loop(facts, told, artifacts, spoken) for told in facts.loops)
    newest = facts.newest
    made = Report(
        as_of=AsOf(newest.id, newest.time, newest.type),
        subjects=facts.subjects,
        audience=_EVERYTHING,
        loops=loops,
        releases=(),
        changes=(),
        taints=(),
        erasures=(),
        generators=(),
        training=training(artifacts),
        written=written(artifacts, [turn for loop in loops for turn in loop.turns]),
        artifacts=tuple(artifacts.values()),
        statements=statements,
        gaps=(),
        keys=facts.keys,
    )
    return replace(made, gaps=gaps.find(made))


def _loop(
    facts: Facts,
    told: Told,
    artifacts: Mapping[str, Artifact],
    spoken: Mapping[str, list[Statement]],
) -> Loop:
    def made(id_: str) -> Generation:
        return generation(facts.commits[id_], artifacts, spoken, facts, told)

    chain = tuple(map(made, told.chain))
    return Loop(
        name=facts.commits[told.chain[-1]].commit.name,
        branches=told.branches,
        later=told.later,
        also_in=told.also_in,
        oversight=told.oversight,
        generations=chain,
        rejected=tuple(map(made, told.rejected)),
        measures=measures(chain),
    )
