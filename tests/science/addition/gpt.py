"""A GPT of two layers that learns to add; all steps but its exam are built in.

A record is as in `steps.py`, a sum as prompt and answer, reversed: `37+85=`, `221`.
Questions are put that no person answered too: nine thousand, of which 2500 have a
human answer.

    python gpt.py [SEED]    # writes human.jsonl, held-out.jsonl and questions.txt
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import torch

from lineage.loop.records.shards import read_texts, shards_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lineage.loop.steps.protocol import Job

PROMPT, ANSWER = 6, 3  # characters
HUMAN, HELD_OUT = 2500, 1000  # of the 10,000 sums


def prepare(folder: Path, seed: int) -> None:
    """Human sums, held-out ones, and every question that may be asked."""
    sums = [
        f"{a:02d}+{b:02d}=" + f"{a + b:03d}"[::-1]
        for a in range(100)
        for b in range(100)
    ]
    Random(seed).shuffle(sums)
    held_out, pool = sums[:HELD_OUT], sums[HELD_OUT:]
    _write(folder / "human.jsonl", pool[:HUMAN])
    _write(folder / "held-out.jsonl", held_out)
    questions = "\n".join(one[:PROMPT] for one in pool)
    (folder / "questions.txt").write_text(questions + "\n")


def evaluate(job: Job) -> dict[str, Any]:
    """How many held-out sums come out right, and how many wrong when it samples."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.set_num_threads(1)
    model = AutoModelForCausalLM.from_pretrained(job.inputs["model"]).eval()
    words = AutoTokenizer.from_pretrained(job.inputs["model"])
    texts = list(read_texts(shards_of(job.inputs["held_out"])))
    rows = torch.tensor([words.encode(one) for one in texts])
    torch.manual_seed(0)
    right = (_answer(model, rows, sample=False) == rows).all(1).float().mean()
    sampled = (_answer(model, rows, sample=True) == rows).all(1).float().mean()
    measures = {
        "accuracy": {"value": float(right), "direction": "higher", "n": len(rows)},
        "wrong_sampled": {
            "value": float(1 - sampled),
            "direction": "lower",
            "n": len(rows),
        },
    }
    return {"metrics": measures}


@torch.inference_mode()
def _answer(model: Any, rows: torch.Tensor, *, sample: bool) -> torch.Tensor:
    """The question with its answer: drawn at temperature 1, or the likeliest digits."""
    told = rows[:, :PROMPT]
    for _ in range(ANSWER):
        logits = model(input_ids=told).logits[:, -1]
        likeliest = logits.argmax(-1, keepdim=True)
        drawn = torch.multinomial(logits.softmax(-1), 1) if sample else likeliest
        told = torch.cat([told, drawn], dim=1)
    return told


def _write(path: Path, sums: Iterable[str]) -> None:
    rows = ({"prompt": one[:PROMPT], "completion": one[PROMPT:]} for one in sums)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


if __name__ == "__main__":
    prepare(Path(), int(sys.argv[1]) if len(sys.argv) > 1 else 0)
