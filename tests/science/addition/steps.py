"""A small network that learns to add two numbers of two digits, from its own sums.

A record is `37+85=221`: the sum stands reversed. A verifier that never errs is a line
of arithmetic (`checks.py`), so the share of wrong records is a hallucination rate that
is exactly known. The network has two hidden layers; it draws each digit of an answer.

    python steps.py [SEED]    # writes human.jsonl, held-out.jsonl and seed/
"""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from lineage.loop.records.shards import read_texts, shards_of, write_shard

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lineage.loop.steps.protocol import Job

SYMBOLS = "0123456789+="
PROMPT = 6  # of the nine characters
STEPS, BATCH, RATE, WIDTH = 800, 128, 1e-2, 128
HELD_OUT = 1000  # of the 10,000 sums

torch.set_num_threads(1)  # a second one costs more than it does here


def prepare(folder: Path, seed: int, steps: int = STEPS, human: int = 2500) -> None:
    """Human sums, held-out ones, every question that may be asked; the first model."""
    sums = [written(a, b) for a in range(100) for b in range(100)]
    Random(seed).shuffle(sums)
    held_out, pool = sums[:HELD_OUT], sums[HELD_OUT:]
    _write(folder / "human.jsonl", pool[:human])
    _write(folder / "held-out.jsonl", held_out)
    (folder / "seed").mkdir()
    questions = "\n".join(text[:PROMPT] for text in pool)
    (folder / "seed" / "questions.txt").write_text(questions)
    _train(folder / "seed", pool[:human], seed, steps)


def written(a: int, b: int) -> str:
    """A sum as it is written here: 37+85=221."""
    return f"{a:02d}+{b:02d}=" + f"{a + b:03d}"[::-1]


def generate(job: Job) -> None:
    """Answers at temperature 1 to `num_samples` questions."""
    questions = (job.inputs["model"] / "questions.txt").read_text().split()
    count = job.spec.generation.num_samples or len(questions)
    asked = Random(job.seed).sample(questions, count)
    torch.manual_seed(job.seed)
    rows = _answer(_load(job.inputs["model"]), _encode(asked), sample=True)
    _write(job.output / "sums.jsonl", _decode(rows))


def train(job: Job) -> None:
    """A new model, for as many steps as always."""
    questions = job.inputs["base"] / "questions.txt"
    (job.output / questions.name).write_bytes(questions.read_bytes())
    texts = list(read_texts(shards_of(job.inputs["dataset"])))
    steps = job.spec.training.get("max_steps", STEPS)
    _train(job.output, texts, job.seed, steps)


def evaluate(job: Job) -> dict[str, Any]:
    """How many held-out sums come out right, and how many wrong when it samples."""
    rows = _encode(read_texts(shards_of(job.inputs["held_out"])))
    model, asked, n = _load(job.inputs["model"]), rows[:, :PROMPT], len(rows)
    torch.manual_seed(0)
    right = (_answer(model, asked, sample=False) == rows).all(1).float().mean()
    sampled = (_answer(model, asked, sample=True) == rows).all(1).float().mean()
    measures = {
        "accuracy": {"value": float(right), "direction": "higher", "n": n},
        "wrong_sampled": {"value": float(1 - sampled), "direction": "lower", "n": n},
    }
    return {"metrics": measures}


def _train(folder: Path, texts: list[str], seed: int, steps: int) -> None:
    torch.manual_seed(seed)
    network, rows = _network(), _encode(texts)
    adam = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=0.01)
    for step in range(steps):
        adam.param_groups[0]["lr"] = RATE * (1 - step / steps)
        batch = rows[torch.randint(len(rows), (BATCH,))]
        logits = network(_inputs(batch)).view(-1, 10)
        loss = nn.functional.cross_entropy(logits, batch[:, PROMPT:].flatten())
        adam.zero_grad()
        loss.backward()
        adam.step()
    torch.save(network.state_dict(), folder / "network.pt")


def _network() -> nn.Sequential:
    """From four digits to the three of the sum."""
    layers = [nn.Linear(40, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(WIDTH, 30))


def _load(folder: Path) -> nn.Sequential:
    network = _network()
    network.load_state_dict(torch.load(folder / "network.pt", weights_only=True))
    return network


def _inputs(rows: torch.Tensor) -> torch.Tensor:
    digits = rows[:, [0, 1, 3, 4]]
    return nn.functional.one_hot(digits, 10).flatten(1).float()


@torch.inference_mode()
def _answer(network: nn.Module, rows: torch.Tensor, *, sample: bool) -> torch.Tensor:
    """The question with its answer: drawn at temperature 1, or the likeliest digits."""
    logits = network(_inputs(rows)).view(-1, 10)
    drawn = torch.multinomial(logits.softmax(-1), 1) if sample else logits.argmax(-1)
    return torch.cat([rows[:, :PROMPT], drawn.view(-1, 3)], dim=1)


def _encode(texts: Iterable[str]) -> torch.Tensor:
    return torch.tensor([[SYMBOLS.index(char) for char in text] for text in texts])


def _decode(rows: torch.Tensor) -> list[str]:
    return ["".join(SYMBOLS[id_] for id_ in row) for row in rows.tolist()]


def _write(path: Path, texts: Iterable[str]) -> None:
    write_shard(path, ({"id": str(n), "text": text} for n, text in enumerate(texts)))


if __name__ == "__main__":
    prepare(Path(), int(sys.argv[1]) if len(sys.argv) > 1 else 0)
