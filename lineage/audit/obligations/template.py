"""Templates of obligations: which there are, and what they ask."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

from lineage.audit.obligations.asked import Template
from lineage.audit.obligations.reading import parse, read
from lineage.errors import UsageError

FULL = "full"  # the template that asks for every fact, and for no statement


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
    return read(path)


def built_in() -> tuple[Template, ...]:
    """All templates that come with lineage."""
    return tuple(_built_in(name) for name in names())


@cache
def _built_in(name: str) -> Template:
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
