"""The file contract with steps of the user's own, in words for both sides.

`describe` is what such a step is given, `result` and `check_output` are what it
may leave, `untouched` holds it to reading its inputs only. `docs/steps.md` says the
same for people.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lineage.errors import LineageError
from lineage.loop.measuring.definitions import MEASURES
from lineage.loop.records.shards import read_records, shards_of
from lineage.loop.running.verdicts import ACTIONS
from lineage.loop.steps.protocol import Job, Result
from lineage.store.canonical import normalise
from lineage.store.objects import ORIGINS, Metric

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_KEYS: dict[str, tuple[type, ...]] = {
    "metrics": (Mapping,),
    "gates": (list, tuple),
    "circumstances": (Mapping,),
    "shares": (Mapping,),
    "uses": (list, tuple),
    "origin": (Mapping,),
}
_OF_RECORDS = ("generate", "mix")  # steps that may get records from elsewhere


def describe(job: Job, result_file: Path) -> dict[str, Any]:
    """A job as a command reads it, in plain JSON."""
    return {
        "step": job.step,
        "loop": job.spec.name,
        "generation": job.generation,
        "attempt": job.attempt,
        "seed": job.seed,
        "num_threads": job.spec.num_threads,
        "inputs": {role: str(path) for role, path in job.inputs.items()},
        "ids": dict(job.ids),
        "roots": dict(job.roots),
        "output": str(job.output),
        "scratch": str(job.scratch),
        "result": str(result_file),
        "spec": job.spec.resolved(),
    }


def result(step: str, said: object) -> Result:
    """What a user's step said, checked; None is nothing to say.

    Raises:
        LineageError: names the step and what is wrong.
    """
    if isinstance(said, Result):
        known = {key: getattr(said, key) for key in _KEYS}
        said = {key: value for key, value in known.items() if value is not None}
    if said is None:
        return Result()
    if not isinstance(said, dict) or not all(
        isinstance(value, _KEYS.get(key, ())) for key, value in said.items()
    ):
        message = f"the {step} step's result is not a mapping of what a step can say"
        hint = f"mappings or, for gates, a list: {', '.join(_KEYS)}"
        raise LineageError(message, hint=hint)
    try:
        metrics = {
            str(name): _finite(str(name), Metric.from_user(value))
            for name, value in said.get("metrics", {}).items()
        }
        rest: Any = normalise({k: said[k] for k in said if k != "metrics"}, "result")
        _check_gates(step, rest.get("gates", []))
        _check_origin(step, rest.get("origin"))
    except LineageError as error:
        message = f"the {step} step's result cannot be recorded: {error}"
        raise LineageError(message, hint=f"it says {', '.join(_KEYS)}") from None
    return Result(metrics=metrics, **rest)


def said_of(outcome: Result) -> dict[str, Any]:
    """A result as a step of the user's could have said it, in plain JSON."""
    said = {key: getattr(outcome, key) for key in _KEYS}
    said["metrics"] = {n: each.to_json() for n, each in outcome.metrics.items()}
    plain: Any = normalise({k: v for k, v in said.items() if v is not None}, "result")
    return plain  # type: ignore[no-any-return]


def _finite(name: str, metric: Metric) -> Metric:
    if not math.isfinite(metric.value):
        raise LineageError(f"{name} is {metric.value}")
    return metric


def _check_gates(step: str, gates: Any) -> None:
    """A verdict is what the loop can act on; only a check leaves records out."""
    actions = (*ACTIONS, "drop") if step == "check" else ACTIONS
    for gate in gates:
        known = isinstance(gate, dict) and isinstance(gate.get("id"), str)
        if not known or gate.get("verdict") not in ("pass", "fail"):
            raise LineageError("a gate needs an id and a verdict, pass or fail")
        if gate.get("action", "stop") not in actions:
            raise LineageError(
                f"the action of {gate['id']} is none of {', '.join(actions)}"
            )


def _check_origin(step: str, origin: Any) -> None:
    if origin is None:
        return
    if step not in _OF_RECORDS:
        raise LineageError("an origin is said of records, by generate or mix")
    if origin.get("type") not in ORIGINS:
        raise LineageError(f"an origin needs a type, one of {', '.join(ORIGINS)}")


