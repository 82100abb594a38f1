"""How good records are: by a function of the user's, or by a model.

A reward model is a sequence classifier with one label: its logit. A verifier is one
with a label for right: its probability. A judge is a language model: the
log-likelihood of its `answer` to a question about the record, or of each of the
record's own tokens on average. Batches hold rows of one length, so nothing is padded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lineage.errors import LineageError, UsageError, first_line
from lineage.loop.functions import RecordFunction, load_function
from lineage.loop.quiet import quiet
from lineage.loop.records.rewards import as_number
from lineage.loop.spec.selection import CHECK
from lineage.loop.steps.chat import Chat, has_template
from lineage.loop.steps.model import (
    context_length,
    load_model,
    padding,
    shown,
)
from lineage.loop.steps.session import device
from lineage.loop.steps.tokenizer import load_subwords
from lineage.loop.steps.users import guarded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from lineage.loop.records.shards import Record
    from lineage.loop.spec import LoopSpec
    from lineage.loop.spec.selection import ScorerSpec

    Score = Callable[[Sequence[Record]], list[float]]

_BATCH = 16


def scorer(spec: LoopSpec, inputs: Mapping[str, Path], log: Path) -> Score:
    """What gives rewards to records, as `selection.by` says.

    Args:
        spec: it has a `selection`.
        inputs: folders by role; a model's role is its own.
        log: where a user's function prints to.

    Raises:
        LineageError: the model, or the file of the function, cannot be used.
    """
    assert spec.selection is not None
    model = spec.selection.model
    if model is None:
        function = load_function(spec, spec.selection.by, CHECK)
        rate = _verdict if spec.selection.is_verdict else _reward
        return lambda records: _by_function(function, rate, records, log)
    makers = {"judge": _judge, "reward": _classifier, "verifier": _classifier}
    return makers[model.role](inputs[model.role], model)


# A function of the user's.


def _by_function(
    function: RecordFunction,
    rate: Callable[[RecordFunction, Record], float],
    records: Iterable[Record],
    log: Path,
) -> list[float]:
    with guarded(log):
        return [rate(function, record) for record in records]


def _verdict(function: RecordFunction, record: Record) -> float:
    """1 for a record that passes, as the gate `check_record` has it; else 0."""
    try:
        answer = function(record)
    except AssertionError:
        return 0.0
    except Exception as error:
        raise _broken(function, record, error) from error
    return float(answer is None or bool(answer))


def _reward(function: RecordFunction, record: Record) -> float:
    try:
        return as_number(function(record))
    except Exception as error:
        raise _broken(function, record, error) from error


def _broken(function: RecordFunction, record: Record, error: Exception) -> LineageError:
    what = f"{record.get('id', 'a record')} has no reward: {function.raised(error)}"
    return LineageError(what, hint="it has to return a number")


# A sequence classifier.


def _classifier(folder: Path, section: ScorerSpec) -> Score:
    model, tokenizer = _load_classifier(folder)
    labels, wanted = model.config.num_labels, (1, 2)[section.role == "verifier"]
    if labels not in (1, wanted):
        message = f"the {section.role} {shown(folder)} has {labels} labels"
        raise UsageError(message, hint=f"a {section.role} model has {wanted}")
    chat = Chat(folder) if has_template(folder) else None
    longest = context_length(model.config)

    def rows(records: Sequence[Record]) -> list[list[int]]:
        if chat:
            return [chat.encode(chat.whole(turns(record))) for record in records]
        pairs = [asked(record) for record in records]
        return [tokenizer(*pair)["input_ids"] for pair in pairs]

    def score(records: Sequence[Record]) -> list[float]:
        ids = [row[-longest:] if longest else row for row in rows(records)]
        return _in_batches(ids, lambda batch: _labelled(model(input_ids=batch).logits))

    def _labelled(logits: Any) -> Any:
        if section.role == "reward":
            return logits[:, 0]
        if labels == 1:
            return logits[:, 0].sigmoid()
        return logits.softmax(dim=1)[:, 1]

    return score


def _load_classifier(folder: Path) -> tuple[Any, Any]:
    try:
        with quiet():
            from transformers import AutoModelForSequenceClassification, AutoTokenizer

            given = {"local_files_only": True, "trust_remote_code": False}
            model, found = AutoModelForSequenceClassification.from_pretrained(
                folder, dtype="float32", output_loading_info=True, **given
            )
            tokenizer = AutoTokenizer.from_pretrained(folder, **given)
    except Exception as error:
        message = f"cannot load the model {shown(folder)}: {first_line(error)}"
        raise LineageError(message) from error
    if found["missing_keys"]:
        missing = min(found["missing_keys"])
        message = f"the model {shown(folder)} is no classifier: it has no {missing}"
        raise LineageError(message)
    if model.config.pad_token_id is None:  # no row is padded, yet it is asked for
        model.config.pad_token_id = -1
    return model.eval().to(device()), tokenizer


# A judge.


def _judge(folder: Path, section: ScorerSpec) -> Score:
    model = load_model(folder).eval().to(device())
    encode = load_subwords(folder).encode
    chat = Chat(folder) if has_template(folder) else None
    longest = context_length(model.config)

    def pair(record: Record) -> tuple[str, str]:
        prompt, completion = asked(record)
        if section.prompt is None:
            if chat is None:
                return prompt, completion
            *before, _ = turns(record)
            return chat.opened(before), completion
        parts = {"prompt": prompt, "completion": completion, "text": record["text"]}
        question = section.prompt.format(**parts)
        if chat is None:
            return question, section.answer
        return chat.opened([("user", question)]), section.answer

    def score(records: Sequence[Record]) -> list[float]:
        pairs = [pair(record) for record in records]
        first = [
            ids or [padding(model.config)] for ids in encode([p[0] for p in pairs])
        ]
        then = encode([p[1] for p in pairs])
        rows = [[*a, *b] for a, b in zip(first, then, strict=True)]
        if longest:
            rows = [row[-longest:] for row in rows]
        counts = [min(len(b), len(row) - 1) for b, row in zip(then, rows, strict=True)]
        return _likelihoods(model, rows, counts, mean=section.prompt is None)

    return score


def _likelihoods(
    model: Any, rows: list[list[int]], counts: list[int], *, mean: bool
) -> list[float]:
    """The log-likelihood of the last tokens of each row, so many as `counts` say."""
    found: dict[int, float] = {}

    def last(batch: Any, numbers: Sequence[int]) -> None:
        scores = model(input_ids=batch).logits[:, :-1].float().log_softmax(dim=2)
        said = scores.gather(2, batch[:, 1:, None])[:, :, 0]
        for row, number in zip(said, numbers, strict=True):
            count = counts[number]
            total = float(row[len(row) - count :].double().sum())
            found[number] = total / max(count, 1) if mean else total

    _each_batch(rows, last)
    return [found[number] for number in range(len(rows))]


def _in_batches(rows: list[list[int]], score: Callable[[Any], Any]) -> list[float]:
    found: dict[int, float] = {}

    def one(batch: Any, numbers: Sequence[int]) -> None:
        found.update(zip(numbers, score(batch).tolist(), strict=True))

    _each_batch(rows, one)
    return [found[number] for number in range(len(rows))]


def _each_batch(
    rows: list[list[int]], work: Callable[[Any, Sequence[int]], None]
) -> None:
    """Rows of one length at a time, and which rows they are."""
    import torch

    lengths: dict[int, list[int]] = {}
    for number, row in enumerate(rows):
        lengths.setdefault(len(row), []).append(number)
    with torch.inference_mode():
        for numbers in lengths.values():
            for start in range(0, len(numbers), _BATCH):
                some = numbers[start : start + _BATCH]
                batch = torch.tensor([rows[n] for n in some], device=device())
                work(batch, some)


# What a record is to a model.


def asked(record: Record) -> tuple[str, str]:
    """A record's prompt and what was answered."""
    answer = record.get("completion", record["text"])
    return str(record.get("prompt", "")), str(answer)


def turns(record: Record) -> list[tuple[str, str]]:
    """A record as the turns of a chat."""
    if "messages" in record:
        return [(turn["role"], turn["content"]) for turn in record["messages"]]
    prompt, completion = asked(record)
    return [("user", prompt), ("assistant", completion)]
