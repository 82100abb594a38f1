"""How commits are called in what people read: short ids, titles, decorations."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lineage.cli.terminal import Span
from lineage.cli.text import one_line
from lineage.turns import turn_number
from lineage.wording import listed, plural

if TYPE_CHECKING:
    from lineage.history import Entry
    from lineage.registry import Registry
    from lineage.store.objects import Commit

_SHORT = 8
_FEW = 3  # commits that are named in a sentence
_GRADES = {"contradicted": "bad", "declared": "hint", "verified": "good"}


def short(registry: "Registry", id_: str) -> str:
    """The first 8 digits of an id, or as many as it takes to mean one commit."""
    length = _SHORT
    while len(registry.ids.find(id_[:length])) > 1:
        length += 1
    return id_[:length]


def title(commit: "Commit", generation: int) -> list[Span]:
    """What a commit is: ``generation 3 of tutor``, ``model judge at hf://…``."""
    name = one_line(commit.name)
    if commit.kind == "generation":
        return [(f"generation {turn_number(commit, generation)} of {name}", "title")]
    spans: list[Span] = [(f"{commit.kind} {name}", "title")]
    if generation:
        spans.append((f" generation {generation}", ""))
    if commit.external:
        spans.append((f" at {one_line(str(commit.external.get('uri')))}", "dim"))
    elif commit.payload and not commit.payload.stored:
        spans.append((" by reference", "dim"))
    return spans


def called(registry: "Registry", id_: str) -> str:
    """A commit's title in a sentence, without where its bytes are."""
    if id_ not in registry.ids:
        return "a commit that is not here"
    spans = title(registry.load(id_), registry.ids.get(id_).generation)
    return "".join(text for text, style in spans if style != "dim")


def copied(registry: "Registry", copies: Sequence[str]) -> str:
    """Which commits have the same files as one that did not reach them."""
    shown = [f"{called(registry, id_)} {short(registry, id_)}" for id_ in copies[:_FEW]]
    if more := len(copies) - len(shown):
        shown.append(plural(more, "other commit"))
    return f"the same files are in {listed(shown)}, which it did not reach"


def heading(registry: "Registry", entry: "Entry") -> list[Span]:
    """The short id, what the commit is, and the names that point to it."""
    return [
        (f"{short(registry, entry.id)} ", "id"),
        *title(entry.commit, entry.generation),
        *decorations(registry, entry),
    ]


def graded(grade: str) -> Span:
    """How well an edge is known, in its colour."""
    return grade, _GRADES.get(grade, "dim")


def decorations(registry: "Registry", entry: "Entry") -> list[Span]:
    """Branches and tags as git shows them: `` (HEAD -> loop/tutor, tag: v1)``.

    Behind them is where the commit is live.
    """
    head = registry.head
    named: list[list[Span]] = []
    for branch in sorted(entry.branches, key=lambda name: (name != head, name)):
        arrow: list[Span] = [("HEAD -> ", "head")] if branch == head else []
        named.append([*arrow, (branch, "branch")])
    named += [[(f"tag: {tag}", "tag")] for tag in entry.tags]
    named += [[(f"live: {one_line(place)}", "good")] for place in entry.live]
    spans: list[Span] = []
    for index, name in enumerate(named):
        spans += [(", " if index else " (", "dim"), *name]
    return [*spans, (")", "dim")] if spans else []
