"""What the training set of a generation is made of.

`replace` takes what the newest model wrote and nothing else; `accumulate` all
human records and everything written so far; `accumulate_subsample` as many of those
as there are human ones; `mix` the newest records and human
ones, so many that they are `human_fraction` of the whole. Shards that go in whole
are copied byte for byte, so that storage shares them; a part of a source becomes
one new shard with the chosen lines as they were.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256
from itertools import count
from shutil import copyfile
from typing import TYPE_CHECKING, NamedTuple

from lineage.errors import LineageError
from lineage.loop.records.shards import (
    Record,
    Shard,
    copy_lines,
    read_all,
    read_records,
)
from lineage.loop.records.similar import repeats
from lineage.loop.seeds import choose

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
    """The rows of a source that train, in rising order, each as often as it does."""

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
    pool = _distinct(_sources(mixing, human, synthetic), mixing.deduplicate)
    if mixing.strategy == "mix":
        parts = _mix(mixing, pool, seed, generation)
    else:
        pool = [_repeated(part, mixing, synthetic[-1], seed) for part in pool]
        most = mixing.max_samples
        if mixing.strategy == "accumulate_subsample" and most is None:
            most = human.records
        parts = _pool(pool, most, seed, generation)
    parts = [part for part in parts if part.rows]
    if not parts:
        message = f"generation {generation} has nothing to train on"
        raise LineageError(message, hint="every generated record was rejected")
    return parts


def _sources(
    mixing: MixingSpec, human: Source, synthetic: Sequence[Source]
) -> list[Source]:
    """What a strategy takes from, oldest first."""
    if mixing.accumulates:
        return [human, *synthetic]
    return [human, synthetic[-1]] if mixing.strategy == "mix" else [synthetic[-1]]


def _distinct(sources: Sequence[Source], how: str) -> list[Part]:
    """The rows of each source, less those that repeat an earlier one of any."""
    if how == "none":
        return [Part(source, range(source.records)) for source in sources]
    texts = (_content(r) for source in sources for r in read_all(source.shards))
    again = _same(texts) if how == "exact" else repeats(list(texts)).keys()
    parts, start = [], 0
    for source in sources:
        rows = [row for row in range(source.records) if start + row not in again]
        parts.append(Part(source, rows))
        start += source.records
    return parts


def _content(record: Record) -> str:
    """What of a record says the same as another: also what a pair rejects."""
    text: str = record["text"]
    return f"{text}\n\n{record['rejected']}" if "rejected" in record else text


def _same(texts: Iterable[str]) -> set[int]:
    """Which texts an earlier one has; of each text only a hash is kept."""
    seen: set[bytes] = set()
    again = set()
    for number, text in enumerate(texts):
        known = sha256(text.encode()).digest()
        if known in seen:
            again.add(number)
        seen.add(known)
    return again


def _repeated(part: Part, mixing: MixingSpec, new: Source, seed: int) -> Part:
    """A part with its rows as often as its weight says.

    2.4 is each row twice and four tenths of them, chosen by the seed, once more.
    """
    weight = mixing.weight(part.source.name, newest=part.source is new)
    if weight == 1:
        return part
    times, rest = divmod(Fraction(str(weight)), 1)
    count = len(part.rows)
    some = choose(count, round(rest * count), seed, "weight", part.source.name)
    rows = [*part.rows] * times + [part.rows[place] for place in some]
    return Part(part.source, sorted(rows))


def _pool(
    parts: Sequence[Part], most: int | None, seed: int, generation: int
) -> list[Part]:
    """All rows of all parts, or `most` of them, each as likely as any other."""
    total = sum(len(part.rows) for part in parts)
    if most is None or most >= total:
        return list(parts)
    places = choose(total, most, seed, "pool", generation)
    chosen, start = [], 0
    for part in parts:
        own = places[bisect_left(places, start) :]
        start += len(part.rows)
        begin = start - len(part.rows)
        own = own[: bisect_left(own, start)]
        chosen.append(Part(part.source, [part.rows[place - begin] for place in own]))
    return chosen


def _mix(
    mixing: MixingSpec, pool: Sequence[Part], seed: int, generation: int
) -> list[Part]:
    human, new = pool
    share = Fraction(str(mixing.human_fraction))
    counts = mix_counts(share, len(human.rows), len(new.rows), mixing.max_samples)
    drawn = "fixed" if mixing.resample == "fixed" else generation
    return [
        _some(human, counts[0], seed, "human", drawn),
        _some(new, counts[1], seed, "new", generation),
    ]


def _some(part: Part, count: int, *seed: object) -> Part:
    places = choose(len(part.rows), count, *seed)
    return Part(part.source, [part.rows[place] for place in places])


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
    """A source's rows; what trains more than once stands once more in a sub-folder."""
    home, written = folder / part.source.name, list[Shard]()
    left = Counter(part.rows)
    for turn in range(1, max(left.values()) + 1):
        rows = {row for row, times in left.items() if times >= turn}
        place = home if turn == 1 else _free(home, f"again{turn}", "")
        written += _write_rows(part.source, rows, place)
    return written


def _write_rows(source: Source, chosen: set[int], home: Path) -> list[Shard]:
    """Whole shards where they were, what is left of the others as one new file."""
    home.mkdir(parents=True)
    left, written, start = list[int](), list[Shard](), 0
    for shard in source.shards:
        rows = range(start, start + shard.records)
        start += shard.records
        if rows and chosen.issuperset(rows):
            place = home / shard.path.relative_to(source.folder)
            place.parent.mkdir(parents=True, exist_ok=True)
            copyfile(shard.path, place)
            written.append(Shard(place, shard.records))
        else:
            left += [row for row in rows if row in chosen]
    if left:
        written.append(copy_lines(source.shards, left, _free(home, "selected")))
    return written


def _free(home: Path, stem: str, suffix: str = ".jsonl") -> Path:
    """A name for a new shard or folder that none of the copied ones has."""
    places = (home / f"{stem}{more or ''}{suffix}" for more in count())
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
            counts[part.source.name]["tokens"] = sum(
                count_tokens(list(read_records(shard.path))) for shard in part.shards
            )
    wholes = Counter[str]()
    for units in counts.values():
        wholes.update(units)
    return {
        name: {unit: [n, wholes[unit]] for unit, n in units.items() if wholes[unit]}
        for name, units in counts.items()
    }
