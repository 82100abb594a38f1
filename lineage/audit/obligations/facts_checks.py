"""Facts: what was measured and checked, and what failed."""

from lineage.audit.model import Field, Gate, Measurement
from lineage.audit.obligations.scope import Found, Scope, recorded, rejected
from lineage.audit.words import amount, judged


def metrics(scope: Scope) -> Found:
    """What was measured of the newest generations and of the subjects."""
    seen: set[tuple[str, str]] = set()
    turns = [(f"generation {turn.number}", turn.metrics) for turn in scope.newest]
    about = [(f"{made.kind} {made.name}", made.metrics) for made in scope.about]
    for of, found in (*turns, *about):
        for metric in found:
            if (metric.commit, metric.name) not in seen:
                seen.add((metric.commit, metric.name))
                yield f"{of}, {metric.name}", recorded(_value(metric), metric.commit)


def _value(metric: Measurement) -> str:
    n = f", n = {metric.n:,}" if metric.n is not None else ""
    if not metric.interval:
        return f"{amount(metric.value)}{n}"
    low, high = map(amount, metric.interval)
    return f"{amount(metric.value)} ({low} to {high}){n}"


def metric_meanings(scope: Scope) -> Found:
    """What each metric means: its definition, and where that comes from."""
    for loop in scope.report.loops:
        for measure in loop.measures:
            if measure.definition is None:
                yield measure.name, Field("not provided")
                continue
            version = f" version {measure.version}" if measure.version else ""
            told = f"{measure.definition}{version}"
            if measure.meaning:
                told += f": {measure.meaning} ({measure.reference})"
            yield measure.name, recorded(told, measure.points[-1].generation)


def course(scope: Scope) -> Found:
    """How each measure went from its first generation to its last."""
    for loop in scope.report.loops:
        for measure in loop.measures:
            first, last = measure.points[0], measure.points[-1]
            if first != last:
                told = (
                    f"{amount(first.value)} at generation {first.number}, "
                    f"{amount(last.value)} at generation {last.number}"
                )
                label = f"loop {loop.name}, {measure.name}"
                yield label, recorded(told, last.generation)


def diversity(scope: Scope) -> Found:
    """Measures of diversity now and at the start."""
    return _against(scope, "diversity")


def bias(scope: Scope) -> Found:
    """Measures of bias now and at the start."""
    return _against(scope, "bias")


def _against(scope: Scope, about: str) -> Found:
    for turn in scope.newest:
        for one in turn.against_start:
            if one.about == about:
                before = f"{amount(one.start)} in generation {one.since}"
                told = f"{amount(one.now)}, {before}"
                label = f"generation {turn.number}, {one.name}"
                yield label, recorded(told, one.commit)


def gates(scope: Scope) -> Found:
    """The gates of the newest generations, and all that did not pass before."""
    for loop in scope.report.loops:
        for turn in loop.turns:
            for gate in turn.gates:
                if turn is loop.generations[-1] or gate.verdict != "pass":
                    label = f"loop {loop.name}, generation {turn.number}"
                    what = gate.id or gate.type or "gate"
                    yield f"{label}, {what}", recorded(_verdict(gate), gate.commit)


def _verdict(gate: Gate) -> str:
    verdict = gate.verdict or "no verdict"
    if gate.sentence:
        return f"{verdict}: {gate.sentence}"
    shown, limits = judged(gate.value, gate.bounds)
    told = f"{verdict}: {shown}" if shown else verdict
    return f"{told}, {limits}" if limits else told


def rejected_generations(scope: Scope) -> Found:
    """The generations that were rejected, and why."""
    return scope.or_none(_rejected_generations(scope), "rejected generations")


def _rejected_generations(scope: Scope) -> Found:
    for loop in scope.report.loops:
        for turn in rejected(loop):
            label = f"loop {loop.name}, generation {turn.number} ({turn.id[:12]})"
            yield label, turn.reason or Field("not provided")


def failures(scope: Scope) -> Found:
    """The steps that failed, by their events."""
    return scope.or_none(_failures(scope), "failed steps")


def _failures(scope: Scope) -> Found:
    for said in scope.said("failed"):
        told = said.message or str(said.data.get("error") or "no reason recorded")
        step = said.data.get("step") or said.type
        yield f"{step}, {said.time}", Field("recorded", told, event=said.event)
