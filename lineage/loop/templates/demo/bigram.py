"""A language model in a page of numpy: which piece of text follows which.

As steps of a loop (docs/steps.md): `generate` writes records, `train` makes a successor
from records, `evaluate` measures one on text that no model has seen. As a script it
trains generation 0:

    python3 bigram.py human.txt FOLDER
"""

import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

SIZE = 512  # pieces in the vocabulary
TEMPERATURE = 0.8
KNOWN = 0.9  # how far the pairs are trusted; single pieces have the rest


def generate(job: Any) -> dict[str, Any]:
    """Write a record for each human one: its first piece, and as many as it has."""
    model = Model(job.inputs["model"])
    human = list(records(job.inputs["human"]))
    rows = [model.numbers(record["text"]) for record in human]
    written = model.sample([row[0] for row in rows], max(map(len, rows)), job.seed)
    with (job.output / "written.jsonl").open("w") as file:
        for number, (record, row) in enumerate(zip(human, rows, strict=True)):
            pieces = [model.pieces[at] for at in written[number][: len(row)]]
            line = {
                "id": f"g{job.generation:03d}-{number:05d}",
                "prompt": pieces[0],
                "prompt_source": record["id"],
                "generator": job.roots["model"],
                "text": "".join(pieces),
            }
            file.write(json.dumps(line) + "\n")
    return {"circumstances": {"tokens": sum(map(len, rows))}}


def train(job: Any) -> dict[str, Any]:
    """Count the pairs of the training set, with the vocabulary of generation 0."""
    pieces = Model(job.inputs["base"]).pieces
    texts = [record["text"] for record in records(job.inputs["dataset"])]
    tokens = fit(texts, pieces, job.output)
    return {"uses": ["dataset"], "circumstances": {"tokens": tokens}}


def evaluate(job: Any) -> dict[str, Any]:
    """How surprised a model is by text that people wrote and no model has seen."""
    model = Model(job.inputs["model"])
    texts = [record["text"] for record in records(job.inputs["held_out"])]
    rows = [model.numbers(text) for text in texts]
    bits, pieces = sum(map(model.bits, rows)), sum(len(row) - 1 for row in rows)
    octets = sum(len(text.encode()) for text in texts)
    return {
        "metrics": {
            "perplexity": {
                "value": 2 ** (bits / pieces),
                "n": pieces,
                "direction": "lower",
                "definition": "2 to the mean bits of a piece of held-out text",
            },
            "bits_per_byte": {
                "value": bits / octets,
                "n": octets,
                "direction": "lower",
                "definition": "bits per byte of held-out text",
            },
        }
    }


class Model:
    """A table of how likely each piece is, after each piece and by itself."""

    def __init__(self, folder: Path) -> None:
        self.pieces: list[str] = json.loads((folder / "pieces.json").read_text())
        self.places = {piece: at for at, piece in enumerate(self.pieces)}
        weights = load_file(folder / "model.safetensors")
        self.pairs, self.single = weights["pairs"], weights["single"]

    def numbers(self, text: str) -> list[int]:
        return encode(text, self.places)

    def bits(self, row: list[int]) -> float:
        """How many bits a text takes, but for its first piece."""
        before, after = np.array(row[:-1]), np.array(row[1:])
        chance = KNOWN * self.pairs[before, after] + (1 - KNOWN) * self.single[after]
        return float(-np.log2(chance.astype(np.float64)).sum())

    def sample(self, first: list[int], length: int, seed: int) -> Any:
        """Rows of pieces that begin with `first`, all of them at once."""
        mixed = KNOWN * self.pairs + (1 - KNOWN) * self.single
        chance = mixed.astype(np.float64) ** (1 / TEMPERATURE)
        upto = np.cumsum(chance / chance.sum(axis=1, keepdims=True), axis=1)
        draw = np.random.default_rng(seed)
        rows = np.empty((len(first), length), int)
        rows[:, 0] = first
        for at in range(1, length):
            dice = draw.random(len(first))[:, None]
            found = (upto[rows[:, at - 1]] < dice).sum(axis=1)
            rows[:, at] = np.minimum(found, len(self.pieces) - 1)
        return rows


def fit(texts: Iterable[str], pieces: list[str], folder: Path) -> int:
    """Write the model that has counted `texts`; returns how many pieces they have."""
    places = {piece: at for at, piece in enumerate(pieces)}
    rows = [np.array(encode(text, places)) for text in texts]
    size = len(pieces)
    single = 1 + np.bincount(np.concatenate(rows), minlength=size)
    joined = np.concatenate([row[:-1] * size + row[1:] for row in rows])
    pairs = np.bincount(joined, minlength=size * size).reshape(size, size)
    total = pairs.sum(axis=1, keepdims=True)
    single = single / single.sum()
    pairs = np.where(total > 0, pairs / np.maximum(total, 1), single)
    weights = {"pairs": pairs.astype(np.float32), "single": single.astype(np.float32)}
    save_file(weights, folder / "model.safetensors")
    (folder / "pieces.json").write_text(json.dumps(pieces) + "\n")
    return sum(map(len, rows))


def vocabulary(text: str) -> list[str]:
    """All characters, and the most frequent words."""
    characters = sorted(set(text) | {"?"})
    words = Counter(word for word in split(text) if len(word) > 1)
    ordered = sorted(words, key=lambda word: (-words[word], word))
    return characters + ordered[: SIZE - len(characters)]


def encode(text: str, places: dict[str, int]) -> list[int]:
    """The numbers of its pieces; a word that has none is spelled."""
    unknown = places["?"]
    found: list[int] = []
    for word in split(text):
        if word in places:
            found.append(places[word])
        else:
            found += [places.get(character, unknown) for character in word]
    return found


def split(text: str) -> list[str]:
    return re.findall(r"\w+|\s+|[^\w\s]", text)


def records(folder: Path) -> Iterator[dict[str, Any]]:
    """The records of a dataset, one JSON object a line."""
    for shard in sorted(folder.rglob("*.jsonl")):
        for line in shard.read_text().splitlines():
            yield json.loads(line)


if __name__ == "__main__":
    text, folder = Path(sys.argv[1]).read_text(), Path(sys.argv[2])
    folder.mkdir(exist_ok=True)
    fit([text], vocabulary(text), folder)
