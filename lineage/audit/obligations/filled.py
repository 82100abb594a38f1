"""A template with a report's values in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lineage.audit.model.fields import Field, Status

STATED = "stated"  # the part of an item that only a person can answer


@dataclass(frozen=True, slots=True)
class Labelled:
    """One value of an answer.

    `fact` is the fact that it is a value of (`lineage.audit.obligations.vocabulary`),
    or ``stated``; `label` says which one it is. Of a fact that nothing is known of
    there is one, which is not provided.
    """

    fact: str
    label: str
    field: Field[Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the report has on one item of a template.

    An item asks for facts, for a statement or for both. `status` is ``recorded``
    where any of it is recorded, else ``stated`` where any is stated. `lacking` names
    what is asked for and not provided; an answer without is whole.
    """

    key: str
    article: str
    question: str
    note: str
    status: Status
    fields: tuple[Labelled, ...]
    lacking: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Filled:
    """A template as far as it is for the report's audience, with values in it.

    `source` is the text that it was made from, as the template says. `coverage`
    counts the items by status, `whole` those of them that lack nothing.
    """

    id: str
    version: int
    title: str
    source: Mapping[str, str]
    note: str
    items: tuple[Answer, ...]
    coverage: Mapping[Status, int]
    whole: int
