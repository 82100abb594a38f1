"""Facts: how models were made, from what, with what, and what that took."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lineage.audit.model import Compute, Field
from lineage.audit.obligations.facts_data import flat
from lineage.audit.obligations.scope import (
    Found,
    Scope,
    named,
    recorded,
)
from lineage.audit.words import amount
from lineage.audit.words import flat as flattened
from lineage.wording import spaced

_SETTINGS = ("seed", "trainer", "training", "generation", "evaluation")
_TAKEN = {
    "generated": "records generated, those that were rejected too",
    "seconds": "seconds",
    "cpu_seconds": "seconds of all cores",
    "tokens": "tokens",
    "flops": "floating point operations",
}


def training_steps(scope: Scope) -> Found:
    """The steps from which models and data came, and how these are known."""
    for made in scope.about:
        if made.kind in ("model", "dataset"):
            for edge in made.sources:
                step = f"{named(made)}, {spaced(edge.role)}"
                yield f"{step} {scope.name(edge.id)}", edge.evidence


def pretrained_models(scope: Scope) -> Found:
    """Models that come from outside: their origin and their content."""
    for made in scope.roots:
        if made.kind == "model":
            for key, field in made.origin.items():
                if key != "by":
                    yield f"{named(made)}, {key}", field
            held = made.bytes.value or {}
            if digest := held.get("root") or held.get("digest"):
                yield f"{named(made)}, files", recorded(digest, made.id)


def architecture(scope: Scope) -> Found:
    """The architecture as the config has it, and the size of the weights."""
    for config in scope.configs:
        params = config.params.value if config.params else {}
        for name, value in flat(params, "model"):  # type: ignore[arg-type]
            yield f"{named(config)}, {name}", recorded(value, config.id)
    for model in scope.models:
        size = (model.bytes.value or {}).get("size")
        if isinstance(size, int):
            told = recorded(f"{size:,} bytes", model.id)
            yield f"{named(model)}, files", told


def settings(scope: Scope) -> Found:
    """The settings of training, generation and evaluation."""
    for config in scope.configs:
        params: Any = config.params.value if config.params else {}
        some = {key: params[key] for key in _SETTINGS if params.get(key) is not None}
        for name, value in flattened(some):
            if value != "null":
                yield f"{named(config)}, {name}", recorded(value, config.id)


def code(scope: Scope) -> Found:
    """The code that made each part, by its SHA-256."""
    for made in scope.about:
        if made.code and made.code.value:
            for name, value in flattened(made.code.value):
                yield f"{named(made)}, {name}", recorded(value, made.id)


def software(scope: Scope) -> Found:
    """The software with which models and data were made."""
    seen: set[tuple[str, str]] = set()
    for made in scope.about:
        said: Any = made.circumstances.value if made.circumstances else {}
        environment = said.get("environment")
        for name, version in _versions(environment):
            if (name, version) not in seen:
                seen.add((name, version))
                yield name, Field("recorded", version, event=made.event)


def _versions(environment: object) -> Iterator[tuple[str, str]]:
    if not isinstance(environment, Mapping):
        return
    if python := environment.get("python"):
        yield "python", str(python)
    packages = environment.get("packages")
    if isinstance(packages, Mapping):
        yield from ((str(name), str(version)) for name, version in packages.items())


def compute(scope: Scope) -> Found:
    """What all turns took together, with those that were rejected."""
    for loop in scope.report.loops:
        spent = [turn.compute for turn in loop.turns if turn.compute]
        for name, unit in _TAKEN.items():
            if total := _sum(spent, name, len(loop.turns)):
                yield f"loop {loop.name}, {unit}", scope.now(total)


def _sum(spent: Iterable[Compute], name: str, turns: int) -> str:
    """The sum of what is recorded, and of how many turns that is."""
    values = [value for one in spent if (value := getattr(one, name)) is not None]
    told = f"{amount(sum(values))} in {len(values):,} of {turns:,} turns"
    return told if values else ""
