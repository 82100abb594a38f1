"""Training text that is held-out text as well, in whatever file it stands.

Two texts overlap in a paragraph that has the same words, or in any run of 13 words,
which GPT-3's training data were cleaned by (Brown et al. 2020, arXiv:2005.14165,
appendix C): quotations and common phrases are shorter, copies of more than a
sentence are not. A run goes on from one paragraph to the next, so that a text which
is wrapped otherwise is the same text. Words are those of the measures: letters,
digits and underscores, case-folded.
"""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING

from lineage.loop.measuring.measures import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lineage.loop.records.text_files import Example

RUN = 13
_UNKNOWN = -1  # a word that no held-out text has


class HeldOut:
    """The words of held-out text, by which training text is looked through.

    Of each run and each paragraph only a hash is kept. Words are numbered first:
    a hash of numbers, unlike one of text, is the same in every process. Without
    `whole` only runs are looked for, and no paragraph as such.
    """

    def __init__(self, texts: Iterable[Sequence[str]], *, whole: bool = True) -> None:
        self._numbers: dict[str, int] = {}
        self._known: set[int] = set()
        for paragraphs in texts:
            rows = [self._learn(paragraph) for paragraph in paragraphs]
            self._known.update(hash(row) for row in rows if row and whole)
            self._known.update(map(hash, _runs(list(chain.from_iterable(rows)))))

    def _learn(self, text: str) -> tuple[int, ...]:
        numbers = self._numbers
        return tuple(numbers.setdefault(w, len(numbers)) for w in _words(text))

    def among(self, paragraphs: Sequence[str]) -> set[int]:
        """Which of the paragraphs of a text have held-out text in them."""
        numbers, known = self._numbers, self._known
        rows = [
            tuple(numbers.get(word, _UNKNOWN) for word in _words(paragraph))
            for paragraph in paragraphs
        ]
        found = {n for n, row in enumerate(rows) if row and hash(row) in known}
        places = [n for n, row in enumerate(rows) for _ in row]
        for start, run in enumerate(_runs(list(chain.from_iterable(rows)))):
            if hash(run) in known:
                found.update(places[start : start + RUN])
        return found


class HeldOutExamples:
    """Held-out prompts with their answers, by which examples are looked through.

    A prompt leaks when it is the same but for spaces and capitals: instructions
    that many prompts share are no leak. An answer leaks by a run of words; short
    ones are the answers of many prompts.
    """

    def __init__(self, examples: Sequence[Example]) -> None:
        self._prompts = {_plain(example.prompt) for example in examples}
        answers = ([example.completion] for example in examples)
        self._answers = HeldOut(answers, whole=False)

    def leaks(self, example: Example) -> bool:
        """Whether an example is held out as well."""
        known = _plain(example.prompt) in self._prompts
        return known or bool(self._answers.among([example.completion]))


def _plain(prompt: str) -> str:
    return " ".join(prompt.casefold().split())


def _words(text: str) -> list[str]:
    """The words; where there are none, what stands between spaces."""
    return list(words([text])) or text.split()


def _runs(row: list[int]) -> Iterator[tuple[int, ...]]:
    return zip(*(islice(row, start, None) for start in range(RUN)), strict=False)
