"""Tokenizers compared: real ones, trained here on the standard library's text."""

from __future__ import annotations

import json
import pydoc
import sys
from pydoc_data import topics
from typing import TYPE_CHECKING, Any

import pytest

from lineage.diff import Options, diff
from lineage.diff.settings import Change
from lineage.errors import UsageError
from lineage.store.objects import Edge

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tokenizers import Tokenizer

    from lineage.diff import Diff
    from lineage.diff.tokenizer import TokenizerChanges
    from lineage.registry import Registry

TEXT = [*topics.topics.values()][:12]
OTHER = [pydoc.render_doc(str), pydoc.render_doc(dict)]
ONLY = ["tokenizer"]


def trained(kind: str, texts: list[str] = TEXT, size: int = 400) -> dict[str, Any]:
    """Train a tokenizer of a kind on real text; what its tokenizer.json says."""
    from tokenizers import (
        Tokenizer,
        decoders,
        models,
        normalizers,
        pre_tokenizers,
        trainers,
    )

    unknown, *others = "<unk>", "<s>", "</s>"
    chosen: dict[str, tuple[Any, Any]] = {
        "bpe": (models.BPE(unk_token=unknown), trainers.BpeTrainer),
        "wordpiece": (models.WordPiece(unk_token=unknown), trainers.WordPieceTrainer),
        "unigram": (models.Unigram(), trainers.UnigramTrainer),
        "wordlevel": (models.WordLevel(unk_token=unknown), trainers.WordLevelTrainer),
    }
    model, trainer = chosen[kind]
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.decoder = decoders.WordPiece()
    extra = {"unk_token": unknown} if kind == "unigram" else {}
    given = trainer(
        vocab_size=size, special_tokens=[unknown, *others], show_progress=False, **extra
    )
    tokenizer.train_from_iterator(texts, given)
    return json.loads(tokenizer.to_str())  # type: ignore[no-any-return]


def loaded(said: dict[str, Any]) -> Tokenizer:
    """Make a tokenizer of what its file says."""
    from tokenizers import Tokenizer

    return Tokenizer.from_str(json.dumps(said))


@pytest.fixture(scope="module")
def bpe() -> dict[str, Any]:
    return trained("bpe")


def commit(
    registry: Registry, files: Mapping[str, Any], kind: str = "model", **fields: Any
) -> str:
    """Record a tokenizer from what its files say, text or JSON."""
    count = len([*registry.root.glob("tok*")])
    folder = registry.root / f"tok{count}"
    for name, said in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = said if isinstance(said, str) else json.dumps(said)
        path.write_text(text, encoding="utf-8")
    return registry.commit(kind, "m", folder, **fields).id


def compared(registry: Registry, old: Any, new: Any, **options: Any) -> Diff:
    """The difference between two tokenizers, each a tokenizer.json or all files."""
    ids = [
        commit(registry, side if "tokenizer.json" in side or "model" not in side
               else {"tokenizer.json": side})
        for side in (old, new)
    ]  # fmt: skip
    return diff(registry, ids[0], ids[1], only=ONLY, options=Options(**options))


def one(found: Diff) -> TokenizerChanges:
    """The only tokenizer that differs, with nothing left uncompared."""
    [changes] = found.tokenizer
    assert not found.notes
    return changes


def truncation(direction: str, length: int) -> dict[str, Any]:
    """Say how to truncate, as tokenizer.json does."""
    rest = {"strategy": "LongestFirst", "stride": 0}
    return {"direction": direction, "max_length": length} | rest


def copied(said: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(said))  # type: ignore[no-any-return]


