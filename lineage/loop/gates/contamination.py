"""Records that have held-out text, or an evaluation set, in them.

Two texts overlap in a run of 13 words, which GPT-3's training data were cleaned by; of
a shorter text, from 8 words on, all its words in a row (Brown et al. 2020,
arXiv:2005.14165, appendix C: 13 words at most, 8 at least). Words are case-folded runs
of letters, digits and underscores, so line breaks and punctuation hide nothing.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, field_validator

from lineage.errors import UsageError
from lineage.loop.gates.singles import SinglesSection, examples, verdict
from lineage.loop.gates.sources import texts_of
from lineage.loop.measuring.measures import words
from lineage.loop.records.jsonl import json_lines
from lineage.loop.records.overlap import RUN
from lineage.loop.records.text_files import paragraphs
from lineage.loop.spec.errors import refuse
from lineage.loop.spec.gates import Action  # noqa: TC001  (pydantic reads it)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lineage.loop.gates.base import Context, GateResult
    from lineage.loop.spec import LoopSpec

HELD_OUT = "held-out text"
_LEAST = 8  # words: what is shorter is found everywhere
_UNKNOWN = -1  # a word that none of the sets has


class ContaminationSpec(SinglesSection):
    """Records that have held-out text or an evaluation set in them."""

    files: ClassVar[tuple[str, ...]] = ("against",)
    type: Literal["contamination"]
    action: Action = "stop"
    against: list[str] = Field(default_factory=list)
    """Evaluation sets by file, besides the held-out text."""

    @field_validator("against")
    @classmethod
    def _one_name_each(cls, files: list[str]) -> list[str]:
        names = [Path(file).name for file in files]
        for name in names:
            if names.count(name) > 1:
                refuse(f"two files are called {name}, and a verdict names them so")
        return files


class Contamination:
    """Finds what the model must not have seen in what it wrote, and says which."""

    Section = ContaminationSpec
    on: Literal["dataset"] = "dataset"

    def __init__(self, section: ContaminationSpec, spec: LoopSpec) -> None:
        self.id = section.id
        self._section = section
        self._sets = {
            Path(file).name: read_set(spec.content(file), spec.path(file))
            for file in section.against
        }

    def check(self, context: Context) -> GateResult:
        """Look for each set in each record."""
        held_out = [text for _, text in texts_of(context, "held_out")]
        known = Known({HELD_OUT: held_out} | self._sets)
        found = [known.within(text) for text in context.texts]
        reasons = {
            row: f"has a part of {' and '.join(sets)} in it"
            for row, sets in enumerate(found)
            if sets
        }
        counts = Counter(name for sets in found for name in sets)
        rows = {
            name: [row for row, sets in enumerate(found) if name in sets]
            for name in counts
        }
        details = {
            "sets": {
                name: {
                    "texts": len(texts),
                    "found_in": counts[name],
                    "records": examples(context.records, rows.get(name, ())),
                }
                for name, texts in ({HELD_OUT: held_out} | self._sets).items()
            }
        }
        parts = (f"{counts[name]} of {name}" for name in sorted(counts))
        what = "have evaluation data in them" + (
            f" ({', '.join(parts)})" * bool(counts)
        )
        return verdict(self._section, context.records, reasons, what, details)


class Known:
    """The runs of words of several sets of text, by which records are looked through.

    Words are numbered first, so that a hash of a run is the same in every process.
    """

    def __init__(self, sets: Mapping[str, Sequence[str]]) -> None:
        self._numbers: dict[str, int] = {}
        self._runs: dict[int, dict[int, set[str]]] = {}
        for name, texts in sets.items():
            for text in texts:
                self._learn(name, [self._number(word) for word in words([text])])

    def _number(self, word: str) -> int:
        return self._numbers.setdefault(word, len(self._numbers))

    def _learn(self, name: str, row: list[int]) -> None:
        length = min(len(row), RUN)
        if length >= _LEAST:
            known = self._runs.setdefault(length, {})
            for run in _runs(row, length):
                known.setdefault(run, set()).add(name)

    def within(self, text: str) -> list[str]:
        """The names of the sets that a text has something of."""
        row = [self._numbers.get(word, _UNKNOWN) for word in words([text])]
        found: set[str] = set()
        for length, known in self._runs.items():
            for run in _runs(row, length):
                found.update(known.get(run, ()))
        return sorted(found)


def _runs(row: list[int], length: int) -> Iterator[int]:
    """A hash of each run of so many words."""
    last = len(row) - length + 1
    return (hash(tuple(row[start : start + length])) for start in range(last))


def read_set(content: bytes, path: Path) -> list[str]:
    """The texts of an evaluation set.

    Each string in a .jsonl, .json or .csv, each paragraph of any other file.

    Raises:
        UsageError: it cannot be read so, or has nothing that could be found.
    """
    try:
        texts = list(_texts(content, path.suffix))
    except (ValueError, csv.Error, RecursionError) as error:
        message = f"{path} is no {path.suffix or 'text'} file: {error}"
        raise UsageError(message) from None
    texts = [text for text in texts if len(list(words([text]))) >= _LEAST]
    if not texts:
        message = f"{path} has no text of {_LEAST} words or more to look for"
        raise UsageError(message)
    return texts


def _texts(content: bytes, suffix: str) -> Iterable[str]:
    if suffix == ".jsonl":
        return (each for _, value in json_lines(content) for each in _strings(value))
    text = content.decode("utf-8-sig")
    if suffix == ".json":
        return _strings(json.loads(text))
    if suffix == ".csv":
        return (cell for row in csv.reader(io.StringIO(text)) for cell in row)
    return paragraphs(text)


def _strings(value: object) -> Iterator[str]:
    """Every string in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _strings(part)
