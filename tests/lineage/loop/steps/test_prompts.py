"""A model is asked what the spec says, by a template or by itself."""

from __future__ import annotations

import json
from shutil import copytree
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.errors import UsageError
from lineage.loop.records.shards import read_records, shards_of, write_shards
from lineage.loop.steps.chat import Chat
from lineage.loop.steps.endings import fenced
from lineage.loop.steps.generate import generate
from lineage.loop.steps.instructing import Pool, first_line, instruct, rouge_l
from lineage.loop.steps.prompts import OWN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage.loop.steps.protocol import Job

    MakeJob = Callable[..., Job]

TEMPLATE = (
    "{% for m in messages %}{{ '<|' + m.role + '|>' + m.content }}"
    "{% if m.role == 'assistant' %}{{ eos_token }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def records(folder: Path) -> list[dict[str, Any]]:
    return [r for shard in shards_of(folder) for r in read_records(shard.path)]


def asking(
    job: MakeJob,
    model: Path,
    human: Path,
    dataset: dict[str, Any] | None = None,
    **generation: Any,
) -> Job:
    sections = {"generation": generation, "dataset": {"block_size": 24}}
    sections["dataset"] |= dataset or {}
    place = f"job{len(list(human.parent.iterdir()))}-{len(str(generation))}"
    return job(
        "generate", {"model": model, "human": human}, place=place, sections=sections
    )


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    """Human prompts with answers, of several lengths."""
    folder = tmp_path / "examples"
    things = ("fox", "owl", "bee", "naïve cow")
    rows = [
        {
            "id": f"human-{n}",
            "prompt": f"The {things[n % 4]}{' sees' * (n % 3)}",
            "completion": " the moon.",
            "text": f"The {things[n % 4]}{' sees' * (n % 3)} the moon.",
        }
        for n in range(12)
    ]
    write_shards(folder, "human", rows, 5)
    return folder


QA = {"train_file": "a.jsonl", "prompt_column": "q", "completion_column": "a"}


def test_human_prompts_are_answered(job: MakeJob, model: Path, examples: Path) -> None:
    """Whole, as they are, whatever is beside them; the answer is what follows."""
    tasks = [
        asking(job, model, examples, QA, num_samples=20, batch_size=size)
        for size in (1, 64)
    ]
    for task in tasks:
        generate(task)
    first, other = (records(task.output) for task in tasks)
    assert first == other
    asked = {r["id"]: r["prompt"] for r in records(examples)}
    for record in first:
        assert asked[record["prompt_source"]] == record["prompt"]
        assert record["text"] == record["prompt"] + record["completion"]


def test_candidates_share_a_prompt(job: MakeJob, model: Path, examples: Path) -> None:
    """Each has a seed of its own; the first is that of a prompt with one answer."""
    one, three = (
        asking(job, model, examples, QA, num_samples=5, num_candidates=count)
        for count in (1, 3)
    )
    told = [generate(task).circumstances["records"] for task in (one, three)]
    assert told == [5, 15]
    many = records(three.output)
    assert [r["candidate"] for r in many] == [0, 1, 2] * 5
    assert [r["prompt_id"] for r in many[::3]] == [f"g001-p0000{n}" for n in range(5)]
    for group in (many[n : n + 3] for n in range(0, 15, 3)):
        assert len({r["prompt"] for r in group}) == 1
        assert len({r["seed"] for r in group}) == 3
    assert [r["completion"] for r in many[::3]] == [
        r["completion"] for r in records(one.output)
    ]


def test_a_file_s_prompts(job: MakeJob, model: Path, human: Path) -> None:
    """Each once, with its line, what else the line has, and code if it is asked for."""
    section: dict[str, Any] = {"num_samples": None, "stop": " the"}
    section |= {"prompts": {"file": "p.jsonl"}, "extract": "fenced"}
    task = asking(job, model, human, **section)
    lines = [{"prompt": f"The fox {w}", "answer": w} for w in ("sees", "eats", "x")]
    task.spec.path("p.jsonl").write_text("\n".join(map(json.dumps, lines)))
    result = generate(task)
    assert result.uses == ["model"]
    found = sorted(records(task.output), key=lambda r: r["prompt_source"])
    assert [r["prompt_source"] for r in found] == [f"p.jsonl:{n}" for n in (1, 2, 3)]
    for record, line in zip(found, lines, strict=True):
        assert record["prompt"] == line["prompt"]
        assert record["given"] == {"answer": line["answer"]}
        assert " the" not in record["completion"]
        assert record["code"] == fenced(record["completion"])


def test_a_template_s_prompts(job: MakeJob, model: Path, human: Path) -> None:
    """Every combination of the values."""
    prompts = {"template": "{a}{{{b}", "values": {"a": [1, 2], "b": ["x", "y", "z"]}}
    task = asking(job, model, human, prompts=prompts)
    generate(task)
    texts = {r["prompt_source"]: r["prompt"] for r in records(task.output)}
    assert [texts[f"template-{n:05d}"] for n in range(6)] == [
        f"{a}{{{b}" for a in (1, 2) for b in "xyz"
    ]


@pytest.mark.parametrize(
    ("generation", "sentence"),
    [
        ({"prompts": {"template": "{a}", "values": {"b": [1]}}}, "{a} has no values"),
        ({"prompts": {"template": "{a.x}", "values": {}}}, "{a.x} is no name"),
        ({"prompts": {"template": "{a", "values": {}}}, "is no template"),
        ({"prompts": {"file": "a.csv"}}, "is neither a .txt nor a .jsonl"),
        ({"prompts": "humans"}, "is human, {file: …}"),
        ({"prompts": {"self_instruct": {}}}, "needs human prompts to show"),
        ({"chat": True}, "needs whole prompts"),
        ({"system_prompt": "Hi."}, "system_prompt goes with chat: true"),
        (
            {"prompts": {"file": "a.txt"}, "prompt_length": 2},
            "prompt_length: is for slices of text",
        ),
        ({"stop": [""]}, "an empty text is everywhere"),
    ],
)
def test_what_cannot_be_asked(
    job: MakeJob, model: Path, human: Path, generation: dict[str, Any], sentence: str
) -> None:
    """It is refused in one sentence."""
    with pytest.raises(UsageError) as caught:
        asking(job, model, human, **generation)
    assert sentence in str(caught.value)


def test_examples_without_room_are_counted(
    job: MakeJob, model: Path, examples: Path
) -> None:
    """It says how many tokens they are, and which fields make them fewer."""
    section = {"self_instruct": {"examples": 8, "max_new_tokens": 500}}
    task = asking(job, model, examples, QA, prompts=section, num_samples=2)
    with pytest.raises(UsageError, match="example prompts and a new one") as caught:
        generate(task)
    assert "generation.prompts.self_instruct" in str(caught.value.hint)


def test_a_prompt_without_room_is_named(job: MakeJob, model: Path, human: Path) -> None:
    """A prompt that fills the block cannot be answered."""
    task = asking(job, model, human, prompts={"file": "p.txt"})
    task.spec.path("p.txt").write_text("The fox\n" + "The owl " * 40)
    with pytest.raises(UsageError, match=r"the prompt p\.txt:2 is too long"):
        generate(task)


@pytest.fixture
def chatty(model: Path, tmp_path: Path) -> Path:
    """The tiny model with a chat template."""
    folder = copytree(model, tmp_path / "chatty")
    (folder / "chat_template.jinja").write_text(TEMPLATE)
    return folder


def test_chats_are_asked_by_the_template(
    job: MakeJob, chatty: Path, examples: Path
) -> None:
    """System, user and the answer are the record's messages; its text is theirs."""
    task = asking(
        job, chatty, examples, QA | {"block_size": 100}, num_samples=6,
        chat=True, system_prompt="Be.", generation_config={"max_new_tokens": 4},
    )  # fmt: skip
    with pytest.raises(UsageError, match="do not fit a model that sees 24"):
        generate(task)
    short = asking(
        job, chatty, examples, QA, num_samples=6,
        chat=True, generation_config={"max_new_tokens": 2}, prompts={"file": "p.txt"},
    )  # fmt: skip
    short.spec.path("p.txt").write_text("o\ne\n")
    generate(short)
    for record in records(short.output):
        user, assistant = record["messages"]
        assert user == {"role": "user", "content": record["prompt"]}
        assert assistant == {"role": "assistant", "content": record["completion"]}
        assert record["text"] == f"{record['prompt']}\n\n{record['completion']}"


def test_a_template_s_turns(chatty: Path, model: Path) -> None:
    """It writes whole chats and opened ones; its end of turn is known."""
    chat = Chat(chatty)
    assert chat.opened([("user", "a")]) == "<|user|>a<|assistant|>"
    whole = "<|user|>a<|assistant|>b<|endoftext|>"
    assert chat.whole([("user", "a"), ("assistant", "b")]) == whole
    assert chat.ends() == [chat.encode("<|endoftext|>")[0]]
    with pytest.raises(UsageError, match="has no chat template"):
        Chat(model)


def test_a_model_writes_its_own_prompts(
    job: MakeJob, model: Path, examples: Path, tmp_path: Path
) -> None:
    """They are new, unlike each other, and the same again after a kill."""
    import torch
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    wide = copytree(model, tmp_path / "wide")
    config = AutoModelForCausalLM.from_pretrained(model).config
    config.n_positions = 300
    AutoModelForCausalLM.from_config(config).save_pretrained(wide)
    section = {"self_instruct": {"examples": 3, "max_new_tokens": 12, "rounds": 3}}
    data = QA | {"block_size": 200}
    task = asking(job, wide, examples, data, prompts=section, num_samples=6)
    assert generate(task).uses == ["model", "human"]
    own = [r["prompt"] for r in records(task.output)]
    assert 0 < len(own) <= 6
    human = {r["prompt"] for r in records(examples)}
    assert not human & set(own)
    assert len(set(own)) == len(own)
    assert all(r["prompt_source"].startswith("own-") for r in records(task.output))
    before = [path.read_bytes() for path in sorted(task.output.iterdir())]
    for path in [*task.output.iterdir(), *task.scratch.iterdir()]:
        path.unlink()
    generate(task)
    assert [path.read_bytes() for path in sorted(task.output.iterdir())] == before


@pytest.mark.parametrize(("most", "kept"), [(0.7, 1), (0.9, 2)])
def test_how_like_another_a_prompt_may_be(
    job: MakeJob, tmp_path: Path, examples: Path, most: float, kept: int
) -> None:
    """`max_similarity` says which is left out; here four words of five are alike."""
    lines = ["one two three four five", "one two three four six"]
    section = {"self_instruct": {"max_similarity": most, "rounds": 1}}
    task = asking(job, tmp_path, examples, QA, prompts=section, num_samples=2)
    instruct(task, lambda _: [1], lambda *_: lines, chat=False)
    own = (task.scratch / OWN).read_text().splitlines()
    assert [json.loads(line)["prompt"] for line in own] == lines[:kept]


words = st.lists(st.sampled_from("abcd"), max_size=7)


@given(words, words)
def test_rouge_l(one: list[str], other: list[str]) -> None:
    """The longest common subsequence, by trying all of them."""
    from itertools import combinations

    def subsequences(row: list[str]) -> set[tuple[str, ...]]:
        return {c for n in range(len(row) + 1) for c in combinations(row, n)}

    longest = max(map(len, subsequences(one) & subsequences(other)))
    size = len(one) + len(other)
    assert rouge_l(one, other) == (2 * longest / size if size else 0)


@given(st.lists(words, max_size=6), words)
def test_a_pool_takes_what_is_unlike_all(rows: list[list[str]], new: list[str]) -> None:
    """The short way to see it says what ROUGE-L with each says."""
    pool = Pool([" ".join(row) for row in rows], 0.7)
    near = any(rouge_l(row, new) >= 0.7 for row in rows)
    assert pool.add(" ".join(new)) == (bool(new) and not near)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (" Name a fox.\n6. Next", "Name a fox."),
        ("\n\nTask 9: Sing.", "Sing."),
        ("3) Sing.", "Sing."),
        ("", ""),
    ],
)
def test_a_new_prompt_is_one_line(text: str, line: str) -> None:
    """Without its number."""
    assert first_line(text) == line


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Here:\n```python\nx = 1\n```\nand\n```\ny\n```", "x = 1\n"),
        ("~~~\na ``` b\n~~~\n", "a ``` b\n"),
        ("````md\n```\nx\n```\n````", "```\nx\n```\n"),
        ("```python\nx = 1", ""),
        ("no code", ""),
    ],
)
def test_the_first_fenced_block(text: str, code: str) -> None:
    """Up to the fence that began it; an open one is none."""
    assert fenced(text) == code
