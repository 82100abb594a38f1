"""Policy: what must hold of the commits that matter, and which of them break it.

A policy is a file, `.lineage/policy.yaml`, that lives beside the code and is reviewed
as code is (`lineage.policy.spec`). Each of its rules (`lineage.policy.rules`) looks at
the commits that are checked and says which break it and why. Nothing is written.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lineage.errors import NotFound, UsageError
from lineage.policy import rules
from lineage.policy.rules import Violation

if TYPE_CHECKING:
    from lineage.policy.spec import Policy
    from lineage.registry import Registry

__all__ = ["Checked", "Violation", "check"]


@dataclass(frozen=True, slots=True)
class Checked:
    """What was checked, newest first, and what breaks the policy."""

    commits: Sequence[str]
    violations: Sequence[Violation]


def check(
    registry: "Registry", policy: "Policy", revsets: Sequence[str] = ()
) -> Checked:
    """Hold the commits of `revsets` (by default the policy's own) to a policy.

    Raises:
        UsageError: when a revset of the policy cannot be read, or names nothing.
        NotFound: when one of `revsets` names nothing.
        StoreError: when the index has to be asked and cannot be used.
    """
    chosen = (
        registry.select(*revsets)
        if revsets
        else _selected(registry, "commits", policy.commits)
    )
    found: list[Violation] = []
    for name, rule in _RULES.items():
        wanted = getattr(policy, name)
        if wanted is None:
            wanted = rules.are_signed(registry)
        if wanted is not False:
            revset = None if wanted is True else wanted
            found += rule(registry, _narrowed(registry, name, revset, chosen))
    if policy.budgets is not False:
        limits = None if policy.budgets is True else policy.budgets.limits
        found += rules.over_budget(registry, chosen, limits)
    return Checked(chosen, found)


_Rule = Callable[["Registry", Sequence[str]], Iterator[Violation]]
_RULES: dict[str, _Rule] = {
    "signed": rules.unsigned,
    "untainted": rules.tainted,
    "reviewed": rules.unreviewed,
}


def _narrowed(
    registry: "Registry", rule: str, revset: str | None, chosen: Sequence[str]
) -> Sequence[str]:
    """The commits that a rule is for: all that are checked, or those in its revset.

    Of a rule that looks at what the checked commits came from these count, too.
    """
    looked_at = chosen
    if rule in rules.DEEP:
        looked_at = rules.with_ancestors(registry, chosen)
    if revset is None:
        return looked_at
    members = set(_selected(registry, rule, revset))
    return [id_ for id_ in looked_at if id_ in members]


def _selected(registry: "Registry", rule: str, revset: str) -> list[str]:
    try:
        return registry.select(revset)
    except (UsageError, NotFound) as error:
        wrong = UsageError(f"{rule} of the policy: {error}", hint=error.hint)
        wrong.place = error.place
        raise wrong from None
