"""The functions of revsets and what they take; docs/revisions.md has their meanings."""

from typing import NamedTuple

# What an argument can be, and how a sentence says so.
SET, ONE = "a set of commits", "a commit"
ROLE, KIND = "a role", "a kind"
GLOB, TEXT, DATE = "a name or glob", "a text", "a date"
METRIC, PARAM = "a condition", "a test"
COUNT, BOUNDS = "a number", "a generation or a range of them"

_SHOWN = {
    SET: "SET", ONE: "COMMIT", ROLE: "ROLE", KIND: "KIND", GLOB: "GLOB", TEXT: "TEXT",
    DATE: "DATE", METRIC: "NAME OP NUMBER", PARAM: "NAME OP VALUE", COUNT: "N",
    BOUNDS: "N..M",
}  # fmt: skip


class Function(NamedTuple):
    """What a function takes: some arguments, some that may be left out, any more."""

    needed: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    more: str | None = None

    def takes(self, number: int) -> str | None:
        """What the argument of that number, from 0, is; None when there is none."""
        known = (*self.needed, *self.optional)
        return known[number] if number < len(known) else self.more


_WALK = Function((SET,), more=ROLE)

FUNCTIONS = {
    "all": Function(),
    "none": Function(),
    "ancestors": _WALK,
    "descendants": _WALK,
    "parents": _WALK,
    "children": _WALK,
    "heads": Function((SET,)),
    "roots": Function((SET,)),
    "latest": Function((SET,), (COUNT,)),
    "merge_base": Function((ONE, ONE), more=ROLE),
    "role": Function((ROLE, SET)),
    "branches": Function((), (GLOB,)),
    "tagged": Function((), (GLOB,)),
    "released": Function((), (GLOB,)),
    "tainted": Function(),
    "kind": Function((KIND,)),
    "name": Function((GLOB,)),
    "author": Function((TEXT,)),
    "message": Function((TEXT,)),
    "metric": Function((METRIC,)),
    "param": Function((PARAM,)),
    "generation": Function((BOUNDS,)),
    "since": Function((DATE,)),
    "until": Function((DATE,)),
}


def usage(name: str) -> str:
    """How a function is written: ``ancestors(SET[, ROLE]…)``."""
    function = FUNCTIONS[name]
    shown = ", ".join(_SHOWN[what] for what in function.needed)
    for what in function.optional:
        shown += f"[, {_SHOWN[what]}]" if shown else f"[{_SHOWN[what]}]"
    if function.more:
        shown += f"[, {_SHOWN[function.more]}]…"
    return f"{name}({shown})"
