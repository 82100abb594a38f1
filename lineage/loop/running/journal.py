"""What a registry knows of a loop: its generations, and how far the next one is.

There is no other journal. A step is finished when an event says so; its key is a
hash of everything that its result depends on, so a step is recalled exactly when
running it would give the same again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lineage.errors import UsageError
from lineage.events import backwards
from lineage.loop.branches import branch_of, set_aside_from
from lineage.loop.reviews.ballots import Ballot, ballots
from lineage.loop.steps.protocol import Result
from lineage.store.objects import Metric

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lineage.registry import Registry
    from lineage.store.event_reading import Logged
    from lineage.store.objects import Commit, Event


@dataclass(frozen=True, slots=True)
class Parts:
    """The commits of one generation, by what they are in it."""

    id: str = ""
    config: str = ""
    model: str = ""
    human: str = ""
    held_out: str = ""
    generated: str = ""
    synthetic: str = ""
    mixed: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """A step that an earlier run finished."""

    subject: str
    result: Result
    circumstances: Mapping[str, Any]

    @property
    def inputs(self) -> Mapping[str, str]:
        """The commits that it read, by role."""
        return dict(self.circumstances.get("inputs", {}))


@dataclass(slots=True)
class Journal:
    """The state of a loop.

    `attempt` numbers the next try at the next generation. `rejected` is the try before
    it, if there was one, `why` it did not pass, and `action` what was to follow:
    `stop`, `retry`, `fallback`, or `rollback` where the branch has not gone back yet.
    When a person approved that try after all, the loop goes on with it: `overridden`,
    and the verdicts that it has are `let_pass`. `ballots` are the newest reviews that
    were asked for, by their subject.
    """

    generations: list[str]
    attempt: int = 0
    done: dict[str, Done] = field(default_factory=dict)
    ballots: dict[str, Ballot] = field(default_factory=dict)
    rejected: str = ""
    why: str = ""
    action: str = ""
    overridden: bool = False
    let_pass: Sequence[Mapping[str, Any]] = ()

    @property
    def verdicts(self) -> dict[str, Event]:
        """What people have decided, by its subject."""
        found = ((id_, ballot.decided) for id_, ballot in self.ballots.items())
        return {id_: event for id_, event in found if event}

    @property
    def edits(self) -> dict[str, str]:
        """Datasets that a person made in a review, by those that they stand in for."""
        found = (event.data for event in self.verdicts.values())
        return {
            data["instead_of"]: data["edited"] for data in found if "edited" in data
        }

    @property
    def falls_back(self) -> bool:
        """Whether the next generation is one with its parent's model."""
        return self.action == "fallback"


def read(registry: Registry, loop: str) -> Journal:
    """Read the log back to where the newest generation of `loop` came about.

    Past the loop's last move only for verdicts, which may be older.
    """
    journal = Journal(_history(registry, loop))
    logged = list(_recent(registry, journal.generations[-1:]))
    journal.ballots = ballots(registry, logged)
    recent = [event for _, event in logged]
    _note_tries(registry, journal, loop, recent)
    for event in recent:
        if _moves(registry, journal, loop, event):
            break
        if "key" in event.data and event.subject and event.data.get("loop") == loop:
            done = Done(event.subject, result_of(event.data["result"]), event.data)
            journal.done.setdefault(event.data["key"], done)
    return journal


def _recent(registry: Registry, tip: list[str]) -> Iterator[Logged]:
    """The events since that which brought `tip`, newest first, and that one."""
    for logged in backwards(registry):
        yield logged
        if tip and tip[0] in dict(logged.event.commits):
            return


def _note_tries(
    registry: Registry, journal: Journal, loop: str, recent: Iterable[Event]
) -> None:
    """The newest try at the next generation that was set aside, and what follows."""
    newest = next(_tries(registry, journal, loop, recent), None)
    if newest is None:
        return
    journal.rejected, event = newest
    journal.why = event.message
    commit = registry.load(journal.rejected)
    tried = int(commit.params["attempt"])
    usable = not left_nothing(registry, journal.rejected)
    verdict = journal.verdicts.get(journal.rejected)
    if usable and approved(verdict):
        journal.attempt, journal.overridden = tried, True
        journal.let_pass = commit.gates or ()
        return
    journal.action = str(event.data.get("action", "stop"))
    same = journal.falls_back or bool(verdict and "edited" in verdict.data)
    journal.attempt = tried if same else tried + 1


