"""What is known of one record, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

BYTES, IDENTITY, CHANGED, BY_NAME = "bytes", "identity", "changed", "by name"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands: a file of a dataset, and the place in it, from 1.

    `unit` is "line" or, in files without lines, "record".
    """

    dataset: str
    path: str
    line: int
    unit: str = "line"


@dataclass(frozen=True, slots=True)
class Step:
    """A dataset that the record went through, seen from the one below it.

    `same` says how it is the same record as there: by its `bytes`, by its `identity`
    in another layout, `changed` where only the id is the same (`fields` differ), or
    only `by name`, where the bytes are not here and `unread` says why. The first step
    is the dataset that was asked, whose `same` is empty. `role` is the edge that led
    here from there.
    """

    dataset: str
    place: Place | None
    same: str = ""
    role: str = ""
    fields: tuple[str, ...] = ()
    unread: str = ""


@dataclass(frozen=True, slots=True)
class Writer:
    """A model that wrote the record, or one of those that may have.

    `matches` compares the hash of the model that the record names with the model's
    own files: None where one of them is not known.
    """

    id: str
    role: str
    matches: bool | None = None


@dataclass(frozen=True, slots=True)
class Chooser:
    """A model that chose or rewarded records of the dataset, or its role for them."""

    id: str
    role: str
    dataset: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model was asked; `place` and `record` are the human record behind it."""

    text: str
    source: str = ""
    place: Place | None = None
    record: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Tainted:
    """A standing taint of the record, a dataset that it is in, or who wrote it."""

    event: str
    subject: str
    reason: str


@dataclass(frozen=True, slots=True)
class Blame:
    """Where one record comes from.

    `steps` lead from the dataset that was asked to the one in which the record first
    appears, whose origin statement is `origin`. `number` counts the records of the
    dataset that was asked from 1. `settings` are what the text was sampled with, as
    the commit `config` says. `trained` are the models trained on a dataset that the
    record is in, `notes` say what could not be looked at.
    """

    number: int
    data: Mapping[str, Any]
    identity: str
    steps: tuple[Step, ...]
    writers: tuple[Writer, ...] = ()
    generator: str = ""
    prompt: Prompt | None = None
    config: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    choosers: tuple[Chooser, ...] = ()
    origin: Mapping[str, Any] | None = None
    trained: tuple[str, ...] = ()
    tainted: tuple[Tainted, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def dataset(self) -> str:
        """The dataset that was asked."""
        return self.steps[0].dataset
