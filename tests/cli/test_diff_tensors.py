# ruff: noqa: E501 - transcripts are as wide as they are
"""`lineage diff`: the tensors of models, for people and programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np  # noqa: TID253
import pytest
from inline_snapshot import snapshot
from safetensors.numpy import save_file  # noqa: TID253

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.registry import Registry

    Run = Callable[..., Any]
    Transcript = Callable[..., str]


@pytest.fixture
def models(repo: Registry) -> None:
    """A model of three layers; then one with a rank-1 update of q_proj in each."""
    draw = np.random.default_rng(0)
    state = {"model.embed_tokens.weight": draw.standard_normal((50, 16))}
    for layer in range(3):
        for name in ("q_proj", "k_proj"):
            full = f"model.layers.{layer}.self_attn.{name}.weight"
            state[full] = draw.standard_normal((16, 16))
    place = repo.root / "model.safetensors"
    for step in range(2):
        if step:
            column = np.arange(1.0, 17.0)[:, None]
            for name, value in state.items():
                if "q_proj" in name:
                    state[name] = value + 0.01 * column @ column.T
        save_file({n: v.astype(np.float32) for n, v in state.items()}, place)
        repo.commit("model", "m", place)


@pytest.mark.usefixtures("models")
def test_a_verdict_groups_and_what_moved_most(transcript: Transcript) -> None:
    """The verdict first, then groups of layers, then tensors; ranks on request."""
    assert transcript(
        "diff model/m --only tensors --limit 2",
        "diff model/m --only tensors --rank",
    ) == snapshot("""\
$ lineage diff model/m --only tensors --limit 2
old  aaaaaaaa model m, just now
new  bbbbbbbb model m (HEAD -> model/m), just now

tensors
  verdict  looks like a rank-1 update of q_proj (a merged LoRA)
  changed  3 of 7 tensors
  frozen   embedding, attention k

tensors: by layers and kind
  layers  kind         changed  relative L2  cosine
  0-2     attention q   3 of 3       0.9692  0.7146

tensors: most moved
  tensor                                  relative L2  cosine  max abs  elements
  model.layers.0.self_attn.q_proj.weight        1.048  0.6483     2.56     100 %
  model.layers.1.self_attn.q_proj.weight       0.9383  0.7585     2.56     100 %
  … 1 more; --limit 3 shows them
$ lineage diff model/m --only tensors --rank
old  aaaaaaaa model m, just now
new  bbbbbbbb model m (HEAD -> model/m), just now

tensors
  verdict  looks like a rank-1 update of q_proj (a merged LoRA)
  changed  3 of 7 tensors
  frozen   embedding, attention k

tensors: by layers and kind
  layers  kind         changed  relative L2  cosine
  0-2     attention q   3 of 3       0.9692  0.7146

tensors: most moved
  tensor                                  relative L2  cosine  max abs  elements           rank
  model.layers.0.self_attn.q_proj.weight        1.048  0.6483     2.56     100 %  1 (1.0) of 16
  model.layers.1.self_attn.q_proj.weight       0.9383  0.7585     2.56     100 %  1 (1.0) of 16
  model.layers.2.self_attn.q_proj.weight        0.934  0.7226     2.56     100 %  1 (1.0) of 16
""")


@pytest.mark.usefixtures("models")
def test_json_has_every_tensor(run: Run) -> None:
    """Every tensor that differs, every group; numbers without digits they lack."""
    found = run("diff", "model/m", "--only", "tensors", "--format", "json").json()

    [item] = found["tensors"]
    assert [*item] == ["label", "verdict", "groups", "tensors", "facts"]
    assert item["verdict"] == snapshot(
        {
            "what": "low rank",
            "changed": 3,
            "total": 7,
            "dtypes": None,
            "layers": None,
            "rank": 1,
            "modules": ["q_proj"],
            "beside": [],
            "frozen": ["embedding", "attention k"],
            "relative": 0.96924263,
            "cosine": 0.7146224,
            "says": "looks like a rank-1 update of q_proj (a merged LoRA)",
        }
    )
    assert item["groups"][0] == snapshot(
        {
            "kind": "embedding",
            "stack": "",
            "layers": None,
            "changed": 0,
            "total": 1,
            "relative": None,
            "cosine": None,
        }
    )
    assert len(item["tensors"]) == 3
    assert item["tensors"][0] == snapshot(
        {
            "name": "model.layers.0.self_attn.q_proj.weight",
            "change": "changed",
            "was": None,
            "twin": None,
            "a": {"dtype": "F32", "shape": [16, 16]},
            "b": {"dtype": "F32", "shape": [16, 16]},
            "rows": None,
            "relative": 1.047598,
            "cosine": 0.6482513,
            "largest": 2.56,
            "share": 1.0,
            "nan": [0, 0],
            "inf": [0, 0],
            "rank": None,
        }
    )


@pytest.mark.usefixtures("models")
def test_csv_has_a_line_for_each(run: Run) -> None:
    """The forms on both sides, and the relative distance as the difference."""
    found = run("diff", "model/m", "--only", "tensors", "--format", "csv").stdout

    assert found == snapshot("""\
section,path,change,a,b,delta,better,verdict
tensors,model.layers.0.self_attn.q_proj.weight,changed,"F32[16,16]","F32[16,16]",1.047598,,
tensors,model.layers.1.self_attn.q_proj.weight,changed,"F32[16,16]","F32[16,16]",0.9383187,,
tensors,model.layers.2.self_attn.q_proj.weight,changed,"F32[16,16]","F32[16,16]",0.93395372,,
""")