def _tries(
    registry: Registry, journal: Journal, loop: str, recent: Iterable[Event]
) -> Iterator[tuple[str, Event]]:
    """Tries at the next generation that are still where they were put, newest first.

    With the events that put them there.
    """
    before = tuple(journal.generations[-1:])
    for event in recent:
        gone = next(iter(event.data.get("rolled_back", ())), None)
        for change in event.refs:
            aside = _is_aside(change.ref, loop)
            back = gone and change.ref == f"heads/{branch_of(loop)}"
            if not change.after or not (aside or back):
                continue
            first = gone or change.after
            commit = registry.load(first)
            if is_failure(commit) or commit.ids("follows") != before:
                continue
            if _stands(registry, change.ref, change.after):
                yield first, event


def _is_aside(ref: str, loop: str) -> bool:
    """Whether a ref is a branch of tries that a loop has set aside."""
    name = ref.removeprefix("heads/")
    return ref != name and set_aside_from(name) == branch_of(loop)


def is_failure(commit: Commit) -> bool:
    """Whether a step failed there: that ends no try."""
    return "failed" in commit.params


def _stands(registry: Registry, ref: str, id_: str) -> bool:
    """Whether a try is the tip of its branch; failures after it do not count."""
    tip = registry.target(ref)
    return tip is not None and (tip.id == id_ or is_failure(registry.load(tip.id)))


def _moves(registry: Registry, journal: Journal, loop: str, event: Event) -> bool:
    """Whether the loop came to an end of a try with this event.

    A try that a person let pass goes on where it was stopped.
    """
    for change in event.refs:
        ours = change.ref == f"heads/{branch_of(loop)}" or _is_aside(change.ref, loop)
        if not ours or not change.after:
            continue
        commit = registry.load(change.after)
        same = journal.overridden and _same_try(registry, journal.rejected, commit)
        if not is_failure(commit) and not same:
            return True
    return False


def _same_try(registry: Registry, id_: str, commit: Commit) -> bool:
    """Whether two commits are of one try: it can be stopped more than once."""
    tried = registry.load(id_)
    return (tried.params, tried.ids("follows")) == (
        commit.params,
        commit.ids("follows"),
    )


def left_nothing(registry: Registry, generation: str) -> bool:
    """Whether a rejected generation has no record that a model could train on."""
    parts = (registry.load(id_) for id_ in registry.load(generation).ids("includes"))
    return any(part.params.get("part") == "generated" for part in parts)


def approved(verdict: Event | None) -> bool:
    """Whether a review lets the loop go on."""
    return verdict is not None and verdict.data.get("verdict") == "approve"


def _history(registry: Registry, loop: str) -> list[str]:
    """The ids of the branch's generations, oldest first."""
    tip = registry.target(f"heads/{branch_of(loop)}")
    ids = [tip.id] if tip else []
    while ids and (before := registry.load(ids[-1]).ids("follows")):
        ids.append(before[0])
    ids.reverse()
    for number, id_ in enumerate(ids):
        if registry.load(id_).params.get("generation") != number:
            message = f"{branch_of(loop)} has generations that no loop run made"
            raise UsageError(message, hint="give the loop another name")
    return ids


def parts(registry: Registry, generation: str) -> Parts:
    """The parts of a committed generation."""
    commit = registry.load(generation)
    found: dict[str, str] = {}
    for id_ in commit.ids("includes", "evaluated_on"):
        part = registry.load(id_)
        role = part.params["part"] if part.kind == "dataset" else part.kind
        found[str(role).replace("-", "_")] = id_
    if "synthetic" in found:
        found["generated"] = _written(registry, found["synthetic"])
    return Parts(id=generation, **found)


def _written(registry: Registry, dataset: str) -> str:
    """What a model wrote, which a gate or a person made `dataset` of."""
    commit = registry.load(dataset)
    if commit.params.get("part") not in ("synthetic", "edited"):
        return dataset
    return _written(registry, commit.ids("derived_from")[0])


def record_of(result: Result) -> dict[str, Any]:
    """A result as an event holds it; circumstances are beside it there."""
    return {
        "metrics": {name: metric.to_json() for name, metric in result.metrics.items()},
        "gates": [dict(gate) for gate in result.gates],
        "shares": {role: dict(share) for role, share in result.shares.items()},
        **({} if result.uses is None else {"uses": list(result.uses)}),
        **({} if result.origin is None else {"origin": dict(result.origin)}),
    }


def result_of(data: Mapping[str, Any]) -> Result:
    """The result that `record_of` wrote down."""
    metrics: Iterable[tuple[str, Any]] = data.get("metrics", {}).items()
    return Result(
        {name: Metric.from_json(metric) for name, metric in metrics},
        data.get("gates", []),
        shares=data.get("shares", {}),
        uses=data.get("uses"),
        origin=data.get("origin"),
    )