def check_output(job: Job, said: Result) -> None:
    """Refuse what the loop could not go on with.

    Raises:
        LineageError: no records or no model where they are due, records that are
            none, an evaluation without metrics, a use or share of what is no input.
    """
    sources = [r for r in job.inputs if r != "base" or job.step == "train"]
    if len(set(said.uses or ())) < len(said.uses or ()):
        raise LineageError(f"the {job.step} step names one of its inputs twice")
    if strange := {*said.shares, *(said.uses or ())}.difference(sources):
        message = f"the {job.step} step names {min(strange)}, which is no input of it"
        raise LineageError(message, hint=f"inputs: {', '.join(sources)}")
    _check_names(job, said)
    if missing := _missing(job, said):
        hint = "files go into the job's output folder, metrics into the result"
        raise LineageError(f"the {job.step} step {missing}", hint=hint)


def _missing(job: Job, said: Result) -> str:
    """What a step that has ended has not left behind."""
    if job.step == "evaluate":
        return "" if said.metrics else "measured nothing"
    if job.step == "train":
        return "" if any(job.output.iterdir()) else "wrote no model"
    shards = shards_of(job.output)
    records = sum(_count(job.step, shard.path) for shard in shards)
    rejected_all = job.step == "check" and said.gates
    return "" if records or rejected_all else "wrote no records"


def _check_names(job: Job, said: Result) -> None:
    """A name of ours means what it means here.

    A built-in step's own result, handed on by a step of the user's, has our measures
    with their definitions, and in a check our gates.
    """
    for name, metric in said.metrics.items():
        if name in MEASURES and metric.definition is None:
            message = f"the {job.step} step calls a metric {name}, which is a measure"
            hint = "give it another name, or say its definition"
            raise LineageError(message, hint=hint)
    ours = {gate.id for gate in job.spec.gates} if job.step != "check" else set()
    for gate in said.gates:
        if gate["id"] in ours:
            message = f"the {job.step} step calls a verdict {gate['id']}, which is a"
            raise LineageError(
                f"{message} gate of loop.yaml", hint="rename one of them"
            )


def _count(step: str, shard: Path) -> int:
    """How many records a file has, all of them text that UTF-8 can hold."""
    number = 0
    for number, record in enumerate(read_records(shard), start=1):
        try:
            json.dumps(record, ensure_ascii=False).encode()
        except UnicodeEncodeError:  # a lone surrogate, which JSON can spell
            what = f"record {number} of {shard.name} is no Unicode text"
            message = f"the {step} step wrote what cannot be kept: {what}"
            raise LineageError(message, hint="leave lone surrogates out") from None
    return number


def read_result(step: str, file: Path) -> Any:
    try:
        return json.loads(file.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError:
        message = f"the {step} step wrote a result that is not JSON"
        raise LineageError(message, hint=str(file)) from None


@contextmanager
def untouched(job: Job) -> Iterator[None]:
    """Refuse a step that writes where it only reads.

    That is its inputs, what else lies in the loop's work folder, and the files of
    human text. Nobody looks at the rest of the disk.

    Raises:
        LineageError: names the file.
    """
    before = _stamps(job)
    yield
    after = _stamps(job)
    changed = [path for path in before | after if before.get(path) != after.get(path)]
    if changed:
        what = "its input " if _is_input(job, min(changed)) else ""
        message = f"the {job.step} step changed {what}{min(changed)}"
        raise LineageError(message, hint="write to the output folder only")


def _stamps(job: Job) -> dict[Path, tuple[int, ...]]:
    """Of every file what a write changes; a time of change cannot be set back."""
    folders = {*job.inputs.values(), *_neighbours(job)}
    files = {path for folder in folders for path in folder.rglob("*")}
    dataset = job.spec.dataset
    for name in (*dataset.train_file, *(dataset.validation_file or ())):
        place = job.spec.path(name)
        files |= {place, *place.rglob("*")}
    return {
        path: (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
        for path in files
        if path.is_file() and (stat := path.stat())
    }


def _neighbours(job: Job) -> Iterator[Path]:
    """What else lies in the loop's work folder: other inputs and other steps."""
    own = job.output.parent
    for folder in (own.parent, own.parent.parent / "inputs"):
        if (own.parent.parent / "lock").is_file() and folder.is_dir():
            yield from (each for each in folder.iterdir() if each != own)


def _is_input(job: Job, path: Path) -> bool:
    return any(path.is_relative_to(folder) for folder in job.inputs.values())
