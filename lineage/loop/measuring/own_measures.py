"""Measures of the user's own: a function in a file, or one of an installed package.

A measure asks for what it needs by the names of its parameters. One with `model` is
of a model, one with `records` or `texts` of what a model wrote::

    def politeness(texts, human): ...
    def refusals(model, held_out, seed): ...

It returns a number, a mapping with a `value` and what else a metric has, or None
where there was nothing to count.
"""

from __future__ import annotations

import inspect
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from lineage.errors import LineageError, UsageError, raised
from lineage.loop.functions import load_object
from lineage.loop.spec.evaluation import OWN_MEASURES, in_file, measure_name
from lineage.loop.steps.contract import untouched
from lineage.loop.steps.users import guarded, tail
from lineage.store.objects import Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lineage.loop.spec import LoopSpec
    from lineage.loop.steps.protocol import Job

On = Literal["model", "dataset"]

_OF_MODEL = ("model", "held_out", "seed")
_OF_DATA = ("records", "texts", "human", "seed")
_FORM = (
    f"a measure of a model takes some of {', '.join(_OF_MODEL)}, "
    f"one of data some of {', '.join(_OF_DATA)}"
)


@dataclass(frozen=True, slots=True)
class OwnMeasure:
    """A measure that `evaluation.measures` names, ready to be taken."""

    name: str
    on: On
    function: Callable[..., object]
    wants: tuple[str, ...]
    origin: Mapping[str, str]

    def __call__(self, given: Mapping[str, Any]) -> Metric | None:
        """Take it of what is `given` by name.

        Raises:
            LineageError: it fails, or what it gives is no finite number.
        """
        try:
            value = self.function(**{name: given[name] for name in self.wants})
        except Exception as error:
            what = f"the measure {self.name} failed: {raised(error)}"
            raise LineageError(what) from error
        return None if value is None else self._metric(value)

    def _metric(self, value: object) -> Metric:
        try:
            said = Metric.from_user(_plain(value))
        except LineageError as error:
            message = f"the measure {self.name} cannot be recorded: {error}"
            raise LineageError(message, hint=error.hint) from None
        if not math.isfinite(said.value):
            raise LineageError(f"the measure {self.name} is {said.value}")
        definition = f"{said.definition or self.name} ({self._source(said)})"
        fields = (said.version, said.direction, said.n, said.interval)
        return Metric(said.value, definition, *fields)

    def _source(self, said: Metric) -> str:
        """Where it is from: to the byte, unless a version says what is the same."""
        place = self.origin.get("distribution") or self.origin["file"]
        stamp = self.origin.get("version") or self.origin["sha256"][:12]
        return place if said.version is not None else f"{place} {stamp}"


def load_measures(spec: LoopSpec, on: On | None = None) -> list[OwnMeasure]:
    """The measures that a spec names: all, or those `on` something.

    Raises:
        StoreError: a measure's file cannot be read.
        UsageError: it cannot be used, or a step of the user's stands where it is due.
        LineageError: it cannot be imported.
    """
    found = [_load(spec, measure) for measure in spec.evaluation.measures]
    for measure in found:
        step = "evaluate" if measure.on == "model" else "check"
        if getattr(spec.steps, step) is not None:
            what = "a model" if measure.on == "model" else "data"
            message = f"evaluation.measures: {measure.name} is a measure of {what}"
            why = f"which only the built-in {step} step takes"
            hint = f"let your {step} step measure it, or leave it out"
            raise UsageError(f"{message}, {why}", hint=hint)
    return [measure for measure in found if on in (None, measure.on)]


def take(job: Job, on: On, given: Mapping[str, Any]) -> dict[str, Metric]:
    """Take the spec's own measures `on` something; none is no work.

    Raises:
        LineageError: names the measure that failed.
    """
    with guarded(job.scratch / "log.txt"):
        measures = load_measures(job.spec, on)
    if not measures:
        return {}
    log = job.scratch / "measures.txt"
    log.unlink(missing_ok=True)
    try:
        with untouched(job), guarded(log):
            return dict(_taken(measures, given))
    except LineageError as error:
        said = log.exists() and log.stat().st_size
        raise LineageError(str(error), hint=tail(log) if said else "") from error


def _taken(
    measures: list[OwnMeasure], given: Mapping[str, Any]
) -> Iterator[tuple[str, Metric]]:
    for measure in measures:
        metric = measure(given)
        if metric is not None:
            yield measure.name, metric


def _load(spec: LoopSpec, measure: str) -> OwnMeasure:
    name, placed = measure_name(measure), in_file(measure)
    function = _from_file(spec, *placed) if placed else OWN_MEASURES[measure]
    on, wants = _asks(measure, function)
    return OwnMeasure(name, on, function, wants, spec.measure_origin(measure))


def _from_file(spec: LoopSpec, file: str, function: str) -> Callable[..., object]:
    """The function, from the source that the config has by hash."""
    path = spec.path(file)
    found = load_object(spec.content(file), path, function)
    if not callable(found):
        message = f"evaluation.measures: {file} has no function {function}"
        raise UsageError(message, hint=f"define it in {path}")
    return found  # type: ignore[no-any-return]


def _asks(measure: str, function: object) -> tuple[On, tuple[str, ...]]:
    """What a measure is of, and which facts it wants, by its parameters."""
    try:
        wants = tuple(inspect.signature(function).parameters)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        wants = ()
    if "model" in wants and not set(wants).difference(_OF_MODEL):
        return "model", wants
    if {"records", "texts"} & set(wants) and not set(wants).difference(_OF_DATA):
        return "dataset", wants
    asked = ", ".join(wants) or "nothing"
    message = f"evaluation.measures: {measure} takes {asked}"
    raise UsageError(message, hint=_FORM)


def _plain(value: Any) -> object:
    """A number of numpy's or torch's as Python's own."""
    return value.item() if hasattr(value, "item") else value
