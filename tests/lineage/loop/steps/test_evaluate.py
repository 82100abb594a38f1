"""Perplexity and bits per byte are what their definitions say."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from lineage.errors import LineageError
from lineage.loop.records.shards import write_shards
from lineage.loop.steps.evaluate import evaluate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage.loop.steps.protocol import Job

    MakeJob = Callable[..., Job]

TEXTS = ["The fox sees the bread.", "A naïve owl", "x", "The bee wants the moon."]


@pytest.fixture
def held_out(tmp_path: Path) -> Path:
    write_shards(tmp_path / "held", "h", [{"text": text} for text in TEXTS], 3)
    return tmp_path / "held"


def test_the_numbers_are_those_of_transformers(
    job: MakeJob, model: Path, held_out: Path
) -> None:
    """The loss that the model itself computes, one text at a time."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    metrics = evaluate(job("evaluate", {"model": model, "held_out": held_out})).metrics
    theirs = AutoModelForCausalLM.from_pretrained(model).eval()
    tokenizer = AutoTokenizer.from_pretrained(model)
    loss, tokens, size = 0.0, 0, 0
    for text in TEXTS:
        ids = tokenizer(text, return_tensors="pt").input_ids
        if ids.shape[1] > 1:
            with torch.no_grad():
                mean = theirs(input_ids=ids, labels=ids).loss.item()
            loss += mean * (ids.shape[1] - 1)
            tokens += ids.shape[1] - 1
            first = str(tokenizer.decode(ids[0, :1]))
            size += len(text.encode()) - len(first.encode())
    assert metrics["perplexity"].value == pytest.approx(math.exp(loss / tokens), 1e-5)
    bits = loss / math.log(2) / size
    assert metrics["bits_per_byte"].value == pytest.approx(bits, 1e-5)
    assert (metrics["perplexity"].n, metrics["bits_per_byte"].n) == (tokens, size)


def test_the_batch_size_hardly_matters(
    job: MakeJob, model: Path, held_out: Path
) -> None:
    """Padding and masks change nothing but rounding."""
    inputs = {"model": model, "held_out": held_out}
    values = [
        evaluate(job("evaluate", inputs, sections={"evaluation": {"batch_size": n}}))
        .metrics["perplexity"]
        .value
        for n in (1, 4)
    ]
    assert values[0] == pytest.approx(values[1], 1e-5)


def test_text_beyond_the_model_s_sight_is_left_out(
    job: MakeJob, model: Path, tmp_path: Path
) -> None:
    """A record longer than the context counts as far as the model can see."""
    write_shards(tmp_path / "long", "h", [{"text": "The fox. " * 40}], 3)
    task = job("evaluate", {"model": model, "held_out": tmp_path / "long"})
    assert evaluate(task).metrics["perplexity"].n == 23


def test_nothing_to_predict_is_said(job: MakeJob, model: Path, tmp_path: Path) -> None:
    """Records of one token say nothing about a model."""
    write_shards(tmp_path / "short", "h", [{"text": "x"}], 3)
    task = job("evaluate", {"model": model, "held_out": tmp_path / "short"})
    with pytest.raises(LineageError, match="no held-out record has two tokens"):
        evaluate(task)


def test_a_measure_of_the_users_sees_model_and_held_out_records(
    job: MakeJob, model: Path, held_out: Path
) -> None:
    """It is taken beside the built-in ones, on the same folders and the loop's seed."""
    sections = {"evaluation": {"measures": ["own.py:size", "own.py:nothing"]}}
    made = job("evaluate", {"model": model, "held_out": held_out}, sections=sections)
    source = (
        "def size(model, held_out, seed):\n"
        "    print('looking')\n"
        "    weights = (model / 'model.safetensors').stat().st_size\n"
        "    texts = sum(len(f.read_text().splitlines()) for f in held_out.iterdir())\n"
        "    return {'value': weights + texts + seed, 'direction': 'lower'}\n"
        "def nothing(model):\n"
        "    return None\n"
    )
    made.spec.path("own.py").write_text(source)
    metrics = evaluate(made).metrics
    weights = (model / "model.safetensors").stat().st_size
    assert metrics["size"].value == weights + len(TEXTS) + made.spec.seed
    assert {"perplexity", "size"} <= set(metrics)
    assert "nothing" not in metrics


def test_a_measure_that_writes_to_its_inputs_is_refused(
    job: MakeJob, model: Path, held_out: Path
) -> None:
    """What it reads are other commits' files."""
    sections = {"evaluation": {"measures": ["own.py:bad"]}}
    made = job("evaluate", {"model": model, "held_out": held_out}, sections=sections)
    made.spec.path("own.py").write_text(
        "def bad(held_out, model):\n    (held_out / 'x.jsonl').touch()\n    return 1\n"
    )
    with pytest.raises(LineageError, match="changed its input"):
        evaluate(made)
