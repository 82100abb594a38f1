"""Templates of obligations: which there are, and what they ask."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from lineage.audit.audiences import AUDIENCES
from lineage.errors import UsageError

__all__ = ["AUDIENCES", "Item", "Template", "built_in", "fields", "load", "names"]

FULL = "full"  # the template that asks for every fact, and for no statement


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


def names() -> tuple[str, ...]:
    """The templates that come with lineage, `full` last."""
    found = {path.name.removesuffix(".yaml") for path in _files()}
    return (*sorted(found - {FULL}), FULL)


def load(name: str) -> Template:
    """The template of that name, or in the file at that path.

    Raises:
        StoreError: when the file cannot be read.
        UsageError: when there is neither, or it is no template; names the line.
    """
    if name in names():
        return _built_in(name)
    path = Path(name)
    if path.suffix not in (".yaml", ".yml") and not path.is_file():
        hint = f"there are {', '.join(names())}, and files of your own: mine.yaml"
        raise UsageError(f"no template is called {name!r}", hint=hint)
    from lineage.audit.obligations.reading import read

    return read(path)


def built_in() -> tuple[Template, ...]:
    """All templates that come with lineage."""
    return tuple(_built_in(name) for name in names())


@cache
def _built_in(name: str) -> Template:
    from lineage.audit.obligations.reading import parse

    path = Path(f"{name}.yaml")
    [found] = (file for file in _files() if file.name == path.name)
    return parse(found.read_bytes(), path)


def _files() -> Iterator[Path]:
    folder = files("lineage.audit").joinpath("templates")
    return (path for path in folder.iterdir() if path.name.endswith(".yaml"))  # type: ignore[misc]


def fields() -> Mapping[str, tuple[str, ...]]:
    """The fields that people may state, and which built-in templates ask for each."""
    found: dict[str, set[str]] = {}
    for template in built_in():
        for item in template.items:
            if item.stated:
                found.setdefault(item.stated, set()).add(template.id)
    return {field: tuple(sorted(found[field])) for field in sorted(found)}
