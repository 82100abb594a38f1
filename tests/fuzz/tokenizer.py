"""A tokenizer's files, beside one another in one text: `name`, then its lines."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from lineage.diff.tokenizer.reading import read_tokenizer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RUNS: Sequence[str] = ()
TRIES = 30
KEPT: Sequence[bytes] = ()
NAMES = (
    *("tokenizer.json", "vocab.json", "merges.txt", "vocab.txt"),
    *("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"),
)
MARK = re.compile(rb"^=== ([a-z_.]+)\n", re.MULTILINE)


def seeds(folder: Path) -> Sequence[bytes]:
    del folder
    model = {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]]}
    whole: dict[str, object] = {
        "version": "1.0",
        "model": model,
        "added_tokens": [],
        "normalizer": None,
    }
    config = {"bos_token": {"content": "<s>"}, "chat_template": "{{ x }}"}
    beside = [
        f"=== tokenizer_config.json\n{json.dumps(config)}\n",
        '=== special_tokens_map.json\n{"eos_token": "</s>"}\n',
        '=== added_tokens.json\n{"<s>": 3}\n',
    ]
    return [
        "".join([f"=== tokenizer.json\n{json.dumps(whole)}\n", *beside]).encode(),
        b'=== vocab.json\n{"a": 0, "b": 1}\n=== merges.txt\n#version: 0.2\na b\n',
        b"=== vocab.txt\n[UNK]\na\n##b\n",
    ]


def attack(data: bytes, folder: Path) -> None:
    parts = MARK.split(data)
    files = dict(zip(parts[1::2], parts[2::2], strict=True))
    found = {n: files[n.encode()] for n in NAMES if n.encode() in files}
    for name, text in found.items():
        (folder / name).write_bytes(text)
    read_tokenizer(list(found), lambda name: folder / name)
