"""Which records a reviewer looks at: drawn at random, worst by loss, flagged.

Chance comes from SHA-256 of the seed and a record's own line, so that two reviewers
see the same records, a larger draw only adds to a smaller one, and nobody can guess
which rows of a shard will be looked at before they are written.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from lineage.loop.reviews.records import DROPPED, KEPT, Line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lineage.loop.reviews.records import Records

RANDOM, HIGHEST_LOSS, FLAGGED = "random", "highest_loss", "flagged"
_TOLD = 60  # twice what a packet has: the event stays small


class Flag(NamedTuple):
    """What a gate had against a record."""

    gate: str
    reason: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """A record to look at, and why this one."""

    line: Line
    why: str
    loss: float | None = None
    flags: Sequence[Flag] = ()


def chance(seed: int, digest: str) -> bytes:
    """Where a record stands in the random order of a seed."""
    return sha256(f"{seed}|review|{digest}".encode()).digest()


def flagged(
    lines: Iterable[bytes], flags: Sequence[tuple[int, str, str]]
) -> list[dict[str, str]]:
    """What an event says of records that gates have something against.

    At most `_TOLD` of them, those that a reviewer would be shown first. `flags` are
    row, gate and reason.
    """
    rows = {row for row, _, _ in flags}
    digests = {
        row: sha256(line.removesuffix(b"\n")).hexdigest()
        for row, line in enumerate(lines)
        if row in rows
    }
    found = sorted(flags, key=lambda flag: chance(0, digests[flag[0]]))
    return [
        {"sha256": digests[row], "gate": gate, "reason": reason}
        for row, gate, reason in found[:_TOLD]
    ]


def draw(
    records: Records,
    n: int,
    strategies: Sequence[str],
    seed: int,
    *,
    flags: Mapping[str, Sequence[Flag]],
    losses: Mapping[str, float],
) -> list[Drawn]:
    """Up to `n` records, shared out evenly, in a random order.

    What one strategy cannot give is drawn at random, if that is a strategy. `flags`
    and `losses` are by the SHA-256 of a record's line.
    """
    by_chance = sorted(records.lines, key=lambda line: chance(seed, line.sha256))
    queues = {
        RANDOM: _alternating(by_chance),
        HIGHEST_LOSS: sorted(
            (line for line in by_chance if line.sha256 in losses),
            key=lambda line: -losses[line.sha256],
        ),
        FLAGGED: [line for line in by_chance if line.sha256 in flags],
    }
    why = _shared(n, strategies, queues)
    chosen = {line.sha256: line for line in by_chance if line.sha256 in why}
    return [
        Drawn(line, why[key], losses.get(key), flags.get(key, ()))
        for key, line in chosen.items()
    ]


def _alternating(lines: Iterable[Line]) -> list[Line]:
    """As many dropped records as kept ones, as far as there are.

    Each stratum stays in its random order, so that what is taken from the front is
    a simple random sample of it.
    """
    strata: dict[str, list[Line]] = {KEPT: [], DROPPED: []}
    for line in lines:
        strata[line.stratum].append(line)
    pairs = zip_longest(strata[KEPT], strata[DROPPED])
    return [line for pair in pairs for line in pair if line is not None]


def _shared(
    n: int, strategies: Sequence[str], queues: Mapping[str, Sequence[Line]]
) -> dict[str, str]:
    """The hashes of the records to show, each with the strategy that chose it.

    The random ones come first, whatever the others would choose: they have to stay
    a random sample.
    """
    first = sorted(strategies, key=lambda name: name != RANDOM)
    why: dict[str, str] = {}
    for number, name in enumerate(first):
        share = n // len(first) + (number < n % len(first))
        _take(why, name, queues[name], share)
    if RANDOM in strategies:
        _take(why, RANDOM, queues[RANDOM], n - len(why))
    return why


def _take(why: dict[str, str], name: str, queue: Sequence[Line], wanted: int) -> None:
    """Choose the next `wanted` of a queue that nothing has chosen yet."""
    for line in queue:
        if wanted <= 0:
            return
        if line.sha256 not in why:
            why[line.sha256] = name
            wanted -= 1
