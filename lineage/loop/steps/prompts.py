"""What a model is asked: human prompts, a file's, a template's, or its own.

They are taken in an order that the step's seed decides, again from the first when
more answers are wanted than there are prompts.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from lineage.errors import UsageError
from lineage.loop.records.jsonl import json_lines
from lineage.loop.records.shards import read_all, read_records, shards_of
from lineage.loop.records.text_files import Example
from lineage.loop.seeds import order
from lineage.loop.spec.generation import FilePrompts, TemplatePrompts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from lineage.loop.records.shards import Record
    from lineage.loop.records.text_files import Turn
    from lineage.loop.spec import LoopSpec
    from lineage.loop.steps.chat import Chat
    from lineage.loop.steps.protocol import Job
    from lineage.loop.steps.tokenizer import Subwords

OWN = "prompts.jsonl"  # in the scratch folder: what the model asks itself
_MOST = 1_000_000  # combinations of a template's values


class Asked(NamedTuple):
    """A prompt: where it is from, its text, and what else is known of it.

    `turns` are those of a chat that it ends; `given` are the other fields of its
    line, such as the right answer.
    """

    source: str
    text: str
    turns: tuple[Turn, ...] = ()
    given: Mapping[str, Any] = {}


class Prompt(NamedTuple):
    """A prompt as a model reads it."""

    asked: Asked
    ids: list[int]


def wanted(job: Job) -> int:
    """How many prompts are to be answered."""
    section = job.spec.generation
    if section.instructs:
        own = job.scratch / OWN
        return len(own.read_bytes().splitlines())
    if section.num_samples:
        return section.num_samples
    if isinstance(section.prompts, FilePrompts | TemplatePrompts):
        return len(asked(job))
    return sum(shard.records for shard in shards_of(job.inputs["human"]))


def prompts(job: Job, tokenizer: Subwords, chat: Chat | None) -> list[Prompt]:
    """One prompt for each to be answered; those of a kind share what they are."""
    if job.spec.asks_whole_prompts:
        found = encoded(job.spec, asked(job), tokenizer, chat)
    else:
        found = _beginnings(job, tokenizer)
    if job.spec.generation.instructs:
        return found  # written for this very step
    turns = order(len(found), job.seed, "prompts")
    return [found[turns[n % len(found)]] for n in range(wanted(job))]


def asked(job: Job) -> Sequence[Asked]:
    """All whole prompts that there are."""
    if job.spec.generation.instructs:
        return [_line(row) for _, row in _jsonl((job.scratch / OWN).read_bytes(), OWN)]
    found = fixed(job.spec)
    return human_prompts(job.inputs["human"]) if found is None else found


def fixed(spec: LoopSpec) -> list[Asked] | None:
    """Those of a file or a template; None where prompts are from elsewhere."""
    section = spec.generation.prompts
    if isinstance(section, FilePrompts):
        return list(_of_file(section.file, spec.content(section.file)))
    if isinstance(section, TemplatePrompts):
        return list(_of_template(section, spec))
    return None


def human_prompts(folder: Path) -> list[Asked]:
    """The prompts of human examples."""
    return [_human(record) for record in read_all(shards_of(folder))]


def _human(record: Record) -> Asked:
    name = str(record.get("id", ""))
    if "messages" in record:
        turns = [(turn["role"], turn["content"]) for turn in record["messages"]]
        return Asked(name, Example.chat(turns).prompt, tuple(turns[:-1]))
    return Asked(name, record["prompt"])


# Of a file.


def _of_file(name: str, content: bytes) -> Iterator[Asked]:
    short = name.rpartition("/")[2]
    if name.endswith(".txt"):
        lines = content.decode("utf-8-sig", errors="replace").splitlines()
        rows: list[tuple[int, Any]] = [
            (n, {"prompt": line}) for n, line in enumerate(lines, 1) if line.strip()
        ]
    else:
        rows = [(n, row) for n, (_, row) in enumerate(_jsonl(content, name), 1)]
    if not rows:
        raise UsageError(f"{name} has no prompt in it")
    for number, row in rows:
        yield _line({"source": f"{short}:{number}", **row}, f"{name}: prompt {number}")


def _jsonl(content: bytes, name: str) -> list[tuple[int, Any]]:
    try:
        return list(json_lines(content))
    except ValueError as error:
        raise UsageError(f"{name}: {error}") from None


def _line(row: Any, where: str = "") -> Asked:
    if not isinstance(row, dict) or not isinstance(row.get("prompt"), str):
        raise UsageError(f'{where} is no {{"prompt": "…"}}')
    known = ("source", "prompt")
    given = {key: value for key, value in row.items() if key not in known}
    return Asked(str(row["source"]), row["prompt"], given=given)


# Of a template.


def _of_template(section: TemplatePrompts, spec: LoopSpec) -> Iterator[Asked]:
    for number, row in enumerate(_rows(section, spec)):
        try:
            text = section.template.format(**row)
        except KeyError as error:
            what = f"{section.values}: line {number + 1} has no {error.args[0]}"
            raise UsageError(what, hint="the template names it") from None
        yield Asked(f"template-{number:05d}", text, given=row)


def _rows(section: TemplatePrompts, spec: LoopSpec) -> Iterator[dict[str, Any]]:
    """A file's rows, or every combination of the values, the last one fastest."""
    if isinstance(section.values, str):
        for number, row in _jsonl(spec.content(section.values), "values"):
            if not isinstance(row, dict):
                raise UsageError(
                    f"{section.values}: line {number} is not a JSON object"
                )
            yield row
        return
    names, lists = list(section.values), list(section.values.values())
    count = prod(map(len, lists))
    if count > _MOST:
        message = f"generation.prompts.values make {count:,} prompts"
        raise UsageError(message, hint=f"no more than {_MOST:,} are possible")
    for number in range(count):
        row, rest = {}, number
        for name, values in zip(reversed(names), reversed(lists), strict=True):
            rest, place = divmod(rest, len(values))
            row[name] = values[place]
        yield dict(reversed(row.items()))


