"""What of a record trains: its tokens, and which of them are to be predicted.

One record is one row; nothing is joined across records, so shares of records are
shares of training rows. A record of a prompt and its answer is made of the tokens of
both, each by itself as it is when a model writes, and of the end of text; a chat is
written by the model's own template.
"""

from __future__ import annotations

import json
import math
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lineage.errors import LineageError
from lineage.loop.records.rewards import as_number
from lineage.loop.spec.errors import shown
from lineage.loop.steps.tokenizer import load_subwords

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from lineage.loop.records.shards import Record
    from lineage.loop.spec import LoopSpec
    from lineage.loop.steps.chat import Chat

Rows = list[dict[str, Any]]

IGNORED = -100  # the label that a loss leaves out


class Encoder:
    """Makes rows of records, with the tokenizer of a model folder."""

    def __init__(self, folder: Path, spec: LoopSpec) -> None:
        self._folder, self._spec = folder, spec
        self._tokens = load_subwords(folder)
        self._size = spec.dataset.block_size

    def size(self, records: Sequence[Record]) -> int:
        """How many tokens of records train."""
        chosen = [record for record in records if "chosen" in record]
        plain = [record for record in records if "chosen" not in record]
        pairs = self.preferences(chosen)
        asked = sum(2 * len(row["prompt_ids"]) for row in pairs)
        said = sum(len(row["chosen_ids"] + row["rejected_ids"]) for row in pairs)
        return asked + said + sum(len(row["input_ids"]) for row in self.texts(plain))

    def texts(self, records: Sequence[Record]) -> Rows:
        """`input_ids`, `labels` and `weight` 1, where there is a token to predict."""
        rows: Rows = []
        for record, (prompt, answer) in zip(records, self._texts(records), strict=True):
            ids = [*prompt, *answer][: self._size]
            hidden = len(prompt) if self._spec.trainer.completion_only else 0
            labels = [IGNORED] * min(hidden, len(ids)) + ids[hidden:]
            if any(label != IGNORED for label in labels[1:]):
                row = {"input_ids": ids, "labels": labels}
                rows.append(row | {"reward": record.get("reward")})
        return rows

    def preferences(self, records: Sequence[Record]) -> Rows:
        """`prompt_ids`, `chosen_ids`, `rejected_ids`, where both answers show."""
        rows: Rows = []
        for record in records:
            prompt, chosen = self._answer(record, "chosen")
            _, rejected = self._answer(record, "rejected")
            room = self._size - len(prompt)
            if room > 0 and prompt and chosen and rejected:
                answers = {"chosen_ids": chosen, "rejected_ids": rejected}
                cut = {name: ids[:room] for name, ids in answers.items()}
                rows.append({"prompt_ids": prompt} | cut)
        return rows

    def _texts(self, records: Sequence[Record]) -> Iterator[tuple[list[int], ...]]:
        """Of each record the tokens of its prompt, and those after it."""
        whole = self._tokens.encode([record["text"] for record in records])
        for record, ids in zip(records, whole, strict=True):
            if "messages" in record or self._is_answer(record):
                yield self._answer(record, "completion")
            else:
                asked = self._asked(record)
                yield ids[:asked], ids[asked:]

    def _is_answer(self, record: Record) -> bool:
        """Whether a record is a prompt and a whole answer, not a slice of a text."""
        return self._spec.asks_whole_prompts and "completion" in record

    def _asked(self, record: Record) -> int:
        """How many tokens of a text lie within its prompt."""
        prompt = record.get("prompt", "")
        if not (prompt and self._spec.trainer.completion_only):
            return 0
        spans = self._tokens.offsets(record["text"])
        return sum(end <= len(prompt) for _, end in spans)

    def _answer(self, record: Record, name: str) -> tuple[list[int], list[int]]:
        """The tokens of a prompt, and of an answer to it with its end."""
        turns = record.get("messages" if name == "completion" else f"{name}_messages")
        if turns:
            said = [(turn["role"], turn["content"]) for turn in turns]
            prompt = self._chat.opened(said[:-1])
            answer = self._chat.whole(said).removeprefix(prompt)
            return self._chat.encode(prompt), self._chat.encode(answer)
        prompt_ids, ids = self._tokens.encode([record["prompt"], record[name]])
        return prompt_ids, ids + (self._end if self._spec.asks_whole_prompts else [])

    @cached_property
    def _chat(self) -> Chat:
        from lineage.loop.steps.chat import Chat

        return Chat(self._folder)

    @cached_property
    def _end(self) -> list[int]:
        return end_of_text(self._folder)


def end_of_text(folder: Path) -> list[int]:
    """The token that a model of this folder ends with, as its files say; or none."""
    for name in ("generation_config.json", "config.json"):
        try:
            found = json.loads((folder / name).read_bytes()).get("eos_token_id")
        except (OSError, ValueError, AttributeError):
            continue
        ids = found if isinstance(found, list) else [found]
        if ids and type(ids[0]) is int:
            return ids[:1]
    return []


def _reward(said: object) -> float:
    try:
        found = as_number(said)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not math.isfinite(found):
        message = f"a record's reward is {shown(said)}, which is no finite number"
        raise LineageError(message, hint="a reward is a number in JSON: 0.5, not '0.5'")
    return found


def weigh(rows: Rows, temperature: float) -> None:
    """Give each row the weight of its reward, exp(reward / temperature), of mean 1.

    Reward-weighted regression (Peters and Schaal 2007, ICML, section 3.2); with a
    baseline that is the same for all records, which cancels in the mean, advantage-
    weighted regression too (Peng et al. 2019, arXiv:1910.00177, equation 10). A row
    without a reward, such as human text, has the mean weight.

    Raises:
        LineageError: when a reward is no number.
    """
    rewarded = [row for row in rows if row["reward"] is not None]
    rewards = [_reward(row["reward"]) for row in rewarded]
    highest = max(rewards, default=0.0)
    odds = [math.exp((reward - highest) / temperature) for reward in rewards]
    total = math.fsum(odds)
    for row in rows:
        row["weight"] = 1.0
    for row, each in zip(rewarded, odds, strict=True):
        row["weight"] = len(odds) * each / total