@pytest.mark.parametrize("kind", ["bpe", "wordpiece", "unigram", "wordlevel"])
def test_every_kind_of_model_is_compared_token_by_token(
    repo: Registry, kind: str
) -> None:
    """Two trainings differ by exactly what their vocabularies and merges say."""
    old, new = trained(kind), trained(kind, OTHER)
    found = one(compared(repo, old, new))
    a, b = (loaded(side).get_vocab() for side in (old, new))

    assert {e.token: e.b for e in found.vocabulary.added} == {
        token: id_ for token, id_ in b.items() if token not in a
    }
    assert {e.token: e.a for e in found.vocabulary.removed} == {
        token: id_ for token, id_ in a.items() if token not in b
    }
    assert {e.token: (e.a, e.b) for e in found.vocabulary.moved} == {
        token: (a[token], b[token]) for token in a.keys() & b if a[token] != b[token]
    }
    pairs = [{" ".join(m) for m in s["model"].get("merges", ())} for s in (old, new)]
    assert {e.token for e in found.merges.added} == pairs[1] - pairs[0]
    assert {e.token for e in found.merges.removed} == pairs[0] - pairs[1]
    assert bool(found.scores) == (kind == "unigram")


def test_another_way_to_write_it_is_the_same_tokenizer(
    repo: Registry, bpe: dict[str, Any]
) -> None:
    """Order of keys, spaces, merges as text, fields at their defaults say nothing."""
    other = {key: bpe[key] for key in sorted(bpe, reverse=True)}
    model = copied(bpe)["model"]
    model["merges"] = [" ".join(pair) for pair in model["merges"]]
    model["vocab"] = dict(reversed(model["vocab"].items()))
    for name in ("byte_fallback", "ignore_merges", "fuse_unk"):
        assert model.pop(name) is False
    written = json.dumps(other | {"model": model}, indent=7, ensure_ascii=True)
    found = compared(repo, bpe, {"tokenizer.json": written})

    assert (found.tokenizer, found.notes) == ((), ())


def test_transformers_moves_things_between_files(
    repo: Registry, bpe: dict[str, Any]
) -> None:
    """What versions 4 and 5 of transformers save of one tokenizer is the same."""
    tokens = {"bos_token": "<s>", "eos_token": "</s>"}
    flags = {"lstrip": False, "normalized": False, "special": True}
    four = {
        "tokenizer.json": bpe,
        "special_tokens_map.json": {
            n: {"content": t} | flags for n, t in tokens.items()
        }
        | {"additional_special_tokens": ["<unk>"]},
        "added_tokens.json": {"<s>": 1},
        "vocab.json": bpe["model"]["vocab"],
        "merges.txt": "#version: 0.2\n",
        "tokenizer_config.json": {
            **tokens,
            "added_tokens_decoder": {"1": {"content": "<s>"} | flags},
            "chat_template": "{% for m in messages %}{{ m.content }}{% endfor %}",
            "model_max_length": 1000000000000000019884624838656,
            "name_or_path": "somewhere/else",
            "padding_side": "right",
            "tokenizer_class": "PreTrainedTokenizerFast",
        },
    }
    five = {
        "tokenizer.json": bpe,
        "chat_template.jinja": "{% for m in messages %}{{ m.content }}{% endfor %}",
        "tokenizer_config.json": {
            **tokens,
            "backend": "tokenizers",
            "extra_special_tokens": ["<unk>"],
            "is_local": True,
            "tokenizer_class": "TokenizersBackend",
        },
    }
    found = compared(repo, four, five)

    assert (found.tokenizer, found.notes) == ((), ())


