"""What generation 0 begins with: human records, held-out records, a seed model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lineage.loop.records.data import human_records, read_human
from lineage.loop.records.shards import Record, write_shards
from lineage.loop.running import parts
from lineage.loop.running.changes import file_sha256
from lineage.loop.steps.chat import Chat, has_template
from lineage.loop.steps.rehearsal import rehearse
from lineage.loop.steps.tokenizer import load_tokens, make_blank
from lineage.store.scan import scan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lineage.loop.records.data import HumanText
    from lineage.loop.records.text_files import Example
    from lineage.loop.running.turn import Turn


@dataclass(frozen=True, slots=True)
class Beginning:
    """Commits of generation 0; without `model` it is trained from `blank`."""

    human: str
    held_out: str
    whole: dict[str, list[int]]
    model: str = ""
    blank: Path | None = None


def prepare(turn: Turn) -> Beginning:
    """Read, split and cut the human text, find the seed model; then commit them.

    Everything that can be wrong with a spec's files is found before the first
    commit.

    Raises:
        NotFound: there is no such seed model.
        UsageError: the spec's model or data cannot be used.
        StoreError: a file of human text cannot be read.
    """
    activity = turn.activity("prepare")
    turn.progress.started(activity)
    spec, text = turn.spec, read_human(turn.spec)
    output, scratch = turn.workshop.step(0, turn.attempt, "prepare")
    start, model = _start(turn, text, scratch)
    length = _chat_length(start) if spec.dataset.messages_column else None
    records = human_records(spec, text, load_tokens(start).offsets, length)
    rehearse(spec, start, records, output, parts.scorer_folder(turn))
    parts.config(turn)
    stem = parts.plain_name(spec.path(spec.dataset.train_file[0]).stem)
    less = {"removed": records.removed}  # what is held-out text as well
    longer = [{"too_long": n} if n else {} for n in records.too_long]
    human = _commit(turn, output, "human", stem, records.train, **less, **longer[0])
    stem += "-held-out"
    held_out = _commit(turn, output, "held-out", stem, records.held_out, **longer[1])
    if spec.model_folder is not None:
        name = parts.plain_name(spec.model_folder.name)
        model = turn.commit("model", name, start, part="model", params={})
    turn.progress.finished(activity, {"seconds": activity.seconds})
    count = len(records.train)
    whole = {"records": [count, count]}
    return Beginning(human, held_out, whole, model, None if model else start)


def _chat_length(folder: Path) -> Callable[[Example], int] | None:
    """Counts a chat's tokens as the model's own template has it, if it has one."""
    if not has_template(folder):
        return None
    chat = Chat(folder)
    return lambda example: len(chat.encode(chat.whole(example.messages)))


def _start(turn: Turn, text: HumanText, scratch: Path) -> tuple[Path, str]:
    """The folder that generation 0 starts from, and its commit where there is one.

    That is the spec's folder as it is, the files of its revision, or a new config
    and tokenizer.
    """
    spec, name = turn.spec, turn.spec.model.model_name_or_path
    if name is None:
        make_blank(spec, (piece.text for piece in text.train), scratch)
        return scratch, ""
    if spec.model_folder is not None:
        scan(spec.model_folder)  # refuses links, which no commit can have
        return spec.model_folder, ""
    id_ = parts.model_of_revision(turn.registry, name, "model.model_name_or_path")
    return turn.workshop.input(id_), id_


def _commit(
    turn: Turn,
    output: Path,
    part: str,
    name: str,
    records: Sequence[Record],
    **facts: int,
) -> str:
    """Commit human records; their origin is what the spec says, and nothing more."""
    spec, folder = turn.spec, output / part
    write_shards(folder, part, records, spec.generation.shard_size)
    names = spec.dataset.train_file
    if part == "held-out":
        names = spec.dataset.validation_file or names
    files = [spec.path(name) for name in names]
    id_ = turn.commit(
        "dataset",
        name,
        folder,
        part=part,
        params={
            "files": [{"name": f.name, "sha256": file_sha256(f)} for f in files],
            **facts,
        },
        origin=spec.dataset.origin_record,
    )
    turn.workshop.keep(id_, folder)
    return id_
