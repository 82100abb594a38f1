"""The records that generation 0's model finds least likely, with a real model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lineage.loop.reviews.drawing import draw
from lineage.loop.reviews.losses import losses_under
from lineage.loop.reviews.records import KEPT, Line, Records

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage.loop.spec import LoopSpec
    from lineage.registry import Registry


def model_folder(path: Path) -> Path:
    """A small GPT-2 with random weights, and a tokenizer of bytes."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = {symbol: number for number, symbol in enumerate(alphabet)}
    backend = Tokenizer(models.BPE(vocab=vocab, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    config = GPT2Config(
        vocab_size=len(vocab), n_positions=32, n_embd=16, n_layer=1, n_head=2,
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    GPT2LMHeadModel(config).save_pretrained(path)
    PreTrainedTokenizerFast(tokenizer_object=backend).save_pretrained(path)
    return path


def test_the_worst_records_are_those_with_the_highest_loss(
    repo: Registry, parse: Callable[..., LoopSpec], tmp_path: Path
) -> None:
    """Losses come out the same again, and decide which records are shown."""
    model = repo.commit("model", "zero", model_folder(tmp_path / "zero")).id
    texts = ["the cat", "zzzz ~~~~ QQQQ", "a dog sat", "", "x" * 100]
    losses = losses_under(repo, model, parse())
    found, why = losses(texts)

    assert why == ""
    assert found == losses(texts)[0]
    assert found[3] is None
    pairs = zip(texts, found, strict=True)
    known: dict[str, float] = {t: v for t, v in pairs if v is not None}
    lines = [Line(t or "-", "a.jsonl", t, KEPT, {"text": t}) for t in texts]
    drawn: Any = draw(
        Records("", "", lines), 2, ["highest_loss"], 0, flags={}, losses=known
    )
    worst = sorted(known, key=lambda text: -known[text])[:2]
    assert {one.line.sha256 for one in drawn} == set(worst)


def test_where_there_is_no_model_it_is_said(
    repo: Registry, parse: Callable[..., LoopSpec], tmp_path: Path
) -> None:
    """A model that is none of transformers gives no losses and the reason."""
    (tmp_path / "words.json").write_text("{}")
    model = repo.commit("model", "words", tmp_path / "words.json").id

    assert losses_under(repo, model, parse())(["a"]) == (
        [],
        "not available: generation 0's model is no transformers model",
    )