def test_what_was_changed_is_found_and_nothing_else(
    repo: Registry, bpe: dict[str, Any]
) -> None:
    """A new token, two swapped merges, a normaliser, a role and a template are told."""
    new = copied(bpe)
    added = {"single_word": False, "lstrip": True, "rstrip": False, "normalized": False}
    new["added_tokens"].append(
        {"id": 400, "content": "<tool>", "special": True} | added
    )
    merges = new["model"]["merges"]
    merges[3], merges[90] = merges[90], merges[3]
    new["normalizer"] = {"type": "Sequence", "normalizers": [{"type": "NFKC"}]}
    new["truncation"] = truncation("Left", 9)
    template = "{% if x %}{{ x }}{% endif %}{{ y }}"
    sides = (
        {"tokenizer.json": said, "tokenizer_config.json": {"eos_token": eos},
         "chat_template.jinja": text}
        for said, eos, text in ((bpe, "</s>", template),
                                (new, "<s>", template.replace("{{ y", "{{ z")))
    )  # fmt: skip
    found = one(compared(repo, *sides))

    assert [(e.token, e.b) for e in found.vocabulary.added] == [("<tool>", 400)]
    assert (found.vocabulary.removed, found.vocabulary.moved) == ((), ())
    assert not found.scores
    assert sorted((e.a, e.b) for e in found.merges.moved) == [(3, 90), (90, 3)]
    assert found.special == (
        Change("eos_token", "</s>", "<s>"),
        Change("<tool>", None, "lstrip, special", "added"),
    )
    assert {change.path: (change.a, change.b) for change in found.settings} == {
        "normalizer.type": ("NFC", "Sequence"),
        "normalizer.normalizers.0.type": (None, "NFKC"),
        "truncation.direction": (None, "Left"),
        "truncation.max_length": (None, 9),
        "truncation.strategy": (None, "LongestFirst"),
        "truncation.stride": (None, 0),
    }
    assert found.templates[0].lines == (
        "@@ -2,2 +2,2 @@", " {{ x }}{% endif %}", "-{{ y }}", "+{{ z }}",
    )  # fmt: skip


def test_vocabulary_files_of_old_tokenizers(
    repo: Registry, bpe: dict[str, Any]
) -> None:
    """Without tokenizer.json tokens are those of vocab.json, merges.txt, vocab.txt."""
    vocabulary = bpe["model"]["vocab"]
    merges = [" ".join(pair) for pair in bpe["model"]["merges"]]
    new = vocabulary | {"nn": 900}
    sides = (
        {"vocab.json": v, "merges.txt": "#version: 0.2\n" + "\n".join(m) + "\n",
         "vocab.txt": "never read"}
        for v, m in ((vocabulary, merges), (new, [*merges[1:], "n n"]))
    )  # fmt: skip
    found = one(compared(repo, *sides))
    lines = one(compared(repo, {"vocab.txt": "a\nb\nc\n"}, {"vocab.txt": "b\nc\nd\n"}))

    assert [e.token for e in found.vocabulary.added] == ["nn"]
    assert [e.token for e in found.merges.added] == ["n n"]
    assert [e.token for e in found.merges.removed] == merges[:1]
    assert (found.merges.moved, found.vocabulary.moved) == ((), ())
    assert [(e.token, e.a, e.b) for e in lines.vocabulary.moved] == [
        ("b", 1, 0), ("c", 2, 1),
    ]  # fmt: skip


def test_a_text_through_both(
    repo: Registry, bpe: dict[str, Any], tmp_path: Path
) -> None:
    """Records and tokens that are cut otherwise are counted as by brute force."""
    new = copied(bpe)
    new["model"]["merges"] = new["model"]["merges"][:-150]
    new["truncation"] = truncation("Right", 3)
    lines = [line for line in OTHER[0].splitlines() if line]
    path = tmp_path / "text.txt"
    path.write_text("\n\n".join(lines), encoding="utf-8")
    text = one(compared(repo, bpe, new, text=path)).text
    before, after = map(loaded, (bpe, new))
    after.no_truncation()
    a, b = ([set(_placed(t, line)) for line in lines] for t in (before, after))

    assert text is not None
    assert (text.source, text.records, text.whole) == ("text.txt", len(lines), True)
    assert text.different == sum(x != y for x, y in zip(a, b, strict=True)) > 10
    assert text.characters == sum(map(len, lines))
    assert (text.a, text.b) == (sum(map(len, a)), sum(map(len, b)))
    assert text.fresh == sum(len(y - x) for x, y in zip(a, b, strict=True))


