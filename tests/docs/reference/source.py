"""Modules as their source says, without running them."""

from __future__ import annotations

from functools import cache

import griffe

from tests.docs.site import ROOT


@cache
def module(path: str) -> griffe.Module:
    """A module of the package, by its dotted path."""
    place = ROOT.joinpath(*path.split("."))
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    return griffe.visit(path, filepath=file, code=file.read_text(encoding="utf-8"))


def first_words(found: griffe.Object | None) -> str:
    """The first paragraph of what is said of an object, for the cell of a table."""
    text = found.docstring.value if found and found.docstring else ""
    return " ".join(text.split("\n\n")[0].split()).replace("|", "\\|")
