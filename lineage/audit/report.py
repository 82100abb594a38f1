"""From facts to the report."""

from lineage.audit import gaps
from lineage.audit.artifacts import artifact
from lineage.audit.composition import training, written
from lineage.audit.facts import Facts, gather
from lineage.audit.generations import generation, measures, statement
from lineage.audit.model import AsOf, Generation, Loop, Report, Statement
from lineage.registry import Registry


def report(registry: Registry, revision: str) -> Report:
    """Everything that the registry holds about `revision`, and what it does not.

    Raises:
        NotFound: when there is no such commit.
    """
    return from_facts(gather(registry, revision))


def from_facts(facts: Facts) -> Report:
    """The report on facts that were gathered before."""
    artifacts = {
        id_: artifact(known, facts.commits) for id_, known in facts.commits.items()
    }
    statements = tuple(statement(event) for event in facts.statements)
    spoken: dict[str, list[Statement]] = {}
    for said in statements:
        spoken.setdefault(said.subject or "", []).append(said)
    turns = {
        id_: generation(facts.commits[id_], artifacts, spoken, facts)
        for id_ in (*facts.chain, *facts.rejected)
    }
    chain = tuple(turns[id_] for id_ in facts.chain)
    rejected = tuple(turns[id_] for id_ in facts.rejected)
    first: dict[str, Generation] = {}
    for turn in (*chain, *rejected):
        for part in turn.parts:
            first.setdefault(part.id, turn)
    trained = tuple(
        found for a in artifacts.values() if (found := training(a, artifacts))
    )
    wrote = tuple(
        found for a in artifacts.values() if (found := written(a, first.get(a.id)))
    )
    newest = facts.newest
    return Report(
        as_of=AsOf(newest.id, newest.time, newest.type),
        subject=facts.subject,
        loop=_loop(facts),
        generations=chain,
        rejected=rejected,
        measures=measures(chain),
        training=trained,
        written=wrote,
        artifacts=tuple(artifacts.values()),
        statements=statements,
        gaps=gaps.find(facts, artifacts, chain, rejected, trained, wrote),
    )


def _loop(facts: Facts) -> Loop | None:
    if not facts.chain:
        return None
    return Loop(
        name=facts.commits[facts.chain[-1]].commit.name,
        branches=facts.branches,
        later=facts.later,
        also_in=facts.also_in,
    )
