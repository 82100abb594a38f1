"""How commits were made: a workflow for each generation, a task for each step."""

from collections.abc import Iterator
from typing import Any

from lineage.audit.chosen import URN, event_urn, title, turns, urn
from lineage.audit.cyclonedx.components import properties
from lineage.audit.model import Artifact, Gate, Generation, Report, Source


def formula(report: Report) -> dict[str, Any]:
    """Everything that was made from something, in the order of recording."""
    seen: set[str] = set()
    known = {made.id: made for made in report.artifacts}
    order = {id_: number for number, id_ in enumerate(known)}
    flows = [_turn(turn, known, order, seen) for turn in turns(report)]
    others = [made for made in report.artifacts if made.id not in seen]
    tasks = [_task(made) for made in others if _is_made(made)]
    if tasks:
        flows.append(_flow("others", "outside of the generations", tasks))
    return {"bom-ref": f"{URN}formula", "workflows": flows}


def _is_made(made: Artifact) -> bool:
    return bool(made.sources) and made.kind != "generation"


def _flow(name: str, told: str, tasks: list[Any]) -> dict[str, Any]:
    ref = f"{URN}workflow:{name}"
    kinds = list(dict.fromkeys(type_ for task in tasks for type_ in task["taskTypes"]))
    return {
        "bom-ref": ref,
        "uid": ref,
        "name": told,
        "taskTypes": kinds or ["other"],
        "tasks": tasks,
    }


def _turn(
    turn: Generation,
    known: dict[str, Artifact],
    order: dict[str, int],
    seen: set[str],
) -> dict[str, Any]:
    """A generation: what was made for it and for none before, then its gates."""
    new = sorted(_new(turn, known, seen), key=order.__getitem__)
    tasks = [_task(known[id_]) for id_ in new if _is_made(known[id_])]
    tasks += [_check(turn, n, gate) for n, gate in enumerate(turn.gates, 1)]
    told = f"generation {turn.number} of {known[turn.id].name}, {turn.status}"
    return _flow(turn.id, told, tasks)


def _new(turn: Generation, known: dict[str, Artifact], seen: set[str]) -> Iterator[str]:
    """The parts of a generation and all they came from but what was `seen`."""
    queue = [part.id for part in turn.parts]
    while queue:
        id_ = queue.pop()
        if id_ not in seen:
            seen.add(id_)
            yield id_
            queue += [e.id for e in known[id_].sources if e.kind != "generation"]


def _task(made: Artifact) -> dict[str, Any]:
    """The making of one commit: inputs with their roles, output, circumstances."""
    went = (made.circumstances.value if made.circumstances else None) or {}
    flat = {
        key: value
        for key, value in went.items()
        if isinstance(value, str | int | float) and key != "step"
    }
    ref = f"{URN}making:{made.id}"
    return {
        "bom-ref": ref,
        "uid": ref,
        "name": f"{went.get('step', 'make')} {title(made)}",
        "taskTypes": ["build" if made.kind == "model" else "other"],
        "inputs": [_input(edge) for edge in made.sources],
        "outputs": [{"type": "artifact", "resource": {"ref": urn(made.id)}}],
        "properties": properties(
            {"event": event_urn(made.event), "recorded": made.time, **flat}
        ),
    }


def _input(edge: Source) -> dict[str, Any]:
    share = edge.share.value if edge.share else None
    said = {"role": edge.role, "evidence": edge.evidence.value, "share": share}
    return {"resource": {"ref": urn(edge.id)}, "properties": properties(said)}


def _check(turn: Generation, number: int, gate: Gate) -> dict[str, Any]:
    """A gate: it looks at a generation and leaves evidence."""
    ref = f"{URN}gate:{turn.id}-{number}"
    evidence = f"{URN}evidence:{turn.id}-{number}"
    return {
        "bom-ref": ref,
        "uid": ref,
        "name": f"gate {gate.id or gate.type or number}",
        "taskTypes": ["test"],
        "inputs": [{"resource": {"ref": urn(turn.id)}}],
        "outputs": [{"type": "evidence", "resource": {"ref": evidence}}],
        "properties": properties({"verdict": gate.verdict, "action": gate.action}),
    }
