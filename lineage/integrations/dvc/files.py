"""What DVC's files say: outs with their digests, and the stages that made them.

Nothing of DVC is imported: ``*.dvc``, ``dvc.lock`` and ``dvc.yaml`` are YAML, and those
of years ago are read as they are. A file that is none of these forms says nothing.
"""

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

_DIGESTS = ("md5", "etag", "checksum")


@dataclass(frozen=True, slots=True)
class Making:
    """How outs came about: a stage of a pipeline, or where they were imported from.

    `deps` are the digests of what a stage read, by path; "" where it has none.
    """

    stage: str = ""
    cmd: str = ""
    deps: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    metrics: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True)
class Out:
    """A file or folder that DVC keeps: its path, and the digest that DVC has of it.

    `legacy`: by DVC 2 and older, which left out the carriage returns of text. `cached`
    is False for what a stage leaves to git, such as metrics.
    """

    path: str
    digest: str
    legacy: bool
    model: bool
    making: Making
    cached: bool = True

    @property
    def is_folder(self) -> bool:
        return self.digest.endswith(".dir")


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What ``dvc.yaml`` adds to its lock file.

    By the name of a stage: the folder that it runs in, and its files of metrics. Which
    outs are models, and which are left to git.
    """

    folders: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    models: frozenset[str] = frozenset()
    uncached: frozenset[str] = frozenset()


def outs_of(path: str, data: Any) -> Iterator[Out]:
    """The outs of a ``*.dvc`` file, whose stage it is itself."""
    if not isinstance(data, Mapping):
        return
    folder = _below(posixpath.dirname(path), str(data.get("wdir") or "."))
    deps = list(_mappings(data.get("deps")))
    making = Making(
        cmd=str(data.get("cmd") or ""),
        deps={_below(folder, str(d["path"])): _digest(d) for d in deps if "path" in d},
        source=next((s for dep in deps if (s := _source(dep))), ""),
    )
    for out in _mappings(data.get("outs")):
        if "path" in out and _digest(out):
            yield _out(folder, out, making, model=out.get("type") == "model")


def locked_outs(path: str, data: Any, pipeline: Pipeline) -> Iterator[Out]:
    """The outs of all stages of a ``dvc.lock``."""
    if not isinstance(data, Mapping):
        return
    stages = data.get("stages") if "schema" in data else data
    for name, stage in (stages if isinstance(stages, Mapping) else {}).items():
        if not isinstance(stage, Mapping):
            continue
        template = str(name).partition("@")[0]  # of a stage that is there many times
        base = posixpath.dirname(path)
        folder = _below(base, pipeline.folders.get(template, "."))
        deps = [dep for dep in _mappings(stage.get("deps")) if "path" in dep]
        making = Making(
            stage=str(name),
            cmd=_command(stage.get("cmd")),
            deps={_below(folder, str(d["path"])): _digest(d) for d in deps},
            params=_params(stage.get("params")),
            metrics=pipeline.metrics.get(template, ()),
        )
        for out in _mappings(stage.get("outs")):
            if "path" in out and _digest(out):
                where = _below(folder, str(out["path"]))
                made = _out(folder, out, making, model=where in pipeline.models)
                yield replace(made, cached=where not in pipeline.uncached)


def pipeline_of(path: str, data: Any) -> Pipeline:
    """What a ``dvc.yaml`` says beside its stages' commands."""
    if not isinstance(data, Mapping):
        return Pipeline()
    stages, artifacts = data.get("stages"), data.get("artifacts")
    known = stages if isinstance(stages, Mapping) else {}
    named = {str(n): s for n, s in known.items() if isinstance(s, Mapping)}
    chosen = artifacts.values() if isinstance(artifacts, Mapping) else ()
    base = posixpath.dirname(path)
    left = {_below(base, name) for name, _ in _declared(data.get("metrics"))}
    metrics: dict[str, tuple[str, ...]] = {}
    uncached: set[str] = set()
    for name, stage in named.items():
        folder = _below(base, str(stage.get("wdir") or "."))
        own = [_below(folder, each) for each, _ in _declared(stage.get("metrics"))]
        for key in ("outs", "metrics", "plots"):
            for each, options in _declared(stage.get(key)):
                where = _below(folder, each)
                own += [m for m in left if m == where or m.startswith(f"{where}/")]
                if options.get("cache") is False:
                    uncached.add(where)
        metrics[name] = tuple(sorted(set(own)))
    return Pipeline(
        folders={n: str(s["wdir"]) for n, s in named.items() if s.get("wdir")},
        metrics=metrics,
        models=frozenset(
            _below(base, str(one["path"]))
            for one in _mappings(chosen)
            if one.get("type") == "model" and "path" in one
        ),
        uncached=frozenset(uncached),
    )


def _out(folder: str, out: Mapping[str, Any], making: Making, *, model: bool) -> Out:
    where = _below(folder, str(out["path"]))
    return Out(where, _digest(out), out.get("hash") != "md5", model, making)


def _digest(said: Mapping[str, Any]) -> str:
    return next((str(said[name]) for name in _DIGESTS if said.get(name)), "")


def _below(folder: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(folder, path))


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    listed = value if not isinstance(value, str | Mapping) and value else ()
    return (each for each in listed if isinstance(each, Mapping))


def _declared(value: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Names of a list with what is said of them: ``- name: {cache: false}``."""
    for each in value if isinstance(value, list) else ():
        pairs = each.items() if isinstance(each, Mapping) else [(each, None)]
        for name, options in pairs:
            yield str(name), options if isinstance(options, Mapping) else {}


def _command(value: Any) -> str:
    return "\n".join(map(str, value)) if isinstance(value, list) else str(value or "")


def _params(value: Any) -> dict[str, Any]:
    """The parameters that a stage was run with; those of params.yaml stand first."""
    files = value if isinstance(value, Mapping) else {}
    own = files.get("params.yaml")
    others = {str(k): v for k, v in files.items() if k != "params.yaml"}
    return {**(own if isinstance(own, Mapping) else {}), **others}


def _source(dep: Mapping[str, Any]) -> str:
    """Where something was imported from: a repository, or a URL."""
    repo = dep.get("repo")
    if isinstance(repo, Mapping):
        at = repo.get("rev_lock") or repo.get("rev") or ""
        return f"{repo.get('url', '')}@{at}:{dep.get('path', '')}"
    path = str(dep.get("path", ""))
    return path if "://" in path else ""
