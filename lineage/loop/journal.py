"""What a registry knows of a loop: its generations, and how far the next one is.

There is no other journal. A step is finished when an event says so; its key is a
hash of everything that its result depends on, so a step is recalled exactly when
running it would give the same again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lineage.errors import UsageError
from lineage.loop.steps.protocol import Result
from lineage.store.objects import Metric

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lineage.registry import Registry
    from lineage.store.objects import Event

REQUEST, VERDICT = "review_requested", "review"


def branch(loop: str) -> str:
    """The branch of a loop's generations."""
    return f"loop/{loop}"


def rejected_branch(loop: str) -> str:
    """The branch of generations that failed a gate or a review."""
    return f"loop/{loop}@rejected"


def runs(loop: str, generation: int) -> str:
    """The prefix of the run refs that hold the parts of an unfinished generation."""
    return f"{quote(loop, safe='')}/{generation}/"


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

    `attempt` counts the tries at the next generation that were rejected; when the
    last of them was approved after all, the loop goes on with it: `overridden`,
    and the verdicts that it has are `let_pass`. `verdicts` are the newest reviews,
    by their subject.
    """

    generations: list[str]
    attempt: int = 0
    done: dict[str, Done] = field(default_factory=dict)
    verdicts: dict[str, Event] = field(default_factory=dict)
    requested: set[str] = field(default_factory=set)
    overridden: bool = False
    let_pass: Sequence[Mapping[str, Any]] = ()


def read(registry: Registry, loop: str) -> Journal:
    """Read the log back to where the newest generation of `loop` ended.

    Past that only for verdicts on it, which may be older than its last move.
    """
    journal = Journal(_history(registry, loop))
    rejected = _rejected(registry, loop, journal.generations)
    usable = rejected is not None and not left_nothing(registry, rejected)
    this_try = _try(registry, rejected) if rejected and usable else ()
    marks = {f"heads/{branch(loop)}", f"heads/{rejected_branch(loop)}"}
    tip, current = journal.generations[-1:], True
    for _, event in registry.events():
        ended = [change.after for change in event.refs if change.ref in marks]
        overridden = this_try and approved(journal.verdicts.get(rejected or ""))
        tries = (_try(registry, id_) for id_ in ended if id_)
        if ended and not (overridden and this_try in tries):
            current = False
        if event.type == VERDICT and event.subject:
            journal.verdicts.setdefault(event.subject, event)
        elif current:
            _note(journal, loop, event)
        elif not tip or tip[0] in dict(event.commits):
            break
    if rejected:
        commit = registry.load(rejected)
        journal.overridden = usable and approved(journal.verdicts.get(rejected))
        tried = int(commit.params["attempt"])
        journal.attempt = tried if journal.overridden else tried + 1
        journal.let_pass = (commit.gates or ()) if journal.overridden else ()
    return journal


def left_nothing(registry: Registry, generation: str) -> bool:
    """Whether a rejected generation has no record that a model could train on."""
    parts = (registry.load(id_) for id_ in registry.load(generation).ids("includes"))
    return any(part.params.get("part") == "generated" for part in parts)


def _try(registry: Registry, generation: str) -> tuple[Any, ...]:
    """Which try at which generation a commit is: it can be stopped more than once."""
    commit = registry.load(generation)
    return commit.params, commit.ids("follows")


def _note(journal: Journal, loop: str, event: Event) -> None:
    subject, data = event.subject, event.data
    if subject and event.type == REQUEST and data.get("loop") == loop:
        journal.requested.add(subject)
    if subject and data.get("loop") == loop and "key" in data:
        done = Done(subject, _result(data.get("result", {})), data)
        journal.done.setdefault(data["key"], done)


def approved(verdict: Event | None) -> bool:
    """Whether a review lets the loop go on."""
    return verdict is not None and verdict.data.get("verdict") == "approve"


def _history(registry: Registry, loop: str) -> list[str]:
    """The ids of the branch's generations, oldest first."""
    tip = registry.target(f"heads/{branch(loop)}")
    ids = [tip.id] if tip else []
    while ids and (before := registry.load(ids[-1]).ids("follows")):
        ids.append(before[0])
    ids.reverse()
    for number, id_ in enumerate(ids):
        if registry.load(id_).params.get("generation") != number:
            message = f"{branch(loop)} has generations that no loop run made"
            raise UsageError(message, hint="give the loop another name")
    return ids


def _rejected(registry: Registry, loop: str, generations: list[str]) -> str | None:
    """The newest rejected try at the next generation."""
    tip = registry.target(f"heads/{rejected_branch(loop)}")
    if tip is None:
        return None
    before = registry.load(tip.id).ids("follows")
    return tip.id if list(before) == generations[-1:] else None


def parts(registry: Registry, generation: str) -> Parts:
    """The parts of a committed generation."""
    commit = registry.load(generation)
    found: dict[str, str] = {}
    for id_ in commit.ids("includes", "evaluated_on"):
        part = registry.load(id_)
        role = part.params["part"] if part.kind == "dataset" else part.kind
        found[str(role).replace("-", "_")] = id_
    if "synthetic" in found:
        origins = registry.load(found["synthetic"]).ids("derived_from")
        found["generated"] = origins[0]
    return Parts(id=generation, **found)


def record_of(result: Result) -> dict[str, Any]:
    """A result as an event holds it; circumstances are beside it there."""
    return {
        "metrics": {name: metric.to_json() for name, metric in result.metrics.items()},
        "gates": [dict(gate) for gate in result.gates],
        "shares": {role: dict(share) for role, share in result.shares.items()},
        **({} if result.uses is None else {"uses": list(result.uses)}),
        **({} if result.origin is None else {"origin": dict(result.origin)}),
    }


def _result(data: Mapping[str, Any]) -> Result:
    metrics: Iterable[tuple[str, Any]] = data.get("metrics", {}).items()
    return Result(
        {name: Metric.from_json(metric) for name, metric in metrics},
        data.get("gates", []),
        shares=data.get("shares", {}),
        uses=data.get("uses"),
        origin=data.get("origin"),
    )
