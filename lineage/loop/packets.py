"""What a reviewer looks at: records, measures beside earlier ones, gate verdicts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from lineage.errors import UsageError, VerificationError
from lineage.loop.journal import branch
from lineage.loop.seeds import choose
from lineage.loop.steps import STEPS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lineage.registry import Registry
    from lineage.store.files import FileEntry
    from lineage.store.objects import Commit, Metric


@dataclass(frozen=True, slots=True)
class Compared:
    """A measure now, in the generation before, and in the first that has it.

    Generation 0 writes no data; what its model wrote is measured in generation 1.
    """

    name: str
    now: Metric
    before: Metric | None
    first: Metric | None


@dataclass(frozen=True, slots=True)
class Packet:
    """`samples` are some of the `records` records that `dataset` has.

    `subject` is that dataset itself, or a generation which includes it.
    """

    subject: str
    loop: str
    generation: int
    dataset: str
    records: int
    samples: Sequence[Mapping[str, Any]]
    measures: Sequence[Compared]
    gates: Sequence[Mapping[str, Any]]


def packet(registry: Registry, subject: str, *, samples: int, seed: int) -> Packet:
    """Put together what there is to see of a commit.

    Args:
        registry: where it is.
        subject: the full id of a generation, or of a dataset that a model wrote.
        samples: how many records to draw, without replacement.
        seed: draws them, so that two reviewers can look at the same ones.

    Raises:
        UsageError: for something that no loop made.
        VerificationError: a record's file is not what was recorded.
    """
    commit = registry.load(subject)
    loop, generation = _place(registry, subject, commit)
    dataset = _written(registry, subject, commit)
    records, drawn = _draw(registry, dataset, samples, seed)
    earlier = _earlier(registry, loop, commit, generation)
    return Packet(
        subject=subject,
        loop=loop,
        generation=generation,
        dataset=dataset,
        records=records,
        samples=drawn,
        measures=_compared(commit, earlier),
        gates=gates_of(registry, subject),
    )


def gates_of(registry: Registry, id_: str) -> list[dict[str, Any]]:
    """A generation's gate verdicts; a dataset's are in the events of its steps.

    What a check kept was judged by the step that generated it as well.
    """
    commit = registry.load(id_)
    if commit.kind == "generation":
        return list(commit.gates or ())
    checked = commit.params.get("part") == "synthetic"
    judged = {id_, *(commit.ids("derived_from") if checked else ())}
    said: dict[str, Any] = {}
    for _, event in registry.events():
        if event.subject in judged and "result" in event.data:
            said.setdefault(event.data["step"], event.data["result"].get("gates", ()))
        if said.keys() & {"generate", "mix"}:
            break
    return [gate for step in STEPS for gate in said.get(step, ())]


def _place(registry: Registry, id_: str, commit: Commit) -> tuple[str, int]:
    """The loop and generation that a commit was made for."""
    data = registry.events_log.event(registry.ids.get(id_).event).data
    if commit.kind not in ("generation", "dataset") or "loop" not in data:
        message = f"{id_[:12]} ({commit.kind} {commit.name}) is no generation of a loop"
        raise UsageError(message, hint="`lineage review list` shows what waits")
    return str(data["loop"]), int(data["generation"])


def _written(registry: Registry, id_: str, commit: Commit) -> str:
    """The dataset of generated records in a generation; "" in generation 0."""
    if commit.kind == "dataset":
        return id_
    parts = {registry.load(part).params.get("part"): part for part in commit.ids()}
    return parts.get("synthetic") or parts.get("generated") or ""


def _draw(
    registry: Registry, dataset: str, wanted: int, seed: int
) -> tuple[int, list[dict[str, Any]]]:
    """How many records a dataset has, and `wanted` of them; one file in memory."""
    entries = registry.files(dataset) if dataset else []
    shards = [entry for entry in entries if entry.path.endswith(".jsonl")]
    counts = [sum(1 for _ in _lines(registry, shard)) for shard in shards]
    chosen = set(choose(sum(counts), wanted, seed, "review", dataset))
    drawn, start = [], 0
    for shard, count in zip(shards, counts, strict=True):
        rows = chosen.intersection(range(start, start + count))
        if rows:
            lines = list(_lines(registry, shard))
            drawn += [json.loads(lines[row - start]) for row in sorted(rows)]
        start += count
    return start, drawn


def _lines(registry: Registry, entry: FileEntry) -> Iterator[bytes]:
    data = registry.payloads.path(entry.md5).read_bytes()
    if sha256(data).hexdigest() != entry.sha256:
        message = f"{entry.path} does not have its recorded SHA-256"
        raise VerificationError(message, hint="run `lineage verify`")
    return (line for line in data.splitlines() if line.strip())


def _earlier(
    registry: Registry, loop: str, commit: Commit, generation: int
) -> list[Commit]:
    """The generations before, newest first: along `follows`, or the loop's branch."""
    before = commit.ids("follows")
    if commit.kind == "dataset":
        tip = registry.target(f"heads/{branch(loop)}")
        before = (tip.id,) if tip else ()
    found: list[Commit] = []
    while before:
        found.append(registry.load(before[0]))
        before = found[-1].ids("follows")
    return [each for each in found if _number(each) < generation]


def _number(commit: Commit) -> int:
    return int(commit.params.get("generation", 0))


def _compared(commit: Commit, earlier: Sequence[Commit]) -> list[Compared]:
    """Each measure beside earlier values that mean the same."""
    rows = []
    for name, now in commit.metrics.items():
        metrics = (each.metrics.get(name) for each in earlier)
        found = [m if m and m.comparable(now) else None for m in metrics]
        first = next((metric for metric in reversed(found) if metric), None)
        rows.append(Compared(name, now, found[0] if found else None, first))
    return rows
