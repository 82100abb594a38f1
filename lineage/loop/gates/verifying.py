"""What is true: a verifier of the user's, or a file of answers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lineage.errors import UsageError
from lineage.loop.functions import identity, load_function
from lineage.loop.records.jsonl import json_lines

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lineage.loop.records.shards import Record
    from lineage.loop.spec import LoopSpec

VERIFY = "verify_record"


@dataclass(frozen=True, slots=True)
class Verified:
    """Of each record: True, False, or None where there is no claim to check.

    `broken` are the reasons of those on which the verifier itself failed.
    """

    answers: Sequence[bool | None]
    broken: Mapping[str, int]

    @property
    def wrong(self) -> list[int]:
        """The rows of records that are not true."""
        return [row for row, answer in enumerate(self.answers) if answer is False]

    @property
    def claims(self) -> int:
        """How many records could be checked."""
        return sum(answer is not None for answer in self.answers)


class Verifier:
    """A user's function on records: True, False, or None for no claim.

    An assertion that fails is False, as in `check_record`.
    """

    def __init__(self, spec: LoopSpec, place: str) -> None:
        self._function = load_function(spec, place, VERIFY)
        self.code = dict(self._function.code)

    def __call__(self, records: Sequence[Record]) -> Verified:
        broken: Counter[str] = Counter()
        answers = [self._answer(record, broken) for record in records]
        return Verified(answers, broken)

    def _answer(self, record: Record, broken: Counter[str]) -> bool | None:
        try:
            answer = self._function(record)
            return None if answer is None else bool(answer)
        except AssertionError:
            return False
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  (a user's code)
            broken[self._function.raised(error)] += 1
            return None


class Truth:
    """A .jsonl of answers: what a record says must be the file's for its key."""

    def __init__(self, content: bytes, path: Path, key: str, answer: str) -> None:
        self._key, self._answer = key, answer
        self._truth = _answers(content, path, key, answer)
        self.code = identity(content, path)

    def __call__(self, records: Sequence[Record]) -> Verified:
        return Verified([self._check(record) for record in records], {})

    def _check(self, record: Record) -> bool | None:
        right = self._truth.get(_plain(record.get(self._key)))
        said = record.get(self._answer)
        return None if right is None or said is None else _plain(said) in right


def _answers(content: bytes, path: Path, key: str, answer: str) -> dict[str, set[str]]:
    """Several lines with one key: any of their answers is right."""
    truth: dict[str, set[str]] = {}
    try:
        for _, row in json_lines(content):
            truth.setdefault(_plain(row[key]), set()).add(_plain(row[answer]))
    except (ValueError, KeyError, TypeError) as error:
        message = f'{path} is not {{"{key}": …, "{answer}": …}} in each line'
        raise UsageError(f"{message} ({type(error).__name__}: {error})") from None
    if not truth:
        raise UsageError(f"{path} has no answers in it")
    return truth


def _plain(value: object) -> str:
    """As it is compared: case and spaces do not count."""
    return " ".join(str(value).casefold().split())
