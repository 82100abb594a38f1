"""Labels: single records that a person says are right or wrong.

An event `label` about what was labelled holds them by record id and by the SHA-256
of the record's line, with the stratum that the record is in and why it was looked
at: only records that were drawn at random say something of the others.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from lineage.errors import Ambiguous, NotFound, UsageError
from lineage.loop.branches import LOOP, branch_of
from lineage.loop.reviews.ballots import People
from lineage.loop.reviews.drawing import RANDOM
from lineage.loop.reviews.records import DROPPED, KEPT
from lineage.loop.reviews.verifier import Audit, Stratum, audit, together

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lineage.loop.reviews.records import Line, Records
    from lineage.registry import Registry
    from lineage.store.event_reading import Logged

LABEL = "label"
CHOSEN = "chosen"  # by the person, and not by chance


class Label(NamedTuple):
    """What a person says of one record."""

    id: str
    right: bool
    note: str = ""


class Labelled(NamedTuple):
    """A label as an event has it."""

    id: str
    sha256: str
    stratum: str
    why: str
    right: bool
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        return {key: value for key, value in self._asdict().items() if value != ""}

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Labelled:
        """What `to_json` gave.

        Raises:
            TypeError, ValueError: it did not.
        """
        said = dict(data)  # or what another program wrote in its place
        right: object = said.get("right")
        texts = [text for key, text in said.items() if key != "right"]
        if type(right) is not bool or not all(type(text) is str for text in texts):
            raise TypeError
        return cls(**said)


def found(
    records: Records, shown: Mapping[str, str], labels: Sequence[Label]
) -> list[Labelled]:
    """Labels with the records that they are about.

    `shown` says why a record was looked at, by the SHA-256 of its line.

    Raises:
        UsageError: a record is not there, or has both labels.
    """
    last: dict[str, Label] = {}  # what is said twice counts once
    for label in labels:
        if last.setdefault(label.id, label).right != label.right:
            raise UsageError(f"the record {label.id} is labelled right and wrong")
        last[label.id] = label
    return [_labelled(records.named(id_), shown, label) for id_, label in last.items()]


def _labelled(line: Line, shown: Mapping[str, str], label: Label) -> Labelled:
    why = shown.get(line.sha256, CHOSEN)
    return Labelled(line.id, line.sha256, line.stratum, why, label.right, label.note)


class Said(NamedTuple):
    """What an event `label` says; `datasets` and counts of `records` by stratum."""

    generation: int
    datasets: Mapping[str, str]
    records: Mapping[str, int]
    labels: Sequence[Labelled]

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Said:
        """The event's data.

        Raises:
            KeyError, TypeError, ValueError: they are not as `saying.label` writes them.
        """
        strata = (KEPT, DROPPED)
        labels = tuple(map(Labelled.parse, data["labels"]))
        return cls(
            int(data["generation"]),
            {name: str(data["datasets"][name] or "") for name in strata},
            {name: _count(data["records"][name]) for name in strata},
            labels,
        )


def _count(said: Any) -> int:
    if type(said) is not int or said < 0:
        raise ValueError
    return said


@dataclass(slots=True)
class _Turn:
    """The labels of one generation's records, by record and person."""

    generation: int
    records: Mapping[str, int] = field(default_factory=dict)
    said: dict[tuple[str, str], Labelled] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Audited:
    """The audit of one generation's filter, or of all together (None).

    `labelled` records have a label; on `disputed` ones people disagree, and `chosen`
    ones were not drawn at random: neither counts.
    """

    generation: int | None
    audit: Audit
    labelled: int
    disputed: int
    chosen: int


def audits(registry: Registry, loop: str, log: Iterable[Logged]) -> list[Audited]:
    """The audits of a loop's labelled generations, oldest first."""
    turns = _turns(registry, loop, log)
    return [_audited(turn) for turn in sorted(turns, key=lambda turn: turn.generation)]


def overall(found: Sequence[Audited]) -> Audited:
    """The audits of several generations as one: the filter's keep-rates on average."""
    usable = [one for one in found if one.audit.state != "unknown"] or found
    strata = (
        together([one.audit.kept for one in usable]),
        together([one.audit.dropped for one in usable]),
    )
    sums = (
        sum(getattr(one, name) for one in found)
        for name in ("labelled", "disputed", "chosen")
    )
    return Audited(None, audit(*strata), *sums)


def audited_loop(registry: Registry, name: str | None, log: Iterable[Logged]) -> str:
    """The loop that `name` means; for None the only one that has labels.

    Raises:
        NotFound: there is no such loop, or none has labels.
        Ambiguous: several have.
    """
    labelled = (one.event.data.get("loop") for one in log if one.event.type == LABEL)
    names = list(dict.fromkeys(str(loop) for loop in labelled))
    if name is None and len(names) > 1:
        raise Ambiguous(f"{len(names)} loops have labels", names)
    if name is None and names:
        return names[0]
    wanted = (name or "").removeprefix(LOOP)
    there = wanted in names or registry.target(f"heads/{branch_of(wanted)}")
    if not wanted or not there:
        what = f"there is no loop called {wanted!r}" if name else "nothing is labelled"
        raise NotFound(what, hint="`lineage loop status` lists the loops")
    return wanted


def _turns(registry: Registry, loop: str, log: Iterable[Logged]) -> Iterable[_Turn]:
    """What people said last, from events newest first."""
    people, turns = People(registry), dict[str, _Turn]()
    for logged, said in labelling(loop, log):
        person, void = people.who(logged)
        if void:
            continue
        key = said.datasets[KEPT] or said.datasets[DROPPED]
        turn = turns.setdefault(key, _Turn(said.generation, said.records))
        for label in said.labels:
            turn.said.setdefault((label.sha256, person), label)
    return turns.values()


def labelling(loop: str, log: Iterable[Logged]) -> Iterator[tuple[Logged, Said]]:
    """The events that label records of a loop, and what they say."""
    for logged in log:
        event = logged.event
        if event.type == LABEL and event.data.get("loop") == loop:
            with suppress(KeyError, TypeError, ValueError):  # who knows who wrote it
                yield logged, Said.parse(event.data)


def _verdicts(labels: Iterable[Labelled]) -> set[bool]:
    return {label.right for label in labels}


def _stratum(turn: _Turn, counted: Sequence[Labelled], name: str) -> Stratum:
    """One stratum with its labels; who wrote them may not have counted right."""
    rights = [label.right for label in counted if label.stratum == name]
    records = max(int(turn.records[name]), len(rights))
    return Stratum(records, len(rights), sum(rights))


def _audited(turn: _Turn) -> Audited:
    by_record: dict[str, list[Labelled]] = {}
    for (digest, _), label in turn.said.items():
        by_record.setdefault(digest, []).append(label)
    agreed = [a for a, *more in by_record.values() if {a.right} >= _verdicts(more)]
    counted = [label for label in agreed if label.why == RANDOM]
    strata = (_stratum(turn, counted, name) for name in (KEPT, DROPPED))
    return Audited(
        turn.generation,
        audit(*strata),
        len(by_record),
        len(by_record) - len(agreed),
        len(agreed) - len(counted),
    )
