"""What is said of two models: renamed, cast, tuned in part, changed by a low rank."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np  # noqa: TID253
import pytest
import torch  # noqa: TID253
from safetensors.torch import save  # noqa: TID253

from lineage.diff.tensors.modules import place
from lineage.diff.tensors.ranks import low_rank, rank
from lineage.diff.tensors.stored import Held, Stored

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.diff import Diff
    from lineage.diff.tensors import TensorChanges

    Said = Callable[..., TensorChanges]
    State = dict[str, torch.Tensor]

LAYERS, WIDTH = 4, 96


def model(dtype: torch.dtype = torch.float32) -> State:
    """The tensors of a small Llama with weights that look trained."""
    draw = torch.Generator().manual_seed(0)

    def matrix(rows: int, columns: int) -> torch.Tensor:
        return (torch.randn(rows, columns, generator=draw) * 0.03).to(dtype)

    found = {"model.embed_tokens.weight": matrix(200, WIDTH)}
    for layer in range(LAYERS):
        at = f"model.layers.{layer}."
        for name in ("q_proj", "k_proj", "v_proj", "o_proj"):
            found[f"{at}self_attn.{name}.weight"] = matrix(WIDTH, WIDTH)
        found[f"{at}mlp.up_proj.weight"] = matrix(2 * WIDTH, WIDTH)
        found[f"{at}input_layernorm.weight"] = torch.ones(WIDTH, dtype=dtype)
    found["model.norm.weight"] = torch.ones(WIDTH, dtype=dtype)
    found["lm_head.weight"] = matrix(200, WIDTH)
    return found


def tuned(state: State, *parts: str) -> State:
    """The same after a step for the tensors with any of `parts` in their names."""
    draw = torch.Generator().manual_seed(1)
    return {
        name: t + 1e-3 * torch.randn(t.shape, generator=draw).to(t.dtype)
        if any(part in name for part in parts)
        else t
        for name, t in state.items()
    }


@pytest.fixture
def said(compared: Callable[..., Diff]) -> Callable[..., TensorChanges]:
    def said(old: State, new: State, **options: Any) -> TensorChanges:
        files = [{"model.safetensors": save(state)} for state in (old, new)]
        found = compared(*files, **options)
        assert found.notes == ()
        return found.tensors[0]

    return said


def test_what_was_only_cast_has_not_changed(said: Said) -> None:
    """Groups count as changed what the verdict does: other values, beside a cast."""
    before = model()
    after = {n: t.bfloat16() for n, t in tuned(before, "q_proj").items()}
    found = said(before, after)

    changed = {group.kind: group.changed for group in found.groups if group.changed}

    assert found.cast
    assert found.verdict.changed == LAYERS
    assert changed == {"attention q": LAYERS}


def test_tensors_that_are_no_numbers_any_more(compared: Callable[..., Diff]) -> None:
    """They are counted, and nothing is said of how far they moved."""
    before = model()
    after = {n: torch.full_like(t, torch.nan) for n, t in before.items()}
    files = [{"model.safetensors": save(state)} for state in (before, after)]
    [found] = compared(*files).tensors

    assert found.wild == len(before)
    assert found.sums.relative is None
    assert not found.sums.dd


def test_last_layers(said: Said) -> None:
    """Only the last two, and the head after them; the rest is frozen."""
    found = said(model(), tuned(model(), "layers.2.", "layers.3.", "lm_head"))

    verdict = found.verdict
    assert (verdict.what, verdict.layers) == ("last layers", (2, LAYERS))
    assert (verdict.changed, verdict.beside) == (13, ("head",))
    assert "embedding" in verdict.frozen
    groups = {(g.kind, g.layers): (g.changed, g.total) for g in found.groups}
    assert groups["attention q", (0, 1)] == (0, 2)
    assert groups["attention q", (2, 3)] == (2, 2)
    assert groups["mlp", (2, 3)] == (2, 2)


def test_middle_layers_are_not_the_last(said: Said) -> None:
    """A layer in between is a part."""
    assert said(model(), tuned(model(), "layers.1.")).verdict.what == "part"


def test_fully_tuned(said: Said) -> None:
    """Every tensor in every layer."""
    assert said(model(), tuned(model(), "")).verdict.what == "all"


def test_another_start_is_no_tuning(said: Said) -> None:
    """Weights that were drawn anew have nothing in common with the old ones."""
    draw = torch.Generator().manual_seed(9)
    new = {name: torch.randn(t.shape, generator=draw) for name, t in model().items()}

    assert said(model(), new).verdict.what == "anew"


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("wanted", [1, 8])
def test_a_merged_lora_is_recognised(
    said: Said, dtype: torch.dtype, wanted: int
) -> None:
    """Its rank and its modules, also after rounding; nothing else is reported."""
    old, new = model(dtype), model(dtype)
    draw = torch.Generator().manual_seed(2)
    for name in old:
        if "q_proj" in name or "v_proj" in name:
            b = torch.randn(WIDTH, wanted, generator=draw)
            a = torch.randn(wanted, WIDTH, generator=draw)
            new[name] = (old[name].float() + 1e-3 * b @ a).to(dtype)

    found = said(old, new)

    verdict = found.verdict
    assert (verdict.what, verdict.rank) == ("low rank", wanted)
    assert verdict.modules == ("q_proj", "v_proj")
    assert (verdict.beside, len(found.changes)) == ((), 2 * LAYERS)
    assert {"attention k", "attention o", "mlp", "norm"} <= {*verdict.frozen}


def test_a_cast_is_no_other_change(said: Said) -> None:
    """Every value is the old one, rounded; and back, every value is kept."""
    old = model()
    new = {name: t.to(torch.bfloat16) for name, t in old.items()}

    found, back = said(old, new), said(new, {n: t.float() for n, t in new.items()})

    assert (found.verdict.what, found.verdict.dtypes) == ("cast", ("F32", "BF16"))
    assert (back.verdict.what, back.verdict.changed) == ("cast", 0)
    assert {c.change for c in found.changes} == {"retyped"}


def test_a_cast_hides_no_tuning(said: Said) -> None:
    """What was tuned before it was cast is found."""
    new = {n: t.to(torch.bfloat16) for n, t in tuned(model(), "layers.3.").items()}

    found = said(model(), new)

    assert (found.verdict.what, found.verdict.layers) == ("last layers", (1, LAYERS))
    assert found.verdict.dtypes == ("F32", "BF16")


def test_a_common_beginning_of_names(said: Said) -> None:
    """Tensors are compared under their new names; nothing is added or removed."""
    old, new = model(), tuned(model(), "layers.3.")

    found = said(old, {f"module.{name}": t for name, t in new.items()})

    assert found.beginning == ("", "module.")
    assert {c.change for c in found.changes} == {"changed", "renamed"}
    assert found.verdict.layers == (1, LAYERS)


def test_renamed_by_bytes_and_tied(said: Said) -> None:
    """The same bytes under another name; a copy of tied weights."""
    old, new = model(), model()
    new["wte.weight"] = new.pop("model.embed_tokens.weight")
    new["copy"] = new["wte.weight"].clone()
    del new["lm_head.weight"]

    found = {c.name: c for c in said(old, new).changes}

    assert found["wte.weight"].was == "model.embed_tokens.weight"
    assert (found["copy"].change, found["copy"].twin) == ("added", "wte.weight")
    assert found["lm_head.weight"].change == "removed"


def test_rows_that_both_have_are_compared(said: Said) -> None:
    """A larger vocabulary: the old rows are the same."""
    old, new = model(), model()
    more = torch.randn(5, WIDTH)
    new["lm_head.weight"] = torch.cat([new["lm_head.weight"], more])

    [change] = said(old, new).changes

    assert (change.change, change.rows, change.moved) == ("reshaped", 200, False)


def test_what_is_no_number_poisons_nothing(compared: Callable[..., Diff]) -> None:
    """NaN and infinities are counted and noted; all other figures stand."""
    old, new = model(), tuned(model(), "layers.3.")
    new["lm_head.weight"] = torch.full((200, WIDTH), torch.nan)
    new["model.norm.weight"] = new["model.norm.weight"].clone()
    new["model.norm.weight"][3] = torch.inf

    found = compared({"m.safetensors": save(old)}, {"m.safetensors": save(new)})

    [note] = found.notes
    assert note.startswith("lm_head.weight and 1 more of the new side has NaN")
    by_name = {c.name: c for c in found.tensors[0].changes}
    head, norm = by_name["lm_head.weight"].sums, by_name["model.norm.weight"].sums
    assert head
    assert norm
    assert (head.nan, head.relative, head.share) == ((0, 200 * WIDTH), None, 1.0)
    assert (norm.inf, norm.relative) == ((0, 1), 0.0)
    one = by_name["model.layers.3.mlp.up_proj.weight"].sums
    assert one
    assert one.relative == pytest.approx(1e-3 / 0.03, rel=0.05)


def test_empty_and_single_elements(said: Said) -> None:
    """Tensors without elements or axes are compared like others."""
    old = {"none": torch.zeros(0, 3), "one": torch.tensor(2.0), "w": torch.ones(2)}
    new = {**old, "one": torch.tensor(3.0)}

    [change] = said(old, new).changes

    assert change.sums
    assert (change.name, change.sums.relative) == ("one", 0.5)


def stored(values: Any) -> Stored:
    raw = np.ascontiguousarray(values).reshape(-1).view(np.uint8)
    held = Held(lambda: raw, len(raw))
    return Stored("w", "F32", values.shape, held, 0, len(raw))


@pytest.mark.parametrize("shape", [(60, 90), (90, 60), (11_000, 96)])
def test_rank_against_singular_values(shape: tuple[int, int]) -> None:
    """Numerical and effective rank are those of torch's singular values."""
    draw = np.random.default_rng(0)
    a = draw.standard_normal(shape).astype(np.float32)
    change = draw.standard_normal((shape[0], 5)) @ draw.standard_normal((5, shape[1]))
    b = (a + 0.1 * change).astype(np.float32)
    exact = torch.from_numpy(b.astype(float) - a.astype(float))
    values = torch.linalg.svdvals(exact)
    shares = values / values.sum()
    entropy = float(-(shares * shares.log()).sum())

    found = rank(stored(a), stored(b))

    assert found
    assert (found.numerical, found.full) == (5, min(shape))
    assert found.effective == pytest.approx(np.exp(entropy), rel=1e-4)
    assert low_rank(stored(a), stored(b)) == 5


