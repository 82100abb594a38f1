"""Which commits a machine format is about, and how all of them name things."""

from collections.abc import Iterator
from typing import Any

from lineage.audit.model import Artifact, Generation, MadeOf, Report
from lineage.errors import UsageError

URN = "urn:lineage:"
FEW = 8  # candidates that an error lists


def urn(id_: str) -> str:
    """The name of a commit outside of the registry."""
    return URN + id_


def event_urn(event: str) -> str:
    """The name of an event outside of the registry."""
    return f"{URN}event:{event}"


def title(made: Artifact) -> str:
    """A commit for people and machines: its kind, name and the start of its id."""
    return f"{made.kind}/{made.name}@{made.id[:12]}"


def root(made: Artifact) -> str | None:
    """`payload.root` of a commit with files, wherever its bytes are now."""
    found = (made.bytes.value or {}).get("root")
    return str(found) if found else None


def subjects(report: Report) -> list[Artifact]:
    """The commits that were asked for."""
    return [made for made in report.artifacts if made.id in report.subjects]


def turns(report: Report) -> list[Generation]:
    """Every generation of the report once, though loops may share some."""
    return list({turn.id: turn for turn in report.turns}.values())


def made_of(report: Report) -> dict[str, dict[str, Any]]:
    """What the training data of models are made of: exact shares where there are."""
    found = [turn.made_of for turn in report.turns]
    found += [generator.made_of for generator in report.generators]
    return {each.model: _shares(each) for each in found if each}


def _shares(of: MadeOf) -> dict[str, Any]:
    kinds = {"human": of.human, "machine": of.machine, "unknown": of.unknown}
    shares = {kind: part.exact or part.share for kind, part in kinds.items()}
    hops = {"hops": [of.hops.shortest, of.hops.longest]} if of.hops else {}
    return {"unit": of.unit, "count": of.count, **shares, **hops}


def with_parts(report: Report) -> list[Artifact]:
    """The commits that were asked for, and what the generations of them include."""
    asked = subjects(report)
    ids = {made.id for made in asked} | {id_ for made in asked for id_ in _parts(made)}
    return [made for made in report.artifacts if made.id in ids]


def _parts(made: Artifact) -> Iterator[str]:
    return (edge.id for edge in made.sources if edge.role == "includes")


def one_with_files(report: Report) -> Artifact:
    """The one commit with files that was asked for, be it a part of a generation.

    Raises:
        UsageError: when there is none, or there are several to choose from.
    """
    found = [made for made in with_parts(report) if root(made)]
    if len(found) == 1:
        return found[0]
    if not found:
        hint = "name a model or a dataset that was committed with its files"
        raise UsageError("there are no files to list of what you name", hint=hint)
    message = f"this format lists the files of one commit, and you name {len(found)}"
    details = [title(made) for made in found[:FEW]]
    if len(found) > FEW:
        details.append(f"… and {len(found) - FEW} more")
    hint = f"name one: `lineage report {found[-1].id[:12]} …`"
    raise UsageError(message, details=details, hint=hint)
