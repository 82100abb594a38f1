"""Read a template, strictly: what nobody would look at is refused, and named.

A slip in a template would be a question that a report leaves out without a word.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from lineage.audit.audiences import AUDIENCES
from lineage.audit.obligations.asked import Item, Template
from lineage.audit.obligations.vocabulary import FACTS
from lineage.errors import UsageError
from lineage.stated import FIELD
from lineage.store.disk import read_file

_TOP = ("id", "version", "title", "source", "note", "items")
_SOURCE = ("law", "part", "text", "date")
_ITEM = ("key", "article", "question", "audience", "answers", "stated", "note")
_OPTIONAL = frozenset({"note", "answers", "stated"})
_KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_MOST = 500  # items
_LONGEST = 2000  # characters of a text

Place = tuple[str | int, ...]


class _Fault(Exception):
    """Something is wrong at a place of the document."""

    def __init__(self, place: Place, what: str) -> None:
        super().__init__(what)
        self.place = place


def read(path: Path) -> Template:
    """The template in a file.

    Raises:
        StoreError: when it cannot be read.
        UsageError: when it is no template; names the line.
    """
    return parse(read_file(path), path)


def parse(data: bytes, path: Path) -> Template:
    """The template that a file has in it; `path` is for what is wrong with it."""
    from lineage.loop.spec.yaml_file import parse_yaml

    found = parse_yaml(data, path)
    try:
        return _template(found)
    except _Fault as fault:
        line = _line(data.decode("utf-8-sig"), fault.place)
        message = f"{path}: line {line}: {fault}"
    hint = "`lineage report --templates` lists good ones"
    raise UsageError(message, hint=hint)


def _template(found: Any) -> Template:
    given = _mapping(found, (), _TOP)
    version = given["version"]
    if type(version) is not int or version < 1:
        _refuse(("version",), "version must be a whole number from 1 on")
    source = _mapping(given["source"], ("source",), _SOURCE)
    listed = given["items"]
    if not isinstance(listed, list) or not 0 < len(listed) <= _MOST:
        _refuse(("items",), f"items must be a list of 1 to {_MOST}")
    items = tuple(_item(item, ("items", n)) for n, item in enumerate(listed))
    _check_unlike(items)
    return Template(
        id=_matching(_KEY, given, (), "id"),
        version=version,
        title=_text(given, (), "title"),
        source={key: _text(source, ("source",), key) for key in _SOURCE},
        note=_text(given, (), "note"),
        items=items,
    )


def _item(found: Any, place: Place) -> Item:
    given = _mapping(found, place, _ITEM)
    answers = _words(given, place, "answers", FACTS)
    stated = _matching(FIELD, given, place, "stated") or None
    if not answers and not stated:
        _refuse(place, "an item needs answers, or stated")
    audience = _words(given, place, "audience", AUDIENCES)
    if not audience:
        _refuse((*place, "audience"), "audience must not be empty")
    return Item(
        key=_matching(_KEY, given, place, "key"),
        article=_text(given, place, "article"),
        question=_text(given, place, "question"),
        audience=tuple(name for name in AUDIENCES if name in audience),
        answers=answers,
        stated=stated,
        note=_text(given, place, "note"),
    )


def _check_unlike(items: Iterable[Item]) -> None:
    seen: set[str] = set()
    for number, item in enumerate(items):
        if item.key in seen:
            _refuse(("items", number, "key"), f"there is another item {item.key!r}")
        seen.add(item.key)


def _mapping(found: Any, place: Place, keys: tuple[str, ...]) -> Mapping[str, Any]:
    """A mapping that has all of `keys` that are due, and no others."""
    what = str(place[-1]) if place and isinstance(place[-1], str) else "it"
    if not isinstance(found, dict):
        _refuse(place, f"{what if place else 'a template'} must be a mapping")
    for key in found:
        if key not in keys:
            _refuse((*place, key), f"unknown key {key!r}{_near(key, keys)}")
    for key in keys:
        if key not in found and key not in _OPTIONAL:
            _refuse(place, f"{key} is missing")
    return found


def _text(given: Mapping[str, Any], place: Place, key: str) -> str:
    """A text; empty where it may be left out and is."""
    found = given.get(key)
    if found is None and key in _OPTIONAL:
        return ""
    if not isinstance(found, str) or not found.strip():
        _refuse((*place, key), f"{key} must be text")
    if len(found) > _LONGEST:
        _refuse((*place, key), f"{key} is longer than {_LONGEST:,} characters")
    return " ".join(found.split())


def _matching(
    pattern: re.Pattern[str], given: Mapping[str, Any], place: Place, key: str
) -> str:
    found = _text(given, place, key)
    if found and not pattern.fullmatch(found):
        _refuse((*place, key), f"{key} must be like {pattern.pattern}, not {found!r}")
    return found


def _words(
    given: Mapping[str, Any], place: Place, key: str, known: Iterable[str]
) -> tuple[str, ...]:
    """A list of different words that are all `known`."""
    found = given.get(key)
    if found is None and key in _OPTIONAL:
        return ()
    if not isinstance(found, list):
        _refuse((*place, key), f"{key} must be a list")
    for number, word in enumerate(found):
        here = (*place, key, number)
        if not isinstance(word, str) or word not in known:
            _refuse(here, f"{key} has no {word!r}{_near(str(word), known)}")
        if word in found[:number]:
            _refuse(here, f"{word!r} is in {key} twice")
    return tuple(found)


def _refuse(place: Place, what: str) -> NoReturn:
    raise _Fault(place, what)


def _near(word: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, list(known), n=1)
    if near:
        return f"; did you mean {near[0]}?"
    known = sorted(known)
    return f"; known are {', '.join(known)}" if len(known) <= len(_ITEM) else ""


def _line(text: str, place: Place) -> int:
    """The line that `place` begins on, or what of it there is."""
    import yaml

    node = yaml.compose(text, yaml.SafeLoader)
    line = node.start_mark.line if node else 0
    for step in place:
        if isinstance(node, yaml.MappingNode):
            pairs = [(key, value) for key, value in node.value if key.value == step]
            if not pairs:
                break
            line, node = pairs[0][0].start_mark.line, pairs[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
            line = node.start_mark.line
    return line + 1
