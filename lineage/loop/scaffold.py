"""The files of a new loop, so that they run as they are on the text at hand."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile
from typing import TYPE_CHECKING

from lineage.errors import LineageError, StoreError, UsageError
from lineage.loop import templates
from lineage.loop.measuring.measures import words
from lineage.loop.records.data import split
from lineage.loop.records.text_files import Columns, read_file
from lineage.loop.steps.model import CONTEXT
from lineage.loop.steps.tokenizer import has_tokenizer
from lineage.store.disk import disk_errors
from lineage.store.scan import scan

if TYPE_CHECKING:
    from collections.abc import Iterable

DATA = "data.py"  # what makes a template's data
_SUFFIXES = (".txt", ".jsonl")
_ENOUGH = 100  # mentions of a group: the log of their odds then errs by about 0.2
_USED = 200_000  # characters that the records of a new loop have, about
_LOOKED_AT = 4_000_000  # characters of the text, to see whether there are enough
_LARGE = 50_000_000  # bytes of weights
_THREADS = 8


@dataclass(frozen=True, slots=True)
class Scaffold:
    """The files that were written, and what somebody should know of them."""

    files: list[Path]
    notes: list[str]


def scaffold(
    folder: Path,
    template: str = "text",
    *,
    text: Path | None = None,
    model: Path | None = None,
) -> Scaffold:
    """Write the files of a loop into `folder`.

    Args:
        folder: where they go; nothing there is overwritten.
        template: one of `TEMPLATES`.
        text: what the loop of `text` learns from; a `text.txt` to be put there, if
            None.
        model: a `save_pretrained` folder that it starts from; if None a small model
            is trained from scratch.

    Raises:
        UsageError: a file is there already, `model` is no such folder, or `text` is
            too little.
        StoreError: `text` cannot be read, or is not what its name says.
    """
    files = templates.files(template)
    names = [name.removesuffix(".j2") for name in files]
    there = [name for name in names if os.path.lexists(folder / name)]
    if there:
        message = f"{folder / there[0]} exists already"
        raise UsageError(message, hint="move it away, or go to another folder")
    if template != "text" and (text or model):
        option = "--text" if text else "--model"
        message = f"{option} goes with the template text, not with {template}"
        raise UsageError(message, hint="what it learns from is made by its own files")
    notes: list[str] = []
    values = _text_values(folder, text, model, notes) if template == "text" else {}
    with disk_errors("writing the loop's files"), ExitStack() as failing:
        folder.mkdir(parents=True, exist_ok=True)
        for file, name in zip(files, names, strict=True):
            source = f"{template}/{file}"
            rendered = file != name
            content = templates.render(source, values) if rendered else None
            templates.write(folder / name, content or templates.read(source))
            failing.callback((folder / name).unlink)
        failing.pop_all()
    if DATA in names:
        notes.append(_make_data(folder))
    return Scaffold([folder / name for name in names], notes)


def _make_data(folder: Path) -> str:
    """Run a template's data.py in the new folder; returns what it said it did."""
    done = subprocess.run(
        [sys.executable, DATA], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        what = next(iter(reversed(done.stderr.strip().splitlines())), "it failed")
        message = f"{folder / DATA} could not make the data: {what}"
        raise LineageError(message, hint=f"python {DATA} tells more")
    return f"{DATA} wrote {done.stdout.strip()}"


def _text_values(
    folder: Path, text: Path | None, model: Path | None, notes: list[str]
) -> dict[str, object]:
    """What fills the blanks of the template `text`."""
    context = _context_length(model) if model else None
    sample, column = _look_at(text) if text else ("", "text")
    if text is None:
        notes.append("put your text into text.txt")
    return {
        "name": _plain((model or text or Path("text")).absolute()),
        "num_generations": 2,
        "num_threads": _threads(model) if model else 1,
        "model": _shown(model, folder) if model else None,
        "text": _usable(text, folder, notes) if text else "text.txt",
        "column": column,
        "block_size": min(context or 128, 128) if model else 64,
        "samples": 400 if model else 1000,
        "lexicon": _enough(sample),
    }


def _plain(path: Path) -> str:
    """The name of a file or folder as a loop can have it."""
    name = path.name if path.is_dir() else path.stem
    return re.sub(r"[^\w.+-]+|\.\.+", "-", name).strip("-.") or "loop"


def _shown(path: Path, folder: Path) -> str:
    """A path as loop.yaml has it: relative to it where that is no detour."""
    whole, base = path.absolute(), folder.absolute()
    inside = whole.is_relative_to(base)
    return str(whole.relative_to(base) if inside else whole)


def _usable(text: Path, folder: Path, notes: list[str]) -> str:
    """The text's name for loop.yaml; a copy called .txt if it has another ending."""
    if text.suffix in _SUFFIXES:
        return _shown(text, folder)
    copy = folder / f"{text.name}.txt"
    if copy.exists():
        raise UsageError(f"{copy} exists already", hint=f"give it as --text {copy}")
    with disk_errors("copying the text"):
        folder.mkdir(parents=True, exist_ok=True)
        copyfile(text, copy)
    notes.append(f"{text} is copied to {copy.name}, as loops read .txt and .jsonl")
    return copy.name


def _look_at(text: Path) -> tuple[str, str]:
    """The beginning of a text, and the column that has it in a .jsonl.

    All of it is read as a loop reads it, so that what is written can run.
    """
    try:
        with text.open(encoding="utf-8-sig", errors="replace") as file:
            sample = file.read(_LOOKED_AT)
    except OSError as error:
        raise StoreError(f"{text} cannot be read: {error.strerror}") from None
    column = _column(sample) if text.suffix == ".jsonl" else "text"
    split(read_file(text, Columns(column)), 0.1, seed=0)
    return sample, column


def _column(sample: str) -> str:
    """`text`, or the column whose value is longest in the first record."""
    first = sample.lstrip().partition("\n")[0]
    try:
        record = json.loads(first)
    except ValueError:
        record = None
    fields = record.items() if isinstance(record, dict) else ()
    texts = {k: v for k, v in fields if isinstance(v, str)}
    return (
        "text"
        if "text" in texts or not texts
        else max(texts, key=lambda k: len(texts[k]))
    )


def _enough(sample: str) -> bool:
    """Whether its records will speak of each of the lexicon's groups often enough."""
    import yaml

    lexicon: dict[str, list[str]] = yaml.safe_load(templates.read("text/lexicon.yaml"))
    counts = dict.fromkeys(lexicon, 0)
    groups = {word: group for group, members in lexicon.items() for word in members}
    for word in _known(sample, groups):
        counts[groups[word]] += 1
    used = min(_USED / max(len(sample), 1), 1.0)  # the share of it that is drawn
    return min(counts.values()) * used >= _ENOUGH


def _known(sample: str, groups: Iterable[str]) -> Iterable[str]:
    wanted = set(groups)
    return (word for word in words([sample]) if word in wanted)


def _threads(model: Path) -> int:
    """How many threads pay: small matrices are done before a second one is awake."""
    weights = sum(file.stat().st_size for file in model.glob("*.safetensors"))
    return min(os.cpu_count() or 1, _THREADS) if weights > _LARGE else 1


def _context_length(model: Path) -> int | None:
    """How many tokens a model can see at once, as its config.json says.

    Raises:
        UsageError: when that cannot be read, or the folder has no tokenizer.
    """
    try:
        config = json.loads((model / "config.json").read_bytes())
    except OSError:
        message = f"{model} is no save_pretrained folder: it has no config.json"
        raise UsageError(message) from None
    except ValueError:
        config = None
    if not isinstance(config, dict):
        raise UsageError(f"{model / 'config.json'} is not a JSON object")
    scan(model.resolve())  # refuses links, which no commit can have
    if not has_tokenizer(model):
        hint = f"save it there too: tokenizer.save_pretrained({str(model)!r})"
        raise UsageError(f"{model} has a model but no tokenizer", hint=hint)
    lengths = [config[key] for key in CONTEXT if isinstance(config.get(key), int)]
    return lengths[0] if lengths else None
