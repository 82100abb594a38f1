"""What the training set of a generation is made of.

`replace` takes what the newest model wrote and nothing else; `accumulate` all
human records and everything written so far; `mix` the newest records and human
ones, so many that they are `human_fraction` of the whole. Shards that go in whole
are copied byte for byte, so that storage shares them; a part of a source becomes
one new shard with the chosen lines as they were.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from itertools import count
from shutil import copyfile
from typing import TYPE_CHECKING, NamedTuple

from lineage.errors import LineageError
from lineage.loop.seeds import choose
from lineage.loop.shards import Record, Shard, copy_lines, read_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from lineage.loop.spec.mixing import MixingSpec


@dataclass(frozen=True, slots=True)
class Source:
    """A dataset that records can be taken from; `name` is its folder in the mix."""

    name: str
    folder: Path
    shards: tuple[Shard, ...]

    @property
    def records(self) -> int:
        """How many records it has."""
        return sum(shard.records for shard in self.shards)


class Part(NamedTuple):
    """The rows of a source that train, in rising order."""

    source: Source
    rows: Sequence[int]


def plan(
    mixing: MixingSpec,
    human: Source,
    synthetic: Sequence[Source],
    *,
    seed: int,
    generation: int,
) -> list[Part]:
    """Choose the training set of `generation`.

    Args:
        mixing: the spec's `mixing` section.
        human: the human training records.
        synthetic: what each generation wrote and the checks kept, oldest first;
            the last one is new.
        seed: the loop's.
        generation: the number of the generation that trains on it.

    Raises:
        LineageError: when there is no record to train on.
    """
    if mixing.strategy == "mix":
        parts = _mix(mixing, human, synthetic[-1], seed, generation)
    elif mixing.strategy == "accumulate":
        parts = _pool([human, *synthetic], mixing.max_samples, seed, generation)
    else:
        parts = _pool(synthetic[-1:], mixing.max_samples, seed, generation)
    parts = [part for part in parts if part.rows]
    if not parts:
        message = f"generation {generation} has nothing to train on"
        raise LineageError(message, hint="every generated record was rejected")
    return parts


def _pool(
    sources: Sequence[Source], most: int | None, seed: int, generation: int
) -> list[Part]:
    """All records of all sources, or `most` of them, each as likely as any other."""
    total = sum(source.records for source in sources)
    if most is None or most >= total:
        return [Part(source, range(source.records)) for source in sources]
    rows = choose(total, most, seed, "pool", generation)
    parts, start = [], 0
    for source in sources:
        end = start + source.records
        parts.append(Part(source, [row - start for row in rows if start <= row < end]))
        start = end
    return parts


def _mix(
    mixing: MixingSpec, human: Source, new: Source, seed: int, generation: int
) -> list[Part]:
    share = Fraction(str(mixing.human_fraction))
    wanted = mix_counts(share, human.records, new.records, mixing.max_samples)
    drawn = "fixed" if mixing.resample == "fixed" else generation
    return [
        Part(human, choose(human.records, wanted[0], seed, "human", drawn)),
        Part(new, choose(new.records, wanted[1], seed, "new", generation)),
    ]


def mix_counts(
    share: Fraction, human: int, new: int, most: int | None = None
) -> tuple[int, int]:
    """How many human and how many new records make `share` of them human.

    All new records where the human ones suffice for that, else all human ones and
    as many new ones as keep the share; scaled down where `most` limits the sum, but
    never to less than one new record.
    """
    odds = share / (1 - share)
    counts = _at_least_one(new * odds, human), new
    if new * odds > human:
        counts = human, _at_least_one(human / odds, new)
    if most is not None and sum(counts) > most:
        humans = _at_least_one(most * share, min(counts[0], most - 1))
        counts = humans, min(most - humans, counts[1])
    return counts


def _at_least_one(count: Fraction, most: int) -> int:
    """The nearest whole number from 1 to `most`: a fraction never rounds to none."""
    return min(max(round(count), 1), most)


class Mixed(NamedTuple):
    """What one source gave to a mixed dataset."""

    source: Source
    shards: list[Shard]

    @property
    def records(self) -> int:
        """How many records came from it."""
        return sum(shard.records for shard in self.shards)


def write(parts: Iterable[Part], folder: Path) -> list[Mixed]:
    """Write a planned training set: one sub-folder per source."""
    return [Mixed(part.source, _write_part(part, folder)) for part in parts]


def _write_part(part: Part, folder: Path) -> list[Shard]:
    """Whole shards where they were, what is left of the others as one new file."""
    home = folder / part.source.name
    home.mkdir(parents=True)
    chosen, left, written, start = set(part.rows), [], [], 0
    for shard in part.source.shards:
        rows = range(start, start + shard.records)
        start += shard.records
        if rows and chosen.issuperset(rows):
            place = home / shard.path.relative_to(part.source.folder)
            place.parent.mkdir(parents=True, exist_ok=True)
            copyfile(shard.path, place)
            written.append(Shard(place, shard.records))
        else:
            left += [row for row in rows if row in chosen]
    if left:
        written.append(copy_lines(part.source.shards, left, _free(home, "selected")))
    return written


def _free(home: Path, stem: str) -> Path:
    """A name for a new shard that none of the copied ones has."""
    places = (home / f"{stem}{more or ''}.jsonl" for more in count())
    return next(place for place in places if not place.exists())


def shares(
    mixed: Iterable[Mixed],
    count_tokens: Callable[[Sequence[Record]], int] | None = None,
) -> dict[str, dict[str, list[int]]]:
    """Each source's share of the training set as exact pairs of counts.

    `{"human": {"records": [139, 1389], "tokens": [8896, 87_643]}, …}`; tokens only
    with a counter for them, which says what of records trains. This is what edges
    carry as `share`. A unit of which there is nothing is left out.
    """
    counts = {part.source.name: {"records": part.records} for part in mixed}
    if count_tokens is not None:
        for part in mixed:
            records = [r for shard in part.shards for r in read_records(shard.path)]
            counts[part.source.name]["tokens"] = count_tokens(records)
    wholes = Counter[str]()
    for units in counts.values():
        wholes.update(units)
    return {
        name: {unit: [n, wholes[unit]] for unit, n in units.items() if wholes[unit]}
        for name, units in counts.items()
    }