# As a model reads them.


def encoded(
    spec: LoopSpec, found: Sequence[Asked], tokenizer: Subwords, chat: Chat | None
) -> list[Prompt]:
    """Whole prompts as they are, or as the user's turn of a chat.

    Raises:
        UsageError: one has no token.
    """
    if chat is None:
        rows = tokenizer.encode([each.text for each in found])
    else:
        rows = [chat.encode(chat.opened(turns_of(spec, each))) for each in found]
    for each, ids in zip(found, rows, strict=True):
        if not ids:
            raise UsageError(f"the prompt {each.source} is empty")
    return [Prompt(*pair) for pair in zip(found, rows, strict=True)]


def turns_of(spec: LoopSpec, asked: Asked) -> list[Turn]:
    """A prompt as the turns of a chat, under the system prompt if there is one."""
    turns = list(asked.turns or [("user", asked.text)])
    system = spec.generation.system_prompt
    if system is None:
        return turns
    return [("system", system), *(turn for turn in turns if turn[0] != "system")]


def _beginnings(job: Job, tokenizer: Subwords) -> list[Prompt]:
    """The first tokens of each human record that has as many."""
    length, found = job.spec.generation.prompt_length, []
    for shard in shards_of(job.inputs["human"]):
        records = list(read_records(shard.path))
        encoded = tokenizer.encode([record["text"] for record in records])
        for record, ids in zip(records, encoded, strict=True):
            if len(ids) >= length:
                found.append(Prompt(Asked(str(record.get("id", "")), ""), ids[:length]))
    if not found:
        raise no_prompt(length)
    texts = tokenizer.decode([prompt.ids for prompt in found])
    return [
        Prompt(prompt.asked._replace(text=text), prompt.ids)
        for prompt, text in zip(found, texts, strict=True)
    ]


def no_prompt(length: int) -> UsageError:
    """All human records are shorter than a prompt."""
    message = f"no human record has generation.prompt_length = {length} tokens"
    return UsageError(message, hint="make it smaller")
