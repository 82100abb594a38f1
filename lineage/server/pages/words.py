"""What pages call things: commits, roles, shares, changes."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from lineage.turns import turn_number
from lineage.wording import spaced

if TYPE_CHECKING:
    from lineage.registry import Registry
    from lineage.store.objects import Commit

SHORT = 12  # digits of an id, as in reports


class Ref(NamedTuple):
    """A commit as every page shows it: a link, with what it is."""

    id: str
    kind: str
    name: str
    title: str


def ref(registry: "Registry", id_: str) -> Ref:
    """The commit `id_`; by its id alone where it is not here."""
    if id_ not in registry.ids:
        return Ref(id_, "", "", "a commit that is not here")
    commit = registry.load(id_)
    generation = registry.ids.get(id_).generation
    return Ref(id_, commit.kind, commit.name, title(commit, generation))


def title(commit: "Commit", generation: int) -> str:
    """``generation 3 of tutor``, ``model judge``."""
    if commit.kind == "generation":
        return f"generation {turn_number(commit, generation)} of {commit.name}"
    return f"{commit.kind} {commit.name}"


def stated(role: str) -> str:
    """A role as the verb of a sentence: ``is trained on``, ``includes``."""
    return spaced(role) if role.endswith("s") else f"is {spaced(role)}"


def share(edge: Mapping[str, Any]) -> tuple[int, int] | None:
    """Of how many of the child's records, or else tokens, an edge brought how many."""
    pairs: Mapping[str, Sequence[int]] = edge["share"] or {}
    found = pairs.get("records") or next(iter(pairs.values()), None)
    return (found[0], found[1]) if found and found[1] else None
