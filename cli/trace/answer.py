"""The answer on one screen: a few lines before the tables."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lineage.cli.names import short
from lineage.cli.tainted import why
from lineage.cli.trace.words import amount, turns
from lineage.shapes.tainted import marked
from lineage.wording import between

if TYPE_CHECKING:
    from lineage.descent.trace import Amount, Made, Trace
    from lineage.registry import Registry


def answer(registry: "Registry", found: "Trace") -> Iterator[tuple[str, str]]:
    """Name and value of what fits on a line each."""
    from lineage.taints.marks import marks

    for one in marked(marks(registry), found.subject):
        yield "tainted", why(found.subject, one)
    for made in found.telling():
        yield from _made(registry, found, made)
    if not found.made:
        yield "made of", "no records"
    yield "generation", f"{found.generation:,}"
    if found.distance:
        far = turns(found.distance.shortest, found.distance.longest)
        sure = "" if found.distance.certain else ", if any of it came from there"
        yield "distance", f"{far} from human data{sure}"
    elif found.made:
        yield "distance", "no recorded path leads to human data"
    if found.weakest:
        child, role, parent, grade = found.weakest
        where = f"{role} {short(registry, parent)} of {short(registry, child)}"
        if grade == "contradicted":
            yield "evidence", f"contradicted: {where}"
        else:
            worst = f", the weakest: {where}" if grade == "declared" else ""
            yield "evidence", f"{grade} or better{worst}"


def _made(
    registry: "Registry", found: "Trace", made: "Made"
) -> Iterator[tuple[str, str]]:
    commit = registry.load(made.id)
    name = "trained on" if commit.kind == "model" else "made of"
    if found.made[0].id != made.id:
        name, what = "beside it", f"{commit.kind} {commit.name}"
        yield name, f"{what} {short(registry, made.id)}:"
        name = ""
    if not made.amounts:
        yield name, "nothing of its own"
    for each in made.amounts:
        if each.unit == "records" or each.count is not None:
            yield name, amount(each)
            name = ""
            if each.made_of.unknown:
                yield "", _ranges(each)


def _ranges(each: "Amount") -> str:
    """What the unknown leaves open."""
    machine, human = (between(*each.made_of.range(o)) for o in ("machine", "human"))
    return f"so {machine} machine-written, and {human} human"
