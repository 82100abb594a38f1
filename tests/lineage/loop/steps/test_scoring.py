"""Functions and models say how good records are, the same each time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from lineage.errors import LineageError
from lineage.loop.records.shards import read_records, shards_of, write_shards
from lineage.loop.steps.check import check
from lineage.loop.steps.scoring import scorer
from lineage.loop.steps.tokenizer import copy_tokenizer, load_subwords

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage.loop.steps.protocol import Job

    MakeJob = Callable[..., Job]

SCORE = """
def score(record):
    return record["completion"].count("a") / 3
"""


def answers(count: int = 12) -> list[dict[str, Any]]:
    """Answers to prompts, three each, of one to seven letters."""
    return [
        {
            "id": f"g001-00000-{n:05d}",
            "prompt_id": f"g001-p{n // 3:05d}",
            "prompt": "The fox",
            "completion": " a" * (n % 7 + 1),
            "text": "The fox" + " a" * (n % 7 + 1),
        }
        for n in range(count)
    ]


def selecting(
    job: MakeJob, tmp_path: Path, human: Path, section: dict[str, Any], **inputs: Path
) -> Job:
    write_shards(tmp_path / "generated", "g001", answers(), 5)
    given = {"generated": tmp_path / "generated", "human": human, "base": tmp_path}
    sections = {"selection": section, "generation": {"num_candidates": 3}}
    task = job("check", given | inputs, sections=sections)
    (tmp_path / "job" / "rewards.py").write_text(SCORE)
    return task


def test_a_reward_function_selects(job: MakeJob, tmp_path: Path, human: Path) -> None:
    """Its best records are written with their rewards, and measured."""
    section = {"by": "rewards.py:score", "keep": "best"}
    task = selecting(job, tmp_path, human, section)
    result = check(task)
    [shard] = shards_of(task.output)
    assert shard.path.name == "g001-00000.jsonl"
    rewards = [record["reward"] for record in read_records(shard.path)]
    assert rewards == [1, 2, 2.33333, 1.66667]
    assert b'"reward":1,' in shard.path.read_bytes()
    assert result.metrics["selected"].value == 4
    assert result.metrics["kept"].value == 12
    assert result.gates[-1]["id"] == "selection"


def test_a_broken_reward_names_record_and_line(
    job: MakeJob, tmp_path: Path, human: Path
) -> None:
    """What raises, or returns no number, has no reward."""
    section = {"by": "rewards.py:score", "keep": "weighted"}
    for body, what in {
        'return record["owl"]': "rewards.py, line 2 raised KeyError",
        "return None": "rewards.py raised TypeError",
        "return '0.5'": "'0.5' is text, not a number",
    }.items():
        task = selecting(job, tmp_path, human, section)
        file = tmp_path / "job" / "rewards.py"
        file.write_text(f"def score(record):\n    {body}\n")
        task.spec._files.clear()
        with pytest.raises(LineageError, match="g001-00000-00000 has no reward") as e:
            check(task)
        assert what in str(e.value)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Path:
    """A reward model with random weights and the tiny model's tokenizer."""
    import torch
    from transformers import AutoConfig, GPT2ForSequenceClassification

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("classifier")
    config = AutoConfig.from_pretrained(model)
    config.num_labels = 1
    GPT2ForSequenceClassification(config).save_pretrained(folder)
    copy_tokenizer(model, folder)
    return folder


def scored(job: MakeJob, folder: Path, role: str, **more: Any) -> list[float]:
    by = {"model_name_or_path": "m", "role": role, **more}
    section = {"by": by, "keep": "weighted"}
    task = job("check", {role: folder}, sections={"selection": section})
    return scorer(task.spec, task.inputs, task.scratch / "log")(answers())


def test_a_reward_model_s_logits(job: MakeJob, classifier: Path) -> None:
    """Each record's reward is its own, as transformers gives it for one record."""
    from transformers import AutoTokenizer, GPT2ForSequenceClassification

    theirs = GPT2ForSequenceClassification.from_pretrained(classifier).eval()
    tokenizer = AutoTokenizer.from_pretrained(classifier)
    rewards = scored(job, classifier, "reward")
    chances = scored(job, classifier, "verifier")
    assert len({f"{reward:.5g}" for reward in rewards}) == 7
    for record, reward, chance in zip(answers(), rewards, chances, strict=True):
        ids = tokenizer(record["prompt"], record["completion"], return_tensors="pt")
        logit = theirs(**ids).logits.item()
        assert reward == pytest.approx(logit, abs=1e-5)
        assert chance == pytest.approx(1 / (1 + math.exp(-logit)), abs=1e-5)


def test_a_judge_s_likelihoods(job: MakeJob, model: Path) -> None:
    """The mean over a completion's tokens, or that of an answer, worked by hand."""
    import torch
    from transformers import AutoModelForCausalLM

    theirs = AutoModelForCausalLM.from_pretrained(model).eval()
    encode = load_subwords(model).encode

    def likelihood(before: str, after: str) -> tuple[float, int]:
        first, then = encode([before, after])
        ids = torch.tensor([[*first, *then]])
        logits = theirs(ids).logits.log_softmax(dim=2)[0, :-1]
        said = logits.gather(1, ids[0, 1:, None])[len(first) - 1 :]
        return said.sum().item(), len(then)

    means = scored(job, model, "judge")
    asked = scored(job, model, "judge", prompt="{completion} ok?", answer=" no")
    for record, mean, answer in zip(answers(), means, asked, strict=True):
        total, count = likelihood(record["prompt"], record["completion"])
        assert mean == pytest.approx(total / count, abs=1e-4)
        total, _ = likelihood(f"{record['completion']} ok?", " no")
        assert answer == pytest.approx(total, abs=1e-4)


def test_a_language_model_is_no_reward_model(job: MakeJob, model: Path) -> None:
    """Its head would be random."""
    with pytest.raises(
        LineageError, match=r"is no classifier: it has no score\.weight"
    ):
        scored(job, model, "reward")
