"""Which records train, by the reward that each has.

`best` hands on the best answer to each prompt, `above` all with a reward of at
least `threshold`, `pairs` a better and a worse answer to each prompt as one record,
`weighted` all. Each has its `reward`. Of answers that are as good as each other the
seed's hash decides.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lineage.errors import LineageError
from lineage.loop.measuring.definitions import MEASURES
from lineage.loop.seeds import rank

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lineage.loop.records.shards import Record
    from lineage.loop.spec.selection import SelectionSpec
    from lineage.store.objects import Metric

_DIGITS = 6  # of a reward: what a model computes is not surer than that


@dataclass(frozen=True, slots=True)
class Selected:
    """The records that are handed on, what was measured, and a verdict on it all."""

    records: list[Record]
    metrics: Mapping[str, Metric]
    verdict: Mapping[str, Any]


def select(
    section: SelectionSpec,
    records: Sequence[Record],
    rewards: Sequence[float],
    seed: int,
) -> Selected:
    """Choose among records by their rewards; the `seed` decides between equals.

    Raises:
        LineageError: a reward is no number.
    """
    rewards = [_number(*each) for each in zip(records, rewards, strict=True)]
    ranked = _ranked(records, rewards, seed)
    pick = {"best": _best, "above": _above, "pairs": _pairs, "weighted": _all}
    chosen = pick[section.keep](ranked, records, rewards, section.limit)
    metrics = _metrics(ranked, rewards, len(chosen))
    if section.keep == "pairs":
        without = len(ranked) - len(chosen)
        name = "prompts_without_pair"
        metrics[name] = MEASURES[name].metric(without, len(ranked))
    return Selected(chosen, metrics, _verdict(section, len(chosen), len(records)))


def _number(record: Record, reward: float) -> float:
    if not math.isfinite(reward):
        what = f"the reward of {record.get('id', 'a record')} is {reward}"
        raise LineageError(what, hint="a reward is a finite number")
    return float(f"{reward:.{_DIGITS}g}")


def _ranked(
    records: Sequence[Record], rewards: Sequence[float], seed: int
) -> list[list[int]]:
    """The rows of each prompt's answers, best first; prompts in their order."""
    groups: dict[str, list[int]] = {}
    for row, record in enumerate(records):
        name = str(record.get("prompt_id") or record.get("id") or row)
        groups.setdefault(name, []).append(row)

    def place(row: int) -> tuple[float, bytes]:
        return -rewards[row], rank(seed, "tie", records[row].get("id", row))

    return [sorted(rows, key=place) for rows in groups.values()]


Ranked = list[list[int]]


def _with(records: Sequence[Record], rewards: Sequence[float], row: int) -> Record:
    return records[row] | {"reward": rewards[row]}


def _best(
    ranked: Ranked,
    records: Sequence[Record],
    rewards: Sequence[float],
    limit: float | None,
) -> list[Record]:
    first = (rows[0] for rows in ranked)
    good = (row for row in first if limit is None or rewards[row] >= limit)
    return [_with(records, rewards, row) for row in good]


def _above(
    _: Ranked,
    records: Sequence[Record],
    rewards: Sequence[float],
    limit: float | None,
) -> list[Record]:
    least = -math.inf if limit is None else limit
    good = (row for row, reward in enumerate(rewards) if reward >= least)
    return [_with(records, rewards, row) for row in good]


def _all(
    ranked: Ranked,
    records: Sequence[Record],
    rewards: Sequence[float],
    _: float | None,
) -> list[Record]:
    return _above(ranked, records, rewards, None)


def _pairs(
    ranked: Ranked,
    records: Sequence[Record],
    rewards: Sequence[float],
    limit: float | None,
) -> list[Record]:
    """The best and the worst of each prompt, on either side of the limit if any."""
    pairs = []
    for best, *_, worst in (rows for rows in ranked if len(rows) > 1):
        top, bottom = rewards[best], rewards[worst]
        apart = top > bottom if limit is None else top >= limit > bottom
        if apart:
            pairs.append(_pair(records[best], records[worst], top, bottom))
    return pairs


_SHARED = ("id", "prompt", "prompt_id", "prompt_source", "generator", "text", "given")


def _pair(best: Record, worst: Record, top: float, bottom: float) -> Record:
    """One record of two: what to prefer to what; `text` is the better one's."""
    pair = {key: best[key] for key in _SHARED if key in best}
    for side, record, reward in (("chosen", best, top), ("rejected", worst, bottom)):
        pair[side] = record.get("completion", record["text"])
        pair[f"{side}_id"] = record.get("id", "")
        pair[f"{side}_reward"] = reward
        if "messages" in record:
            pair[f"{side}_messages"] = record["messages"]
    return pair


def _metrics(
    ranked: Ranked, rewards: Sequence[float], chosen: int
) -> dict[str, Metric]:
    if not rewards:
        return {"selected": MEASURES["selected"].metric(chosen, 0)}
    best = math.fsum(rewards[rows[0]] for rows in ranked) / len(ranked)
    values = {
        "reward_mean": (math.fsum(rewards) / len(rewards), len(rewards)),
        "reward_best": (best, len(ranked)),
        "selected": (chosen, len(rewards)),
    }
    return {name: MEASURES[name].metric(*value) for name, value in values.items()}


def _verdict(section: SelectionSpec, chosen: int, count: int) -> dict[str, Any]:
    """What is recorded of it: a selection that leaves nothing stops the loop."""
    limit = "" if section.limit is None else f", at {section.limit:g} or more"
    what = "pairs" if section.keep == "pairs" else "records"
    sentence = f"keep: {section.keep} of {count} records{limit} gives {chosen} {what}"
    facts: dict[str, Any] = {
        "id": "selection",
        "type": "selection",
        "on": "dataset",
        "verdict": "pass" if chosen else "fail",
        "action": "stop",
        "rejected": 0,
        "sentence": sentence,
        "value": chosen,
        "n": count,
    }
    return facts | ({} if section.limit is None else {"threshold": section.limit})
