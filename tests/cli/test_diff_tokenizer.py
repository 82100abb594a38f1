# ruff: noqa: E501 - transcripts are as wide as they are
"""`lineage diff` of tokenizers, for people and programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.registry import Registry

    Run = Callable[..., Any]
    Transcript = Callable[..., str]

LETTERS = "abcdehlorst"
WORDS = ("the rest", "the cat", "a clear car")


def _tokenizer(extra: list[str], merges: list[str], **said: Any) -> dict[str, Any]:
    """What a small BPE's file says: letters, what merges make, and extra tokens."""
    tokens = [*extra, *LETTERS, *(merge.replace(" ", "") for merge in merges)]
    model = {
        "type": "BPE",
        "vocab": {t: n for n, t in enumerate(tokens)},
        "merges": merges,
    }
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    added = [
        {"id": n, "content": t, "special": True} | flags for n, t in enumerate(extra)
    ]
    return {"version": "1.0", "model": model, "added_tokens": added, **said}


@pytest.fixture
def tokenizers(repo: Registry) -> Registry:
    """Two versions of a model whose tokenizer differs in all that it can."""
    old = _tokenizer(["<s>"], ["t h", "th e", "r e", "s t", "a r"])
    new = _tokenizer(["<s>", "<tool>"], ["r e", "t h", "th e", "c a"],
                     pre_tokenizer={"type": "Whitespace"})  # fmt: skip
    template = "{% for m in messages %}{{ m.content }}{% endfor %}"
    sides = (
        (old, "<s>", template),
        (new, "<tool>", template.replace("content", "text")),
    )
    for said, token, text in sides:
        folder = repo.root / "model"
        folder.mkdir(exist_ok=True)
        files = {
            "tokenizer.json": json.dumps(said),
            "tokenizer_config.json": json.dumps({"eos_token": token}),
            "chat_template.jinja": text,
        }
        for name, content in files.items():
            (folder / name).write_text(content, encoding="utf-8")
        repo.commit("model", "m", folder)
    (repo.root / "words.txt").write_text("\n".join(WORDS), encoding="utf-8")
    return repo


@pytest.mark.usefixtures("tokenizers")
def test_what_a_person_sees(transcript: Transcript) -> None:
    """A line per thing that differs, then what it is; tokens that moved along are one row."""
    assert transcript("diff --only tokenizer --text words.txt") == snapshot("""\
$ lineage diff --only tokenizer --text words.txt
old  aaaaaaaa model m, just now
new  bbbbbbbb model m (HEAD -> model/m), just now

tokenizer
                           old     new
  vocabulary                17      17  2 added, 2 removed, 14 re-numbered
  merges                     5       4  1 added, 2 removed, 1 moved
  special tokens                        2 changed
  settings                              1 changed
  chat template                         changed
  tokens per character  0.5385  0.5769  of words.txt
  cut differently                       100 % of 3 records, 80 % of 15 tokens

tokenizer: vocabulary
     token       old    new
  +  <tool>               1
  +  ca                  16
  -  st           15
  -  ar           16
  ~  a … t      1-11   2-12
  ~  th … the  12-13  14-15
  ~  re           14     13

tokenizer: merges
     token  old  new
  +  c a           3
  -  s t      3
  -  a r      4
  ~  r e      2    0

tokenizer: special
  path       old  new
  eos_token  <s>  <tool>
  <tool>     -    special

tokenizer: settings
  path                old  new
  pre_tokenizer.type  -    Whitespace

tokenizer: chat template
  @@ -1,2 +1,2 @@
  {% for m in messages %}
  -{{ m.content }}{% endfor %}
  +{{ m.text }}{% endfor %}
""")


@pytest.mark.usefixtures("tokenizers")
def test_rows_for_a_spreadsheet(run: Run) -> None:
    """CSV has a line per token, merge and setting."""
    lines = run("diff", "--only", "tokenizer", "--format", "csv").stdout.splitlines()

    assert [line for line in lines if "renumbered" not in line] == snapshot(
        [
            "section,path,change,a,b,delta,better,verdict",
            "tokenizer,vocabulary:<tool>,added,,1,,,",
            "tokenizer,vocabulary:ca,added,,16,,,",
            "tokenizer,vocabulary:st,removed,15,,,,",
            "tokenizer,vocabulary:ar,removed,16,,,,",
            "tokenizer,merges:c a,added,,3,,,",
            "tokenizer,merges:s t,removed,3,,,,",
            "tokenizer,merges:a r,removed,4,,,,",
            "tokenizer,merges:r e,moved,2,0,,,",
            "tokenizer,special:eos_token,changed,<s>,<tool>,,,",
            "tokenizer,special:<tool>,added,,special,,,",
            "tokenizer,settings:pre_tokenizer.type,added,,Whitespace,,,",
            "tokenizer,chat_template:default,changed,,,,,",
        ]
    )


@pytest.mark.usefixtures("tokenizers")
def test_json_has_the_documented_shape(run: Run) -> None:
    """JSON has everything, not only what fits on a screen."""
    found = run(
        "diff", "--only", "tokenizer", "--limit", "1", "--format", "json"
    ).json()
    [one] = found["tokenizer"]

    assert list(one) == [
        "label", "folder", "vocabulary", "scores", "merges", "special", "settings",
        "templates", "text",
    ]  # fmt: skip
    assert len(one["vocabulary"].pop("renumbered")) == 14
    assert {k: one[k] for k in ("vocabulary", "merges")} == snapshot(
        {
            "vocabulary": {
                "a": 17,
                "b": 17,
                "added": [{"token": "<tool>", "b": 1}, {"token": "ca", "b": 16}],
                "removed": [{"token": "st", "a": 15}, {"token": "ar", "a": 16}],
            },
            "merges": {
                "a": 5,
                "b": 4,
                "added": [{"token": "c a", "b": 3}],
                "removed": [{"token": "s t", "a": 3}, {"token": "a r", "a": 4}],
                "moved": [{"token": "r e", "a": 2, "b": 0}],
            },
        }
    )
    assert one["text"] is None


@pytest.mark.usefixtures("tokenizers")
def test_exit_code_of_a_tokenizer(run: Run) -> None:
    """--exit-code tells of a tokenizer as of anything else."""
    assert run("diff", "--only", "tokenizer", "--exit-code").exit_code == 1
    assert (
        run("diff", "HEAD", "HEAD", "--only", "tokenizer", "--exit-code").exit_code == 0
    )
