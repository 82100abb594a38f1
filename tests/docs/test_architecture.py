"""docs/architecture.md speaks of what is there."""

from __future__ import annotations

import re
from functools import cache

from tests.docs.reference.source import module
from tests.docs.site import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
_PATH = re.compile(r"`((?:cli|lineage|store|tests|docs)/[\w./]*)`")
_OF = re.compile(r"((?:`[\w.]+`(?:, | and )?)+),? (?:\(|in )?`((?:\w+/)+\w+\.py)`")
_THERE = re.compile(r"`([\w.]+)`\s+\(`((?:\w+/)+\w+\.py)`\)")
_NAME = re.compile(r"`([A-Z]\w+(?:\.\w+)?)`")
TEXT = " ".join(PAGE.split())


@cache
def names(path: str) -> set[str]:
    """What a file of the checkout defines, with the members of its classes."""
    dotted = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    room = "" if dotted.startswith("lineage") else "lineage."
    found = module(room + dotted)
    inner = {f"{c.name}.{m}" for c in found.classes.values() for m in c.members}
    return inner | {name for name, one in found.members.items() if not one.is_alias}


def test_every_path_is_there() -> None:
    """Each file and folder that the page names exists."""
    paths = set(_PATH.findall(PAGE))
    assert len(paths) > 80
    assert {path for path in paths if not (ROOT / path).exists()} == set()


def test_every_name_is_where_the_page_says() -> None:
    """`Name` with a file beside it is defined in that file."""
    told = {
        (name, path)
        for said, path in (*_OF.findall(TEXT), *_THERE.findall(TEXT))
        for name in re.findall(r"[\w.]+", said.replace(" and ", " "))
    }
    assert len(told) > 70
    assert {(name, path) for name, path in told if name not in names(path)} == set()


def test_every_class_exists() -> None:
    """A name in capitals, with a method or without, is one in some file of the page."""
    there = set().union(*(names(p) for p in _PATH.findall(PAGE) if p.endswith(".py")))
    assert set(_NAME.findall(PAGE)) - there == set()


def test_every_package_has_its_line() -> None:
    """Each package of lineage/ and of store/ is in the table, and no other is."""
    told = set(re.findall(r"^\| `((?:lineage|store)/\w+)/` \|", PAGE, re.MULTILINE))
    there = {
        place.parent.relative_to(ROOT).as_posix()
        for room in ("lineage", "store")
        for place in (ROOT / room).glob("*/__init__.py")
        if not place.parent.is_symlink()
    }
    assert told ^ there == set()