@pytest.mark.parametrize("scale", [1e-4, 1e-2])
def test_a_full_change_is_not_of_low_rank(scale: float) -> None:
    """Nor is one step of a sign-like optimiser."""
    draw = np.random.default_rng(0)
    a = draw.standard_normal((300, 200)).astype(np.float32)
    change = draw.standard_normal((300, 200))
    for step in (change, np.sign(change)):
        assert low_rank(stored(a), stored((a + scale * step).astype("f4"))) is None


def test_rank_on_request(said: Said) -> None:
    """With the option every changed matrix has its rank."""
    found = said(model(), tuned(model(), "layers.3.mlp", "model.norm"), rank=True)

    ranks = {c.name: c.rank for c in found.changes}
    mlp = ranks.pop("model.layers.3.mlp.up_proj.weight")
    assert mlp
    assert (mlp.numerical, mlp.full) == (WIDTH, WIDTH)
    assert 0.8 * WIDTH < mlp.effective < WIDTH
    assert [*ranks.values()] == [None]


NAMES = {
    "model.layers.3.self_attn.q_proj.weight": (3, "attention q", "q_proj"),
    "model.layers.3.post_attention_layernorm.weight": (
        3, "norm", "post_attention_layernorm"),
    "model.layers.3.block_sparse_moe.experts.2.w1.weight": (3, "mlp", "w1"),
    "model.embed_tokens.weight": (None, "embedding", "embed_tokens"),
    "lm_head.weight": (None, "head", "lm_head"),
    "transformer.h.0.attn.c_attn.bias": (0, "attention qkv", "c_attn"),
    "transformer.h.0.attn.c_proj.weight": (0, "attention o", "c_proj"),
    "transformer.h.0.mlp.c_proj.weight": (0, "mlp", "c_proj"),
    "transformer.ln_f.weight": (None, "norm", "ln_f"),
    "encoder.layer.5.attention.self.query.weight": (5, "attention q", "query"),
    "encoder.layer.5.attention.output.dense.weight": (5, "attention o", "dense"),
    "encoder.layer.5.output.LayerNorm.weight": (5, "norm", "LayerNorm"),
    "encoder.layer.5.output.dense.bias": (5, "mlp", "dense"),
    "embeddings.word_embeddings.weight": (None, "embedding", "word_embeddings"),
    "pooler.dense.weight": (None, "head", "dense"),
    "blk.7.attn_output.weight": (7, "attention o", "attn_output"),
    "blk.7.ffn_up.weight": (7, "mlp", "ffn_up"),
    "base_model.model.model.layers.1.self_attn.v_proj.lora_A.weight": (
        1, "attention v", "v_proj"),
    "layer1.0.conv2.weight": (0, "conv2", "conv2"),
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_where_a_tensor_belongs(name: str) -> None:
    """Layer, kind and module of names that model libraries give."""
    assert place(name)[1:] == NAMES[name]


def test_nothing_in_common(compared: Callable[..., Diff]) -> None:
    """Two models that share no name and no bytes."""
    state = model()

    found = compared(
        {"model.safetensors": save(state)},
        {"w.bin": partial(torch.save, {"other": torch.ones(1)})},
    )

    assert found.tensors[0].verdict.what == "nothing in common"
