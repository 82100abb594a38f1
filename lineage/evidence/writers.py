"""Whether records say that the claimed model wrote them.

Records that a loop's model wrote carry ``generator``, the SHA-256 over that model's
files (`payload.root`); their prompts carry ``prompt_source``, the record that they
were taken from. That the records say so is all that is shown: who can write records
can write that, too.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from lineage.evidence.checked import CONTRADICTED, UNDECIDED, VERIFIED, Checked
from lineage.records import rows
from lineage.registry import Registry
from lineage.store.objects import Edge
from lineage.store.reading import Progress

METHOD, PROMPTS = "generator hashes", "prompts"


def check_writers(
    registry: Registry, child: str, edges: Sequence[Edge], progress: Progress
) -> Iterator[Checked]:
    """Look at the edges of the dataset `child` to the models that wrote it.

    Raises:
        LineageError: when its records cannot be read.
    """
    counts: Counter[str | None] = Counter()
    for row in rows(registry, child, columns=["generator"], progress=progress):
        said = row.data.get("generator")
        counts[said if isinstance(said, str) else None] += 1
    payloads = [registry.load(edge.id).payload for edge in edges]
    roots = [payload.root if payload else "" for payload in payloads]
    others = sum(n for said, n in counts.items() if said and said not in roots)
    for edge, root in zip(edges, roots, strict=True):
        yield _judge(edge, counts, counts[root] if root else 0, others)


def _judge(edge: Edge, counts: Counter[str | None], own: int, others: int) -> Checked:
    total, silent = counts.total(), counts[None]
    figures = {"records": total, "own": own, "others": others, "unsaid": silent}
    part, whole = (edge.share or {}).get("records") or (None, None)
    said = f"{own:,} of {total:,} records say that it wrote them"
    if silent == total:
        verdict, said = UNDECIDED, "no record says which model wrote it"
    elif (own == 0 and not silent) or not _can_be(part, whole, own, total, silent):
        verdict = CONTRADICTED
        said += f", {others:,} that a model wrote which is no parent" * bool(others)
    elif silent or others:
        verdict = UNDECIDED
        said += f"; {others:,} name another model, {silent:,} none"
    else:
        verdict = VERIFIED
    return Checked(edge, verdict, METHOD, said, figures)


def _can_be(
    part: int | None, whole: int | None, own: int, total: int, silent: int
) -> bool:
    """Whether a share fits what records say; those that say nothing may be either."""
    if part is None:
        return True
    return whole == total and own <= part <= own + silent


def check_prompts(
    registry: Registry, child: str, edge: Edge, progress: Progress
) -> Checked:
    """Look for the prompts of what a model wrote in the dataset that they are from.

    Raises:
        LineageError: when records cannot be read.
    """
    wanted: dict[str, Counter[str]] = {}
    total = 0
    for row in rows(registry, child, progress=progress):
        total += 1
        source, prompt = row.data.get("prompt_source"), row.data.get("prompt")
        if isinstance(source, str) and isinstance(prompt, str):
            wanted.setdefault(source, Counter())[prompt] += 1
    found, named = 0, bool(wanted)
    for row in rows(registry, edge.id, progress=progress) if wanted else ():
        prompts = wanted.pop(str(row.data.get("id")), None) or Counter()
        texts = [v for v in row.data.values() if isinstance(v, str)]
        found += sum(n for p, n in prompts.items() if any(p in text for text in texts))
    said = f"the prompts of {found:,} of {total:,} records are in the records they name"
    if not named:
        said = "none of its records is in it, and none names the record of its prompt"
    verdict = VERIFIED if found == total and total else UNDECIDED
    figures = {"records": total, "found": found}
    return Checked(edge, verdict, PROMPTS, said, figures)
