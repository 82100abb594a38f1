"""The loops of `lineage demo`: their files, and what came out of them.

The seeds were fixed before anybody saw a result, and stay whatever comes out.
"""

from __future__ import annotations

import platform
import stat
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from lineage.loop.measuring.measures import Corpus, distinct_2
from lineage.loop.records.shards import Shard, read_texts
from lineage.loop.templates import read, render, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lineage.registry import Registry
    from lineage.store.files import FileEntry

STRATEGIES = ("replace", "accumulate")
MEASURES = ("perplexity", "distinct_2")
PARAMETERS = 84_288

_TEXT = "python-docs.txt"
_SAMPLE = 10_000  # tokens: the default of evaluation.sample_size


@dataclass(frozen=True, slots=True)
class Size:
    """How large the demo is: `steps` of 32 records each train a model."""

    seeds: tuple[int, ...]
    generations: int
    records: int
    steps: int
    held_out: int


FULL = Size(seeds=(0, 1, 2), generations=3, records=800, steps=160, held_out=300)
QUICK = Size(seeds=(0,), generations=2, records=200, steps=40, held_out=100)


def loop_name(what: str, seed: int) -> str:
    """`replace` for seed 0, `replace-1` for seed 1."""
    return f"{what}-{seed}" if seed else what


def write_files(folder: Path, size: Size) -> None:
    """Write the text, its checks, and the spec of every loop."""
    from pydoc_data.topics import topics

    whole = "\n\n".join(topics[name] for name in sorted(topics))
    write(folder / _TEXT, whole)
    for name in ("text/checks.py", "demo/plant.py"):
        write(folder / Path(name).name, read(name))
    for seed in size.seeds:
        _write_spec(folder, size, "seed", seed, generations=0)
        for strategy in STRATEGIES:
            _write_spec(folder, size, strategy, seed)
    _write_spec(folder, size, "planted", size.seeds[0], generations=1)


def _write_spec(
    folder: Path, size: Size, what: str, seed: int, generations: int | None = None
) -> None:
    name = loop_name(what, seed)
    values = {
        "name": name,
        "num_generations": size.generations if generations is None else generations,
        "seed": seed,
        "records": size.records,
        "steps": size.steps,
        "held_out": size.held_out,
        "strategy": what if what in STRATEGIES else "accumulate",
        "planted": what == "planted",
        "source": f"pydoc_data.topics of Python {platform.python_version()}",
    }
    write(folder / f"{name}.yaml", render("demo/demo.yaml.j2", values))


@dataclass(frozen=True, slots=True)
class Curve:
    """A measure along the generations of a strategy: per generation, one per seed."""

    strategy: str
    measure: str
    points: list[list[float]]

    @property
    def means(self) -> list[float]:
        """The mean over the seeds; generations without a value are left out."""
        return [sum(point) / len(point) for point in self.points if point]


def curves(registry: Registry, size: Size) -> list[Curve]:
    """What was measured in every generation of every loop."""
    return [
        Curve(strategy, measure, list(_points(registry, size, strategy, measure)))
        for measure, strategy in product(MEASURES, STRATEGIES)
    ]


def _points(
    registry: Registry, size: Size, strategy: str, measure: str
) -> Iterator[list[float]]:
    for back in range(size.generations, -1, -1):
        revisions = [f"loop/{loop_name(strategy, s)}~{back}" for s in size.seeds]
        commits = (registry.load(registry.resolve(r)) for r in revisions)
        found = (commit.metrics.get(measure) for commit in commits)
        yield [metric.value for metric in found if metric]


def human_distinct_2(registry: Registry, size: Size) -> float:
    """distinct_2 of the human text, on a sample as large as those of the models'."""
    from tokenizers import Tokenizer

    generation = registry.load(registry.resolve("loop/seed"))
    parts = {registry.load(id_).kind: id_ for id_ in generation.ids("includes")}
    files = [registry.payloads.path(e.md5) for e in registry.files(parts["dataset"])]
    texts = list(read_texts(Shard(path, 0) for path in files))
    [tokens] = [e for e in registry.files(parts["model"]) if e.path == "tokenizer.json"]
    tokenizer = Tokenizer.from_file(str(registry.payloads.path(tokens.md5)))
    rows = [one.ids for one in tokenizer.encode_batch(texts, add_special_tokens=False)]
    return distinct_2(Corpus(texts, rows).sample(_SAMPLE, size.seeds[0])).value


def flip(registry: Registry, entry: FileEntry) -> Path:
    """Turn one bit in the middle of a file in the cache; again to turn it back.

    Returns where DVC keeps the file; our pin of it is a hard link to the same bytes.
    """
    objects = registry.payloads.cache / "files" / "md5"
    path = objects / entry.md5[:2] / entry.md5[2:]
    mode = path.stat().st_mode
    path.chmod(mode | stat.S_IWUSR)
    with path.open("r+b") as file:
        file.seek(entry.size // 2)
        byte = file.read(1)[0]
        file.seek(entry.size // 2)
        file.write(bytes([byte ^ 1]))
    path.chmod(mode)
    return path
