"""Versions of datasets as loops make them, of real text: the standard library's source.

Each case is a folder with a folder per version, made from the one before: records that
come to those before, edits, new scores, records left out, another order, and ten
thousand small files of which a few change. The same on every run of one Python.
"""

from __future__ import annotations

import hashlib
import json
import random
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Lines = list[str]


def lines(size: int) -> Lines:
    """Records with prompts and completions, of `size` bytes together, in any order."""
    draw = random.Random(0)  # noqa: S311 - no secret
    found: Lines = []
    for text in _sources():
        for at in range(0, len(text), 600):
            prompt, completion = text[at : at + 120], text[at + 120 : at + 600]
            found.append(_record(draw, prompt, completion))
            size -= len(found[-1])
        if size <= 0:
            break
    draw.shuffle(found)
    return found


def _sources() -> Iterator[str]:
    for key in ("stdlib", "purelib"):
        for path in sorted(Path(sysconfig.get_path(key)).rglob("*.py")):
            if "test" not in path.parts:
                yield path.read_text(errors="replace")


def _record(draw: random.Random, prompt: str, completion: str) -> str:
    record = {
        "completion": completion,
        "id": hashlib.sha256(completion.encode(errors="replace")).hexdigest()[:12],
        "meta": {"model": "model/tutor", "seed": draw.getrandbits(31)},
        "prompt": prompt,
        "score": round(draw.random(), 4),
    }
    return json.dumps(record) + "\n"


def accumulated(old: Lines, new: Lines, _: random.Random) -> Lines:
    """All records so far, and a tenth as many new ones."""
    return old + new


def edited(old: Lines, new: Lines, draw: random.Random) -> Lines:
    """One line in a hundred is another one."""
    made = list(old)
    for line in new[: len(old) // 100]:
        made[draw.randrange(len(made))] = line
    return made


def rescored(old: Lines, _: Lines, draw: random.Random) -> Lines:
    """Each record with another score."""
    records = map(json.loads, old)
    return [
        json.dumps(record | {"score": round(draw.random(), 4)}) + "\n"
        for record in records
    ]


def filtered(old: Lines, new: Lines, draw: random.Random) -> Lines:
    """A tenth of the records left out here and there, as many put in."""
    made = [line for line in old if draw.random() >= 0.1]
    for line in new:
        made.insert(draw.randrange(len(made)), line)
    return made


def shuffled(old: Lines, _: Lines, draw: random.Random) -> Lines:
    """The same records in another order."""
    return draw.sample(old, len(old))


CHANGES: dict[str, Callable[[Lines, Lines, random.Random], Lines]] = {
    "accumulate": accumulated,
    "1 % edited": edited,
    "new scores": rescored,
    "10 % replaced": filtered,
    "shuffled": shuffled,
}


def datasets(size: int, count: int) -> Iterator[tuple[str, Iterator[str]]]:
    """Each case's name and its versions, which begin with `size` bytes."""
    found = lines(2 * size)
    middle = len(found) // 2
    for name, change in CHANGES.items():
        yield name, _versions(found[:middle], found[middle:], change, count)


def _versions(
    old: Lines,
    more: Lines,
    change: Callable[[Lines, Lines, random.Random], Lines],
    count: int,
) -> Iterator[str]:
    draw = random.Random(1)  # noqa: S311 - no secret
    yield "".join(old)
    for number in range(1, count):
        tenth = len(more) // 10
        old = change(old, more[tenth * number - tenth : tenth * number], draw)
        yield "".join(old)


def write_small(folders: Iterable[Path], count: int) -> None:
    """Folders of small files; each has a hundredth of the one before's changed."""
    draw = random.Random(2)  # noqa: S311 - no secret
    texts = [line[:180] for line in lines(count * 800)[:count]]
    for folder in folders:
        for number, text in enumerate(texts):
            path = folder / f"{number // 500:02}" / f"{number:05}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        for number in draw.sample(range(count), count // 100):
            texts[number] = texts[number][::-1]
