"""Loops as the event log tells of them: chains of generations, and rejected ones."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from lineage.audit.known import Library
from lineage.audit.model import Step
from lineage.audit.steps import Turn, noted
from lineage.loop.branches import REJECTED, branch_of, rejected_branch, set_aside_from
from lineage.loop.reviews.standing import TOLD
from lineage.registry import Registry
from lineage.store.event_reading import Logged
from lineage.store.objects import Event, is_id
from lineage.walks import reached


@dataclass(slots=True)
class Log:
    """One pass over the event log, newest first, and what it leaves behind."""

    newest: Event | None = None
    stood: dict[str, list[str]] = field(default_factory=dict)  # branch -> ids
    second: dict[str, set[str]] = field(default_factory=dict)  # names, by id
    last: dict[str, tuple[str, Logged]] = field(default_factory=dict)  # of an id
    times: dict[str, str] = field(default_factory=dict)  # by git oid
    statements: list[Logged] = field(default_factory=list)
    told: list[Logged] = field(default_factory=list)  # what reviews are made of
    reused: Counter[str] = field(default_factory=Counter)  # steps, by loop
    erasures: list[Logged] = field(default_factory=list)
    steps: dict[Turn, list[Step]] = field(default_factory=dict)

    @classmethod
    def read(cls, registry: Registry) -> "Log":
        log = cls()
        for logged in registry.events_log.iterate():
            event = logged.event
            log.newest = log.newest or event
            log.times[logged.git] = event.time
            if event.type in TOLD:
                log.told.append(logged)
            if "reused" in event.data:
                log.reused[str(event.data.get("loop"))] += 1
            if not event.refs and event.type not in ("init", "commit"):
                log.statements.append(logged)
            if event.type == "erase":
                log.erasures.append(logged)
            if taken := noted(event):
                log.steps.setdefault(taken[0], []).append(taken[1])
            if event.type == "branch":
                log.named(event)
            else:
                log.note(logged, _rolled_back(registry, event))
        return log

    def named(self, event: Event) -> None:
        """Remember what this event gave a second name."""
        for change in event.refs:
            if change.after and change.ref.startswith("heads/"):
                name = change.ref.removeprefix("heads/")
                self.second.setdefault(change.after, set()).add(name)

    def note(self, logged: Logged, gone: Iterable[str]) -> None:
        """Remember what this event put on branches."""
        event = logged.event
        for change in event.refs:
            if change.after and change.ref.startswith("heads/"):
                branch = change.ref.removeprefix("heads/")
                self.stood.setdefault(branch, []).append(change.after)
                self.last.setdefault(change.after, (branch, logged))
        for id_ in gone:
            aside = rejected_branch(str(event.data.get("loop")))
            self.stood.setdefault(aside, []).append(id_)
            self.last.setdefault(id_, (aside, logged))


def _rolled_back(registry: Registry, event: Event) -> list[str]:
    """The commits that an event says it put aside, if it names any of ours."""
    said = event.data.get("rolled_back")
    ids = (
        [id_ for id_ in said if isinstance(id_, str) and is_id(id_)]
        if isinstance(said, list)
        else []
    )
    return [id_ for id_ in ids if id_ in registry.ids]


class Loops:
    """The generations that ever stood on a branch, by what the log says of them."""

    def __init__(self, library: Library, log: Log) -> None:
        self._commit = library.commit
        self._number = library.number
        self._last = log.last
        self._second = log.second
        library.read(ids[0] for ids in log.stood.values())
        self._stood = {
            branch: ids
            for branch, ids in log.stood.items()
            if library.commit(ids[0]).kind == "generation"
        }
        library.read(id_ for ids in self._stood.values() for id_ in ids)

    def refused(self, id_: str) -> bool:
        """Whether a generation was last put on a branch of those set aside."""
        return id_ in self._last and self._beside(id_, self._last[id_][0]) != ""

    def _beside(self, id_: str, branch: str) -> str:
        """The branch beside which a generation stood on another; "" for none.

        What somebody made who went on from there has another name and is no try.
        """
        beside = set_aside_from(branch)
        own = branch_of(self._commit(id_).name)
        return beside if branch.endswith(REJECTED) or beside == own else ""

    def ends(self, subjects: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """The last generations of the loops that `subjects` are part of, oldest first.

        With each come the other generations that include a subject and do not lead to
        it. What was rejected stands at the end of a loop only where nothing else of
        the loop is asked for.
        """
        asked: dict[str, set[str]] = {}
        for subject in subjects:
            including = self._including(subject)
            if including:
                asked.setdefault(including[0], set()).update(including[1:])
        found: dict[str, tuple[str, ...]] = {}
        covered: set[str] = set()
        for end in sorted(asked, key=self._newest_first):
            if end in covered:
                continue
            chain = self.chain(end)
            covered.update(chain, self.rejected(chain, self.branches(end)))
            others = {i for one in chain for i in asked.get(one, ())}.difference(chain)
            found[end] = tuple(sorted(others, key=self._number))
        return dict(sorted(found.items(), key=lambda item: self._number(item[0])))

    def _including(self, subject: str) -> list[str]:
        """The generations that include `subject`, or that it is; oldest first."""
        if self._commit(subject).kind == "generation":
            return [subject]
        return self._with.get(subject, [])

    @cached_property
    def _with(self) -> dict[str, list[str]]:
        """By the id of a part: the generations that include it, oldest first."""
        found: dict[str, list[str]] = {}
        ids = {id_ for stood in self._stood.values() for id_ in stood}
        for id_ in sorted(ids, key=self._number):
            for part in self._commit(id_).ids("includes"):
                found.setdefault(part, []).append(id_)
        return found

    def _newest_first(self, id_: str) -> tuple[bool, int]:
        """Those that were followed before those that were not."""
        return self.refused(id_), -self._number(id_)

    def chain(self, end: str) -> tuple[str, ...]:
        """`end` and the generations before it along ``follows``, oldest first."""
        found = reached([end], lambda id_: self._commit(id_).ids("follows"))
        return tuple(sorted(found, key=self._number))

    def branches(self, end: str) -> tuple[str, ...]:
        """The branches that `end` was put on, without those of tries set aside.

        And those that began with it and have tries set aside, maybe nothing else.
        """
        found = (branch for branch, ids in self._stood.items() if end in ids)
        begun = (
            name for name in self._second.get(end, ()) if name + REJECTED in self._stood
        )
        return tuple(
            sorted({self._beside(end, name) or name for name in found} | {*begun})
        )

    def rejected(
        self, chain: tuple[str, ...], branches: Iterable[str]
    ) -> tuple[str, ...]:
        """The rejected generations that come after one of `chain`, or after none."""
        aside = (b for b in self._stood if set_aside_from(b) in set(branches))
        ids = {id_ for branch in aside for id_ in self._stood[branch]}
        ids = {id_ for id_ in ids if self.refused(id_)} - set(chain)
        found = (id_ for id_ in ids if self._anchored(id_, ids, chain))
        return tuple(sorted(found, key=self._number))

    def _anchored(self, id_: str, rejected: set[str], chain: tuple[str, ...]) -> bool:
        before = self._commit(id_).ids("follows")
        while before and before[0] in rejected:
            before = self._commit(before[0]).ids("follows")
        return not before or before[0] in chain

    def later(self, chain: tuple[str, ...]) -> int:
        """How many generations follow the last of `chain` and were not rejected."""
        followers: dict[str, set[str]] = {}
        stood = {id_ for ids in self._stood.values() for id_ in ids}
        for id_ in (id_ for id_ in stood if not self.refused(id_)):
            for before in self._commit(id_).ids("follows"):
                followers.setdefault(before, set()).add(id_)
        last = chain[-1:]
        return len(reached(last, lambda id_: followers.get(id_, ()))) - len(last)
