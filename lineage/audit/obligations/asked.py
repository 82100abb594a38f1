"""What a template of obligations asks."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that is asked for.

    `answers` are facts of the vocabulary, `stated` the field of `lineage attest
    --state` that a person answers it with, None where nobody is asked.
    """

    key: str
    article: str
    question: str
    audience: tuple[str, ...]
    answers: tuple[str, ...] = ()
    stated: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Template:
    """A law or a framework as questions.

    `source` has ``law``, ``part``, ``text`` (what was read) and ``date`` (when).
    """

    id: str
    version: int
    title: str
    source: Mapping[str, str]
    note: str
    items: tuple[Item, ...]
