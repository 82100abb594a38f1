"""From facts to the report."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from lineage.audit import gaps
from lineage.audit.artifacts import artifacts_of
from lineage.audit.composition import training, written
from lineage.audit.descents import Descents, generators
from lineage.audit.facts import Facts, Told, gather
from lineage.audit.generations import (
    against_start,
    generation,
    measures,
    statement,
)
from lineage.audit.model import (
    Artifact,
    AsOf,
    Change,
    Generation,
    Loop,
    Report,
    Statement,
)
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
    descents = Descents(facts.commits, _proved(statements))
    loops = tuple(
        _loop(facts, told, artifacts, spoken, descents) for told in facts.loops
    )
    newest = facts.newest
    made = Report(
        as_of=AsOf(newest.id, newest.time, newest.type),
        subjects=facts.subjects,
        audience=_EVERYTHING,
        loops=loops,
        releases=facts.releases,
        changes=tuple(_made_of(change, facts, descents) for change in facts.changes),
        taints=facts.taints,
        erasures=facts.erasures,
        generators=generators(artifacts, descents),
        training=training(artifacts),
        written=written(artifacts, [turn for loop in loops for turn in loop.turns]),
        artifacts=tuple(artifacts.values()),
        statements=statements,
        gaps=(),
        keys=facts.keys,
        stamps=facts.stamps,
    )
    return replace(made, gaps=gaps.find(made))


def _proved(statements: Iterable[Statement]) -> dict[str, int]:
    """How many records datasets have, by the newest statement of their Merkle root."""
    return {
        said.subject: count
        for said in statements
        if said.type == "records" and said.subject
        if isinstance(count := said.data.get("count"), int)
    }


def _made_of(change: Change, facts: Facts, descents: Descents) -> Change:
    """A change with what the models on its two sides are made of."""
    old, new = (
        descents.of_parts([id_, *facts.commits[id_].commit.ids("includes")])
        for id_ in (change.before, change.after)
    )
    return replace(change, made_of=(old, new))


def _loop(
    facts: Facts,
    told: Told,
    artifacts: Mapping[str, Artifact],
    spoken: Mapping[str, list[Statement]],
    descents: Descents,
) -> Loop:
    def made(id_: str) -> Generation:
        turn = generation(facts.commits[id_], artifacts, spoken, facts, told)
        return replace(turn, made_of=descents.of_parts([p.id for p in turn.parts]))

    turns = tuple(against_start([made(i) for i in (*told.chain, *told.rejected)]))
    chain, rejected = turns[: len(told.chain)], turns[len(told.chain) :]
    return Loop(
        name=facts.commits[told.chain[-1]].commit.name,
        branches=told.branches,
        later=told.later,
        also_in=told.also_in,
        oversight=told.oversight,
        generations=chain,
        rejected=rejected,
        measures=measures(chain),
    )
