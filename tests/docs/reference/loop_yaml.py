"""docs/reference/loop-yaml.md: every field of `loop.yaml`, from what reads it."""

from __future__ import annotations

import re
from inspect import get_annotations
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from lineage.loop.gates import GATES
from lineage.loop.spec import LoopSpec
from lineage.loop.spec.errors import Section
from lineage.loop.spec.gates import GateSection
from lineage.loop.spec.generation import PROMPTS
from tests.docs.reference.source import first_words, module

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo

HEAD = """\
# `loop.yaml`, field by field

Every field that is read, from the code that reads it. [loop.yaml](../loop.md) tells
what they do to each other, [gates](../gates.md) what each gate measures and how. A
field that is not here is an error, which names the nearest one that is.
"""
_GATES = """\
## `gates`

A list. Each has a `type`, the fields of [every gate](#every-gate) and those of its own.
"""
_WORDS = {str: "text", int: "whole number", float: "number", bool: "true or false"}


def page() -> str:
    """The page as it is to be."""
    parts = [HEAD, "## The file\n", _table(LoopSpec, ())]
    for name, section in _sections(LoopSpec, ""):
        parts += [f"## `{name}`\n", f"{_said(section)}\n", _table(section, ())]
    for key, form in PROMPTS.items():
        parts += [f"## `generation.prompts`: `{key}`\n", f"{_said(form)}\n"]
        parts.append(_table(form, ()))
        for name, section in _sections(form, "generation.prompts."):
            parts += [f"### `{name}`\n", f"{_said(section)}\n", _table(section, ())]
    parts += [_GATES, "### Every gate\n", _table(GateSection, ())]
    for name in GATES.names():
        section = GATES[name].Section
        parts += [f"### `{name}`\n", f"{_said(section)}\n"]
        own = _table(section, _shared(section))
        parts.append(own or "No fields of its own.\n")
    return "\n".join(parts)


def undescribed() -> list[str]:
    """The fields that nothing is said of."""
    sections: list[type[Section]] = [LoopSpec, GateSection, *PROMPTS.values()]
    sections += [section for _, section in _sections(LoopSpec, "")]
    sections += [s for form in PROMPTS.values() for _, s in _sections(form, "")]
    sections += [GATES[name].Section for name in GATES.names()]
    return [
        f"{section.__name__}.{name}"
        for section in dict.fromkeys(sections)
        for name, field in section.model_fields.items()
        if not _said_of(section, name, field)
    ]


def _shared(section: type[GateSection]) -> set[str]:
    """The fields of a gate that are those of every gate, defaults too."""
    every = GateSection.model_fields
    mine = section.model_fields
    changed = mine["action"].default != every["action"].default
    return set(every) - ({"action"} if changed else set())


def _sections(section: type[Section], path: str) -> Iterator[tuple[str, type[Section]]]:
    """The sections below one, each where it stands first in the file."""
    told: set[type[Section]] = {GateSection}
    for name, field in section.model_fields.items():
        if (inner := _section(field.annotation)) and inner not in told:
            told.add(inner)
            yield f"{path}{name}", inner
            yield from _sections(inner, f"{path}{name}.")


def _section(told: Any) -> type[Section] | None:
    """The section that a field holds, if it is one."""
    for part in (told, *get_args(told)):
        if isinstance(part, type) and issubclass(part, Section):
            return part
    return None


def _table(section: type[Section], but: Any) -> str:
    """The fields of a section but those named in `but`."""
    fields = {k: v for k, v in section.model_fields.items() if k not in but}
    if not fields:
        return ""
    rows = [_row(section, name, field) for name, field in fields.items()]
    return "\n".join(["| field | type | default | |", "|---|---|---|---|", *rows, ""])


def _row(section: type[Section], name: str, field: FieldInfo) -> str:
    told = _type(field.annotation) + _limits(field)
    words = _said_of(section, name, field)
    return f"| `{name}` | {told} | {_default(field)} | {words} |"


def _type(told: Any) -> str:
    """A type in words."""
    origin, args = get_origin(told), get_args(told)
    if origin in (Union, UnionType):
        return " or ".join(_type(one) for one in args if one is not NoneType)
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in args)
    if origin is list:
        return f"list of {_type(args[0])}"
    if origin is dict:
        return "mapping" if args[1] is Any else f"mapping of {_type(args[1])}"
    return _type(args[0]) if origin is Annotated else _plain(told)


def _plain(told: Any) -> str:
    if isinstance(told, type) and issubclass(told, Section):
        return "section"
    return _WORDS.get(told, "see below" if told is Any else str(told))


def _limits(field: FieldInfo) -> str:
    """What else a value has to be."""
    words = {
        "ge": "at least {}",
        "gt": "above {}",
        "le": "at most {}",
        "lt": "below {}",
    }
    found = [
        words[key].format(getattr(limit, key))
        for limit in field.metadata
        for key in words
        if getattr(limit, key, None) is not None
    ]
    return f", {', '.join(found)}" if found else ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None or value in ([], {}, "") or isinstance(value, Section):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{', '.join(value)}`" if isinstance(value, list) else f"`{value}`"


def _said(section: type[Section]) -> str:
    """What a section says of itself."""
    return re.sub(r"\n +", "\n", (section.__doc__ or "").strip())


def _said_of(section: type[Section], name: str, field: FieldInfo) -> str:
    """What stands below a field, or what the section that it holds says of itself."""
    for owner in section.__mro__:
        if name in get_annotations(owner):
            told = first_words(module(owner.__module__)[owner.__name__].members[name])
            if told:
                return told
    inner = _section(field.annotation)
    return first_words(module(inner.__module__)[inner.__name__]) if inner else ""
