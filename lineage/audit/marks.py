"""Small pieces of the page that stand everywhere: links, marks, what is missing.

They are made here and not in a template because a long report has a hundred thousand
of them. Every text in them is made visible and escaped.
"""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup, escape

from lineage.audit import text
from lineage.audit.model import Artifact, Field, Signature
from lineage.audit.words import name
from lineage.keys.signatures import words as signed

SHORT = 12  # digits of an id, the same everywhere
MISSING = Markup('<span class="none">not provided</span>')
_SIGNATURES = {"good": "signed", "unsigned": "unsigned", "no keys": "unsigned"}


def safe(words: str) -> Markup:
    """Any text as it may stand on the page."""
    return escape(text.visible(words))


def signature(found: Signature | None, *, brief: bool = False) -> Markup:
    """Whether something is signed, told by the border and in words.

    `brief` leaves out whose key it is, where the name stands beside.
    """
    if found is None:
        return Markup("")
    class_ = _SIGNATURES.get(found.state, "broken")
    told = signed(found)
    if brief and class_ == "signed":
        told = f"signed, {', '.join(found.roles)}" if found.roles else "signed"
    elif class_ == "unsigned":
        told = "not signed"
    return Markup('<span class="sig {}">{}</span>').format(class_, safe(told))


def source(field: Field[Any], *, named: bool = False) -> Markup:
    """How the report comes to know a value, with a mark for each way.

    The commit is `named` where the value does not stand below it.
    """
    if field.status == "not provided":
        return Markup("")
    if field.status == "stated":
        who = name(field.by or "")
        said = f"stated by {who}" if who else "stated"
        told = f"{said}, {text.moment(field.time or '')}"
        marked = Markup('<span class="how stated">{}</span>').format(safe(told))
        sign = signature(field.signature, brief=True)
        return Markup("{} {}").format(marked, sign) if sign else marked
    where = f"event {field.event[:SHORT]}" if field.event else "the commit"
    if named and field.commit and not field.event:
        where = f"commit {field.commit[:SHORT]}"
    return Markup('<span class="how recorded">recorded in {}</span>').format(where)


class Links:
    """Links to the commits and generations that the report speaks of."""

    def __init__(self, artifacts: Mapping[str, Artifact], told: frozenset[str]) -> None:
        self._artifacts = artifacts
        self._told = told
        self._made: dict[str, Markup] = {}

    def ref(self, id_: str) -> Markup:
        """A commit by kind, name and id; by its id alone where it is not told of."""
        if id_ not in self._artifacts:
            return Markup("<code>{}</code>").format(id_[:SHORT])
        if id_ not in self._made:
            made = self._artifacts[id_]
            self._made[id_] = Markup(
                '<a href="#c-{0}">{1} <bdi>{2}</bdi> <code>{0}</code></a>'
            ).format(id_[:SHORT], safe(made.kind), safe(made.name))
        return self._made[id_]

    def turn(self, id_: str, number: int, *, rejected: bool = False) -> Markup:
        """A generation by its number and id."""
        goal = "g" if id_ in self._told else "c"
        bad = Markup(' <span class="bad">rejected</span>') if rejected else ""
        return Markup(
            '<a class="turn" href="#{0}-{1}">{2} <code>{1}</code></a>{3}'
        ).format(goal, id_[:SHORT], number, bad)
