"""Loops of `tests/science` through the real runner, and what was measured in them.

An experiment is a folder with a module of steps, whose `prepare` writes the data and
the model to start from, and a .yaml for each regime. `Lab.run` copies it into a
registry, runs the loop there and reads the metrics back from the commits: no number
comes from anywhere else.
"""

from __future__ import annotations

import shutil
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

import lineage
from lineage.errors import GateFailed
from lineage.loop.running.runner import run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import ModuleType

    from lineage.registry import Registry
    from lineage.store.metric import Metric

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Outcome:
    """A loop at its end: the metrics of each generation, and why it stopped, if so.

    `stopped` is the sentence of the gate.
    """

    loop: str
    generations: Sequence[Mapping[str, Metric]]
    stopped: str = ""

    def at_generation(self, metric: str, number: int) -> float | None:
        """One metric of one generation, where it has it."""
        found = dict(enumerate(self.generations)).get(number, {}).get(metric)
        return found.value if found else None

    def values(self, metric: str) -> list[float]:
        """One metric, generation after generation; those without it left out."""
        found = (metrics.get(metric) for metrics in self.generations)
        return [each.value for each in found if each]


@dataclass(frozen=True, slots=True)
class Lab:
    """A registry to run experiments in."""

    registry: Registry

    def run(
        self, experiment: str, steps: str, regime: str, seed: int = 0, **changes: Any
    ) -> Outcome:
        """Run one regime of an experiment.

        Args:
            experiment: the folder's name.
            steps: the name of the module in it that has `prepare`.
            regime: the name of a .yaml file in it.
            seed: of the data and of the loop.
            changes: fields of the .yaml (`dataset__block_size=8`), and `prepare` with
                keywords for `prepare`.
        """
        name = changes.pop("name", f"{regime}-{seed}")
        folder = self.registry.root / name
        shutil.copytree(HERE / experiment, folder, ignore=_NO_CACHE)
        prepare = {"seed": seed, **changes.pop("prepare", {})}
        module(experiment, steps).prepare(folder, **prepare)
        path = folder / f"{regime}.yaml"
        spec = yaml.safe_load(path.read_text(encoding="utf-8"))
        spec |= {"name": folder.name, "seed": seed}
        for name, value in changes.items():
            _set(spec, name.split("__"), value)
        path.write_text(yaml.safe_dump(spec), encoding="utf-8")
        stopped = ""
        try:
            run(self.registry, path)
        except GateFailed as stop:
            stopped = str(stop)
        return Outcome(folder.name, self._measured(folder.name), stopped)

    def _measured(self, loop: str) -> list[Mapping[str, Metric]]:
        """The metrics along a loop's branch, generation 0 first."""
        ids = [self.registry.branches()[f"loop/{loop}"]]
        while before := self.registry.load(ids[-1]).ids("follows"):
            ids += before
        return [self.registry.load(id_).metrics for id_ in reversed(ids)]


_NO_CACHE = shutil.ignore_patterns("__pycache__")


def _set(spec: dict[str, Any], names: list[str], value: Any) -> None:
    for name in names[:-1]:
        spec = spec.setdefault(name, {})
    spec[names[-1]] = value


def module(experiment: str, steps: str) -> ModuleType:
    """A module of an experiment, loaded once; it may import what lies beside it."""
    name = f"science_{experiment}_{steps}"
    if name not in sys.modules:
        file = HERE / experiment / f"{steps}.py"
        spec = spec_from_file_location(name, file)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = module_from_spec(spec)
        sys.path.insert(0, str(file.parent))
        try:
            spec.loader.exec_module(sys.modules[name])
        finally:
            sys.path.remove(str(file.parent))
    return sys.modules[name]


@contextmanager
def lab(folder: Path) -> Iterator[Lab]:
    """A new registry in `folder`, closed at the end."""
    registry = lineage.init(folder)
    try:
        yield Lab(registry)
    finally:
        registry.close()
