"""How a loop was looked after: what people saw of it, and what it was let do."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from lineage.audit.known import Library
from lineage.audit.loops import Log
from lineage.audit.model import Override, Oversight
from lineage.keys.signatures import Signatures
from lineage.loop.reviews.ballots import VERDICT, People
from lineage.loop.reviews.coverage import coverage
from lineage.loop.reviews.standing import Reviews
from lineage.loop.running.budgets import Spent, limits_of
from lineage.registry import Registry


class Overseen:
    """The reviews of a registry, and what they say of its loops."""

    def __init__(
        self, registry: Registry, log: Log, library: Library, signatures: Signatures
    ) -> None:
        self._registry = registry
        self._log = log
        self._load = library.commit
        self._signatures = signatures

    @cached_property
    def _reviews(self) -> Reviews:
        # made once the library has the loop, for this looks at what was reviewed
        told = self._log.told
        self._signatures.many(said for said in told if said.event.type == VERDICT)
        people = People(self._registry, self._signatures)
        return Reviews.of(self._registry, told, self._load, people)

    def of(self, chain: tuple[str, ...]) -> Oversight:
        """Of the generations `chain`, oldest first; of the whole log otherwise."""
        reviews, loop = self._reviews, self._load(chain[-1]).name
        seen = coverage(self._load, loop, chain, reviews.log, reviews.ballots)
        fallbacks = (i for i in chain if self._load(i).params.get("fallback"))
        return Oversight(
            generations=seen.generations,
            reviewed=seen.reviewed,
            generated=seen.generated,
            shown=seen.shown,
            labelled=seen.labelled,
            seconds=tuple(seen.seconds),
            budgets=_budgets(self._registry, loop, chain[-1]),
            overrides=tuple(self._overrides(chain)),
            fallbacks=tuple(fallbacks),
            reused=self._log.reused[loop],
        )

    def _overrides(self, chain: tuple[str, ...]) -> Iterator[Override]:
        """The approvals that counted and went past a gate or a budget, oldest first.

        Of another loop, that this one went on from, those of the generations in it.
        """
        turns = {(self._load(id_).name, self._number(id_)) for id_ in chain}
        logged = {said.event.id: said for said in self._reviews.log}
        for ballot in reversed(self._reviews.ballots.values()):
            for event in ballot.people.values():
                data, loop = event.data, event.data.get("loop")
                mine = loop == self._load(chain[-1]).name
                mine = mine or (loop, self._number(ballot.subject)) in turns
                if mine and data.get("override"):
                    yield Override(
                        event=event.id,
                        subject=ballot.subject,
                        by=str(data.get("by") or event.actor["name"]),
                        time=event.time,
                        signature=self._signatures.of(logged[event.id]),
                        reason=str(data.get("note", event.message)),
                        failed=tuple(map(str, data.get("failed", ()))),
                        budgets=data.get("budgets", {}),
                    )

    def _number(self, id_: str) -> object:
        return self._load(id_).params.get("generation")


def _budgets(registry: Registry, loop: str, generation: str) -> Mapping[str, Any]:
    """What is spent of the budgets in a generation's config."""
    limits = limits_of(registry, generation)
    return Spent.read(registry, loop).of(limits) if limits else {}