def _placed(tokenizer: Tokenizer, line: str) -> list[tuple[tuple[int, int], str]]:
    found = tokenizer.encode(line)
    return [*zip(found.offsets, found.tokens, strict=True)]


def test_the_held_out_dataset_of_both_is_tried(
    repo: Registry, bpe: dict[str, Any]
) -> None:
    """Two generations that were evaluated on one dataset are tried on it."""
    new = copied(bpe)
    new["model"]["merges"] = new["model"]["merges"][:-150]
    records = "".join(json.dumps({"text": text}) + "\n" for text in OTHER)
    held_out = commit(repo, {"held-out.jsonl": records}, "dataset")
    turns = []
    for side in (bpe, new):
        model = commit(repo, {"tokenizer.json": side})
        edges = [Edge("includes", model), Edge("evaluated_on", held_out)]
        turns.append(repo.commit("generation", "m", edges=edges).id)
    [found] = diff(repo, turns[0], turns[1], only=ONLY).tokenizer

    assert found.label == "model/m"
    assert found.text is not None
    assert found.text.source == f"m {held_out[:8]}"
    assert (found.text.records, found.text.different) == (2, 2)
    assert found.text.b > found.text.a


@pytest.mark.parametrize(
    ("name", "said", "message"),
    [
        ("tokenizer.json", "{", "tokenizer.json is nothing that tokenizers "),
        ("tokenizer.json", '{"model": {"type": "Magic"}}', "tokenizer.json is nothing"),
        ("tokenizer_config.json", "[]", "tokenizer_config.json is not a JSON object"),
        ("tokenizer_config.json", "nope", "tokenizer_config.json is not JSON: "),
        ("tokenizer_config.json", '{"chat_template": [1]}', "tokenizer_config.json"),
    ],
)
def test_a_malformed_file_is_named(
    repo: Registry, bpe: dict[str, Any], name: str, said: str, message: str
) -> None:
    """One note says which file cannot be read and why; nothing else goes wrong."""
    whole = {"tokenizer.json": bpe, "tokenizer_config.json": {}}
    found = compared(repo, whole, whole | {name: said})

    assert found.tokenizer == ()
    assert len(found.notes) == 1
    assert found.notes[0].startswith(f"the tokenizer is not compared: {message}")


def test_a_missing_library_is_named(
    repo: Registry, bpe: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the library there is a note of what to install, and no error."""
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    found = compared(repo, bpe, bpe | {"truncation": truncation("Left", 9)})
    [note] = found.notes

    assert found.tokenizer == ()
    assert note.endswith("install it: pip install 'lineage-vcs[diff]'")


def test_sentencepiece_is_said_not_to_be_read(repo: Registry) -> None:
    """A vocabulary that nothing here reads is a note, not silence."""
    sides = ({"tokenizer.model": text, "tokenizer_config.json": {}} for text in "ab")
    found = compared(repo, *sides)

    assert found.tokenizer == ()
    [note] = found.notes
    assert note == (
        "the tokenizer: nothing here reads a SentencePiece model, so no tokens "
        "are compared"
    )


def test_a_text_that_is_none(
    repo: Registry, bpe: dict[str, Any], tmp_path: Path
) -> None:
    """A text that is no UTF-8 is refused, since somebody asked for it."""
    path = tmp_path / "bytes"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="bytes is not UTF-8 text"):
        compared(repo, bpe, trained("bpe", OTHER), text=path)


def test_data_with_a_vocabulary_file_are_no_tokenizer(repo: Registry) -> None:
    """A dataset's vocab.txt is text; its tokenizer.json would be a tokenizer."""
    ids = [commit(repo, {"vocab.txt": text}, "dataset") for text in ("a\n", "b\n")]

    assert diff(repo, ids[0], ids[1], only=ONLY).tokenizer == ()
