"""One branch, one config: a loop whose spec or data changed is another loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lineage.errors import UsageError
from lineage.loop.branches import branch_of
from lineage.loop.spec.gates import GATES
from lineage.store.canonical import Json, canonical, digest, normalise
from lineage.store.digests import sha256_at
from lineage.store.objects import Commit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from lineage.loop.running.journal import Parts
    from lineage.loop.spec import LoopSpec
    from lineage.registry import Registry

# What of `generation` decides how records are drawn.
_DRAWN = (
    "prompts",
    "prompt_length",
    "system_prompt",
    "chat",
    "stop",
    "generation_config",
)
# What a branch made from another loop's generation takes over from it.
_TAKEN_OVER = ("dataset", "model")


def config_id(spec: LoopSpec) -> str:
    """The id of the config commit that a spec stands for."""
    return Commit("config", spec.name, params=spec.resolved()).id


def check(registry: Registry, spec: LoopSpec, past: Sequence[Parts]) -> None:
    """Refuse to go on with another config or other data than the branch has.

    A branch that somebody made from another loop's generation (`lineage branch
    loop/NEW loop/OLD`) may change all but its data and its seed model.

    Raises:
        UsageError: names what changed and the two ways on.
    """
    commit = registry.load(past[-1].config)
    was: Any = commit.params
    now: Any = normalise(spec.resolved(), "config")
    if len(past) == 1:  # no gate has judged data yet: thresholds are still open
        was, now = _without_thresholds(was, now), _without_thresholds(now, was)
    if commit.name != spec.name:
        was, now = ({key: each[key] for key in _TAKEN_OVER} for each in (was, now))
    changed = next(_differences("", was, now), None)
    changed = changed or _changed_file(registry, spec, past[0])
    if changed:
        number = len(past) - 1
        message = f"{branch_of(spec.name)} is at generation {number} and {changed}"
        hint = "put it back as it was, or give the loop another name"
        raise UsageError(message, hint=hint)


def _without_thresholds(
    config: Mapping[str, Any], other: Mapping[str, Any]
) -> dict[str, Any]:
    """A config without the thresholds of gates that another one has too."""
    shared = {gate["id"] for gate in other["gates"]}
    gates = []
    for gate in config["gates"]:
        fields = {"threshold_from", *GATES[gate["type"]].Section.thresholds}
        open_ = fields if gate["id"] in shared else ()
        gates.append({key: value for key, value in gate.items() if key not in open_})
    return {**config, "gates": gates}


def sampling(config: Mapping[str, Any]) -> Json:
    """What of a config decides how records are drawn from a model."""
    section, drawn = config["generation"], _DRAWN
    plain = {name: section.get(name) for name in drawn}
    return normalise(plain | {"step": config["steps"]["generate"]}, "config")


def _differences(path: str, was: Any, now: Any) -> Iterator[str]:
    """`training.learning_rate has changed from 0.002 to 0.001`, one for each."""
    if was == now:
        return
    if was is None or now is None:
        how, value = ("added", now) if was is None else ("removed", was)
        yield f"{path} has been {how}: {_shown(value)}"
    elif isinstance(was, dict) and isinstance(now, dict):
        yield from _inside(path, was, now)
    elif path == "gates":
        yield from _inside(path, *({g["id"]: g for g in each} for each in (was, now)))
        yield "gates are in another order"
    else:
        yield f"{path} has changed from {_shown(was)} to {_shown(now)}"


def _inside(path: str, was: dict[str, Any], now: dict[str, Any]) -> Iterator[str]:
    file, digest = now.get("file"), now.get("sha256")
    if digest and file == was.get("file") and digest != was.get("sha256"):
        yield f"{file}, {path}, has changed"
    for key in sorted(was.keys() | now.keys()):
        inner = f"{path}.{key}" if path else key
        yield from _differences(inner, was.get(key), now.get(key))


def _shown(value: Any) -> str:
    """A value as `loop.yaml` has it."""
    if isinstance(value, dict):
        given = {key: each for key, each in value.items() if each is not None}
        return "{" + ", ".join(f"{k}: {_shown(v)}" for k, v in given.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_shown, value)) + "]"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return str(value)


def _changed_file(registry: Registry, spec: LoopSpec, zero: Parts) -> str | None:
    """Files that are gone are no change: the registry has what was read of them."""
    dataset = spec.dataset
    named = [(zero.human, dataset.train_file)]
    if dataset.validation_file:
        named.append((zero.held_out, dataset.validation_file))
    for id_, names in named:
        recorded = registry.load(id_).params["files"]
        for name, known in zip(names, recorded, strict=True):
            file = spec.path(name)
            if file.exists() and file_sha256(file) != known["sha256"]:
                return f"{file} has changed"
    return None


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes; of a folder's, that of its files' in order.

    What `datasets` cached beside what it saved is not part of a folder.
    """
    if path.is_file():
        return sha256_at(path)
    files = sorted(f for f in path.rglob("*") if f.is_file())
    named: Json = {
        f.relative_to(path).as_posix(): file_sha256(f)
        for f in files
        if not f.name.startswith("cache-")
    }
    return digest(canonical(named))
