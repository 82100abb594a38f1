"""The loops of `lineage demo`: their files, and what came out of them.

The seeds were fixed before anybody saw a result, and stay whatever comes out.
"""

from __future__ import annotations

import json
import platform
import textwrap
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from lineage.loop.branches import branch_of
from lineage.loop.measuring.measures import Corpus, distinct_2
from lineage.loop.records.shards import Shard, read_texts
from lineage.loop.seeds import order
from lineage.loop.steps.tokenizer import Subwords, Tokens, Words
from lineage.loop.templates import read, render, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lineage.registry import Registry
    from lineage.store.files import FileEntry

STRATEGIES = ("replace", "accumulate")
MEASURES = ("perplexity", "distinct_2")
SOURCE = f"pydoc_data.topics of Python {platform.python_version()}"
LICENCE = "PSF-2.0"

_FILES = ("text/checks.py", "demo/plant.py", "demo/flip.py")
_SAMPLE = 10_000  # tokens: the default of evaluation.sample_size
_HELD_OUT = (10, 6)  # of ten pages in a row this one: a tenth of the text
_SOLD = 280  # characters of a record that somebody sells


@dataclass(frozen=True, slots=True)
class Size:
    """How large the demo is; a model of torch takes `steps` of 32 records each."""

    seeds: tuple[int, ...]
    generations: int
    records: int
    steps: int = 0
    held_out: int = 0

    @property
    def fast(self) -> bool:
        """Whether models are tables that numpy counts."""
        return not self.steps


FULL = Size(seeds=(0, 1, 2), generations=3, records=800, steps=80, held_out=300)
FAST = Size(seeds=(0,), generations=3, records=800)


def loop_name(what: str, seed: int) -> str:
    """`replace` for seed 0, `replace-1` for seed 1."""
    return f"{what}-{seed}" if seed else what


def write_files(folder: Path, size: Size) -> None:
    """Write the text, what is sold, the checks, and the spec of every loop."""
    human, held_out = _pages()
    write(folder / "python-docs.txt", "\n\n".join(human))
    write(folder / "held-out.txt", "\n\n".join(held_out))
    write(folder / "bought.jsonl", "".join(_sold(human, held_out, size.records)))
    for name in (*_FILES, *(["demo/bigram.py"] if size.fast else [])):
        write(folder / name.rpartition("/")[2], read(name))
    for seed in size.seeds:
        _write_spec(folder, size, "seed", seed, generations=0)
        for strategy in STRATEGIES:
            _write_spec(folder, size, strategy, seed)
    for name in ("planted", "override"):
        _write_spec(folder, size, name, size.seeds[0])
    _write_spec(folder, size, "next", size.seeds[0], generations=size.generations + 1)


def _pages() -> tuple[list[str], list[str]]:
    """The pages to learn from, and those to measure on."""
    from pydoc_data.topics import topics

    every, place = _HELD_OUT
    pages = [topics[name] for name in sorted(topics)]
    human = [page for at, page in enumerate(pages) if at % every != place]
    return human, pages[place::every]


def _sold(human: list[str], held_out: list[str], count: int) -> Iterator[str]:
    """Records of the held-out pages, and of others: who copied a site copied both."""
    ours, theirs = (_blocks(pages) for pages in (human, held_out))
    chosen = theirs + [ours[at] for at in order(len(ours), "sold")]
    chosen = chosen[:count]
    for number, at in enumerate(order(len(chosen), "shuffled")):
        record = {"id": f"bought-{number:05d}", "text": chosen[at]}
        yield json.dumps(record) + "\n"


def _blocks(pages: list[str]) -> list[str]:
    return [block for page in pages for block in textwrap.wrap(page, _SOLD)]


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
        "fast": size.fast,
        "strategy": what if what in STRATEGIES else "accumulate",
        "planted": what in ("planted", "override"),
        "source": SOURCE,
        "licence": LICENCE,
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
        revisions = [f"{branch_of(loop_name(strategy, s))}~{back}" for s in size.seeds]
        commits = (registry.load(registry.resolve(r)) for r in revisions)
        found = (commit.metrics.get(measure) for commit in commits)
        yield [metric.value for metric in found if metric]


def human_distinct_2(registry: Registry, size: Size) -> float:
    """distinct_2 of the human text, on a sample as large as those of the models'."""
    generation = registry.load(registry.resolve("loop/seed"))
    parts = {registry.load(id_).kind: id_ for id_ in generation.ids("includes")}
    files = [registry.payloads.path(e.md5) for e in registry.files(parts["dataset"])]
    texts = list(read_texts(Shard(path, 0) for path in files))
    rows = _tokens(registry, parts["model"]).encode(texts)
    return distinct_2(Corpus(texts, rows).sample(_SAMPLE, size.seeds[0])).value


def _tokens(registry: Registry, model: str) -> Tokens:
    """A model's tokenizer; words where it has none."""
    files = registry.files(model)
    found = [e.md5 for e in files if e.path == "tokenizer.json"]
    if not found:
        return Words()
    from tokenizers import Tokenizer

    return Subwords(Tokenizer.from_file(str(registry.payloads.path(found[0]))))


def bought(registry: Registry, revision: str) -> str:
    """The records of a generation that nobody knows the origin of, as they trained."""
    generation = registry.load(registry.resolve(revision))
    parts = [(id_, registry.load(id_)) for id_ in generation.ids("includes")]
    [found] = [
        id_ for id_, part in parts if (part.origin or {}).get("type") == "unknown"
    ]
    return found


def weights(registry: Registry, revision: str) -> FileEntry:
    """The largest file of a model."""
    files = registry.files(registry.resolve(revision))
    return max(files, key=lambda entry: entry.size)
