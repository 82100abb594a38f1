"""The facts that a template may ask for: a closed list, one function each.

docs/obligations.md lists them; their docstrings are what they mean.
"""

from collections.abc import Callable, Mapping

from lineage.audit.obligations import (
    facts_checks,
    facts_data,
    facts_making,
    facts_people,
    facts_subject,
)
from lineage.audit.obligations.scope import Found, Scope

Fact = Callable[[Scope], Found]

FACTS: Mapping[str, Fact] = {
    fact.__name__: fact
    for fact in (
        facts_subject.subject,
        facts_subject.versions,
        facts_subject.generations,
        facts_subject.releases,
        facts_subject.changes,
        facts_data.training_data,
        facts_data.data_origins,
        facts_data.licences,
        facts_data.record_counts,
        facts_data.made_of,
        facts_data.synthetic_data,
        facts_data.generators,
        facts_data.preparation,
        facts_data.rejected_records,
        facts_data.duplicates,
        facts_data.held_out_data,
        facts_data.first_use,
        facts_making.training_steps,
        facts_making.pretrained_models,
        facts_making.architecture,
        facts_making.settings,
        facts_making.code,
        facts_making.software,
        facts_making.compute,
        facts_checks.metrics,
        facts_checks.metric_meanings,
        facts_checks.course,
        facts_checks.diversity,
        facts_checks.bias,
        facts_checks.gates,
        facts_checks.rejected_generations,
        facts_checks.failures,
        facts_people.reviews,
        facts_people.review_coverage,
        facts_people.overrides,
        facts_people.budgets,
        facts_people.fallbacks,
        facts_people.taints,
        facts_people.erasures,
        facts_people.hashes,
        facts_people.signatures,
        facts_people.log,
        facts_people.gaps,
    )
}


def meaning(fact: str) -> str:
    """What a fact of the vocabulary means, in one sentence."""
    return (FACTS[fact].__doc__ or "").strip()
