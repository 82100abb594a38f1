"""Self-instruct: a model writes new prompts, after examples that people wrote.

As Wang et al. 2023 (arXiv:2212.10560) do it: some human prompts are shown, the model
goes on with another one, and what is too much like any prompt there is (ROUGE-L of
0.7 or more) is left out. A base model sees a numbered list to go on with, a chat
model is asked. A new prompt is one line.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING

from lineage.errors import LineageError
from lineage.loop.measuring.measures import words
from lineage.loop.seeds import draw, rank
from lineage.loop.steps.prompts import OWN, human_prompts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lineage.loop.steps.protocol import Job

    # Rows of tokens and their seeds -> what was written after each, as text.
    Write = Callable[[Sequence[list[int]], Sequence[int]], list[str]]

_BEGIN = "Come up with a series of tasks:\n"
_NUMBER = re.compile(r"^\s*(?:task\s*)?\d+\s*[.:)]\s*", re.IGNORECASE)


def instruct(
    job: Job, tokens: Callable[[str], list[int]], write: Write, *, chat: bool
) -> None:
    """Write the step's own prompts into its scratch folder, unless they are there.

    Args:
        job: its `human` input has the examples.
        tokens: a question as the model reads it.
        write: the model at work.
        chat: whether it is asked, or goes on with a list.

    Raises:
        LineageError: the model wrote no prompt that is new.
    """
    place, section = job.scratch / OWN, job.spec.generation
    if place.exists() or section.instructs is None:
        return
    examples = [
        " ".join(each.text.split()) for each in human_prompts(job.inputs["human"])
    ]
    wanted = section.num_samples or len(examples)
    pool = Pool(examples, section.instructs.max_similarity)
    found: list[str] = []
    for turn in range(section.instructs.rounds):
        missing = range(wanted - len(found))
        drawn = (_drawn(examples, job, turn, number) for number in missing)
        asked = [tokens(_question(shown, chat=chat)) for shown in drawn]
        seeds = [_seed(job.seed, turn, number) for number in missing]
        lines = map(first_line, write(asked, seeds))
        found += [line for line in lines if pool.add(line)]
        if len(found) == wanted:
            break
    if not found:
        message = "the model wrote no prompt that is new and says something"
        raise LineageError(message, hint="raise self_instruct.max_similarity or rounds")
    rows = [{"prompt": text, "source": f"own-{n:05d}"} for n, text in enumerate(found)]
    unfinished = place.with_suffix(".part")
    unfinished.write_text("".join(json.dumps(row) + "\n" for row in rows))
    unfinished.replace(place)


def _drawn(examples: Sequence[str], job: Job, turn: int, number: int) -> list[str]:
    """The human prompts that one question shows."""
    section = job.spec.generation.instructs
    assert section is not None
    some = draw(len(examples), section.examples, job.seed, "examples", turn, number)
    return [examples[row] for row in some]


def _question(shown: Sequence[str], *, chat: bool) -> str:
    rows = "".join(f"{n}. {text}\n" for n, text in enumerate(shown, 1))
    following = len(shown) + 1
    if chat:
        return f"{_BEGIN}{rows}\nWrite task {following}, and nothing else."
    return f"{_BEGIN}{rows}{following}."


def _seed(seed: int, turn: int, number: int) -> int:
    return int.from_bytes(rank(seed, "instruct", turn, number)[:6], "big")


def first_line(text: str) -> str:
    """The new prompt in what a model wrote: one line, without a number before it."""
    lines = (line.strip() for line in text.splitlines())
    return _NUMBER.sub("", next(filter(None, lines), ""))


class Pool:
    """Prompts, none of which is too much like another by ROUGE-L.

    ROUGE-L is the F-measure of the longest common subsequence of words (Lin 2004,
    Text Summarization Branches Out, section 3). It is worked out where words in
    common alone could make it large enough.
    """

    def __init__(self, texts: Iterable[str], limit: float) -> None:
        self._limit = limit
        self._rows: list[list[str]] = []
        self._having: dict[str, list[tuple[int, int]]] = {}
        for text in texts:
            self._keep(list(words([text])))

    def add(self, text: str) -> bool:
        """Take a prompt in, unless one like it is there or it has no word."""
        row = list(words([text]))
        if not row or self._is_near(row):
            return False
        self._keep(row)
        return True

    def _keep(self, row: list[str]) -> None:
        for word, count in Counter(row).items():
            self._having.setdefault(word, []).append((len(self._rows), count))
        self._rows.append(row)

    def _is_near(self, row: list[str]) -> bool:
        common: Counter[int] = Counter()
        for word, count in Counter(row).items():
            for number, times in self._having.get(word, ()):
                common[number] += min(count, times)
        return any(
            2 * shared >= self._limit * (len(row) + len(self._rows[number]))
            and rouge_l(row, self._rows[number]) >= self._limit
            for number, shared in common.items()
        )


def rouge_l(one: Sequence[str], other: Sequence[str]) -> float:
    """2 LCS / (m + n): the F-measure of recall and precision, weighted alike."""
    before = [0] * (len(other) + 1)
    for word in one:
        now = [0]
        for place, theirs in enumerate(other):
            same = before[place] + 1
            now.append(same if word == theirs else max(before[place + 1], now[-1]))
        before = now
    size = len(one) + len(other)
    return 2 * before[-1] / size if size else 0.0
