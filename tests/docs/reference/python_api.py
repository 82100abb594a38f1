"""docs/reference/python.md: what `import lineage` gives, read from the source.

It begins with what the package exports, and goes on to every class of ours that one of
those takes or gives.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import griffe

from tests.docs.reference.source import first_words, module
from tests.docs.site import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

_REGISTRIES = {  # each has what `lineage.Registry` has
    "lineage.client.connecting.ConnectedRegistry",
    "lineage.opening.OpenRegistry",
    "lineage.registry.Registry",
}
HEAD = """\
# The Python API

What the package exports, and every class that one of its calls gives, with the words of
the source. [Python](../python.md) shows how they go together. What is given is imported
from where it is, for annotations: `from lineage.diff import Diff`.
"""


def page() -> str:
    """The page as it is to be."""
    package = module("lineage")
    exported = [_aim(package, name) for name in _exports(package)]
    functions = [place for place in exported if _found(place).is_function]
    names = {_aim(package, name): name for name in _exports(package)}
    parts = [HEAD, "## Functions\n"]
    parts += [
        _function(_found(place), f"lineage.{names[place]}") for place in functions
    ]
    classes = _closure([place for place in exported if place not in functions])
    for title, chosen in (("Classes", exported), ("What calls give", classes)):
        parts.append(f"## {title}\n")
        parts += [_class(place) for place in chosen if place in classes]
        classes = [place for place in classes if place not in chosen]
    errors = list(module("lineage.errors").classes.values())
    parts.append("## Errors\n\nAll are in `lineage.errors`.\n")
    parts += [
        f"- `{error.name}({_bases(error)})`: {first_words(error)}" for error in errors
    ]
    return "\n".join(parts) + "\n"


def _exports(package: griffe.Module) -> list[str]:
    names = str(package["__all__"].value)
    return re.findall(r"'(\w+)'", names)


def _aim(within: griffe.Module, name: str) -> str:
    """Where a name that a module imports is defined."""
    found = within.members[name]
    return _found(found.target_path if isinstance(found, griffe.Alias) else "").path


def _found(path: str) -> griffe.Object:
    """The function or class of a dotted path; a re-export leads on."""
    place, _, name = path.rpartition(".")
    found = module(place).members[name]
    return _found(found.target_path) if isinstance(found, griffe.Alias) else found


def _ours(path: str) -> bool:
    """Whether a dotted path is a class of the package, and no tool of the store."""
    place, _, name = path.rpartition(".")
    if not place.startswith("lineage."):
        return False
    file = ROOT.joinpath(*place.split("."))
    if not file.with_suffix(".py").exists() and not file.is_dir():
        return False
    if name not in module(place).members or not _found(path).is_class:
        return False
    found = _found(path)
    assert isinstance(found, griffe.Class)
    return not found.path.startswith("lineage.store.") or _is_value(found)


def _is_value(found: griffe.Class) -> bool:
    """Whether it is a dataclass or a named tuple: data, and not something to do."""
    bases = {str(base) for base in found.bases}
    marks = {str(mark.value).partition("(")[0] for mark in found.decorators}
    return "NamedTuple" in bases or "dataclass" in marks


def _closure(begin: list[str]) -> list[str]:
    """The classes, and those that they name in public, in the order of meeting."""
    met = list(begin)
    for place in met:
        for named in _named(place):
            if _ours(named):
                path = _found(named).path
                if path not in met and path not in _REGISTRIES:
                    met.append(path)
    return met


def _named(place: str) -> Iterator[str]:
    """The names in what public methods give and public fields hold."""
    for member in _members(place):
        told = _type(member)
        if isinstance(told, griffe.Expr):
            for part in told.iterate(flat=True):
                if isinstance(part, griffe.ExprName):
                    yield part.canonical_path


def _members(place: str) -> Iterator[griffe.Object]:
    """The public methods and fields of a class, with those of its bases of ours."""
    found = _found(place)
    assert isinstance(found, griffe.Class)
    for base in found.bases:
        if isinstance(base, griffe.Expr) and _ours(base.canonical_path):
            yield from _members(base.canonical_path)
    for member in found.members.values():
        if not member.name.startswith("_") and not isinstance(member, griffe.Alias):
            yield member


def _type(member: griffe.Object) -> str | griffe.Expr | None:
    """What a function gives, or a field holds."""
    if isinstance(member, griffe.Function):
        return member.returns
    return member.annotation if isinstance(member, griffe.Attribute) else None


def _class(place: str) -> str:
    found = _found(place)
    assert isinstance(found, griffe.Class)
    members = list(_members(place))
    fields = [m for m in members if m.is_attribute and "property" not in m.labels]
    fields = fields if _is_value(found) else []
    asked = [m for m in members if "property" in m.labels and m.docstring]
    methods = [m for m in members if m.is_function and m.docstring]
    parts = [f"### {_title(found)}\n", _words(found)]
    if fields or asked:
        parts += ["| field | type | |", "|---|---|---|"]
        parts += [_row(field) for field in (*fields, *asked)]
        parts.append("")
    of = _title(found).rpartition(".")[2]
    return "\n".join([*parts, *(_function(m, f"{of}.{m.name}") for m in methods)])


def _title(found: griffe.Object) -> str:
    """The name that it is imported by."""
    package = module("lineage")
    mine = {_aim(package, name): name for name in _exports(package)}
    return f"lineage.{mine[found.path]}" if found.path in mine else found.path


def _row(field: griffe.Object) -> str:
    told = str(_type(field) or "").replace("|", "\\|")
    return f"| `{field.name}` | {f'`{told}`' if told else ''} | {first_words(field)} |"


def _function(function: griffe.Object, name: str) -> str:
    assert isinstance(function, griffe.Function)
    code = f"```python\n{_signature(function, name)}\n```"
    return f"#### {name}\n\n{code}\n\n{_words(function)}"


def _signature(function: griffe.Function, name: str) -> str:
    """The signature, on one line if it fits."""
    given = [one for one in function.parameters if one.name not in ("self", "cls")]
    parts = [_parameter(one) for one in given]
    kinds = [one.kind for one in given]
    named = griffe.ParameterKind.keyword_only
    if named in kinds and griffe.ParameterKind.var_positional not in kinds:
        parts.insert(kinds.index(named), "*")
    returns = f" -> {function.returns}" if function.returns else ""
    line = f"{name}({', '.join(parts)}){returns}"
    if len(line) <= 80:
        return line
    inner = "".join(f"    {part},\n" for part in parts)
    return f"{name}(\n{inner}){returns}"


def _parameter(one: griffe.Parameter) -> str:
    kind = one.kind.value if one.kind else ""
    mark = {"variadic positional": "*", "variadic keyword": "**"}.get(kind, "")
    told = f"{mark}{one.name}" + (f": {one.annotation}" if one.annotation else "")
    return told if one.default is None or mark else f"{told} = {one.default}"


def _words(found: griffe.Object) -> str:
    """The docstring, with its errors as a list."""
    text = found.docstring.value if found.docstring else ""
    said, _, raised = text.partition("Raises:\n")
    errors = re.sub(r"^ {4}(\w+(?:, \w+)*): ", r"- `\1`: ", raised, flags=re.MULTILINE)
    errors = re.sub(r"\n {8}", " ", errors)
    return f"{said.strip()}\n" + (f"\nRaises:\n\n{errors.strip()}\n" if raised else "")


def _bases(error: griffe.Object) -> str:
    assert isinstance(error, griffe.Class)
    return ", ".join(str(base) for base in error.bases)
