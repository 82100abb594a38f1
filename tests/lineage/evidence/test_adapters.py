"""Whether a model is its base with a LoRA adapter merged in, as PEFT does it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import torch

from lineage.store.objects import Edge
from tests.lineage.evidence.models import fresh, saved, trained

if TYPE_CHECKING:
    from pathlib import Path


class Merge:
    """A base, an adapter trained on it, and the two merged."""

    def __init__(self, folder: Path, registry: Any, **settings: Any) -> None:
        from peft import LoraConfig, get_peft_model

        self.folder, self.registry = folder, registry
        dtype = settings.pop("dtype", torch.float32)
        base = trained(fresh(1), seed=1).to(dtype)
        self.base = self.commit("base", base.state_dict())
        torch.manual_seed(3)
        config = LoraConfig(target_modules=["first", "second"], **settings)
        tuned = trained(get_peft_model(base, config), seed=2, rate=1e-2)
        tuned.save_pretrained(folder / "adapter")
        self.adapter = registry.commit("model", "adapter", folder / "adapter").id
        self.state = tuned.merge_and_unload().state_dict()

    def commit(self, name: str, state: dict[str, Any], *edges: Edge) -> str:
        place = saved(state, self.folder / name)
        made = self.registry.commit("model", name, place, edges=edges, revise=False)
        return str(made.id)

    def edges(self, adapter: str = "") -> list[Edge]:
        ids = (self.base, adapter or self.adapter)
        return [Edge("merged_from", id_) for id_ in ids]


def verdicts(claims: Any, merge: Merge, id_: str) -> list[str]:
    found = {one.edge.id: one for one in claims.look(id_)}
    assert {one.method for one in found.values()} == {"LoRA merge"}
    base = found.pop(merge.base)
    [adapter] = found.values()
    return [base.verdict, adapter.verdict]


@pytest.mark.parametrize(
    "settings",
    [
        {"r": 4, "lora_alpha": 8},
        {"r": 4, "lora_alpha": 8, "use_rslora": True},
        {"r": 2, "lora_alpha": 2, "dtype": torch.bfloat16},
    ],
    ids=["lora", "rslora", "bf16"],
)
def test_a_merge_is_made_again(claims: Any, tmp_path: Path, settings: Any) -> None:
    """Every number of the merged model is W + scale · B A, rounded."""
    merge = Merge(tmp_path, claims.registry, **settings)
    child = merge.commit("child", merge.state, *merge.edges())
    assert verdicts(claims, merge, child) == ["verified", "verified"]


def test_another_adapter_is_told(claims: Any, tmp_path: Path) -> None:
    """An adapter that explains nothing of the change is contradicted."""
    merge = Merge(tmp_path, claims.registry, r=4, lora_alpha=8)
    other = Merge(
        tmp_path / "b", claims.registry, r=4, lora_alpha=8, init_lora_weights=False
    )
    child = merge.commit("child", merge.state, *merge.edges(other.adapter))
    assert verdicts(claims, merge, child) == ["undecided", "contradicted"]
    more = {**merge.state, "head.bias": merge.state["head.bias"] + 1e-3}
    child = merge.commit("more", more, *merge.edges())
    assert verdicts(claims, merge, child) == ["undecided", "undecided"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"use_dora": True}, "is no plain LoRA: it has use_dora"),
        ({"r": None}, "is malformed"),
        ({"fan_in_fan_out": True}, "the adapter does not fit"),
    ],
)
def test_what_is_no_plain_lora_decides_nothing(
    claims: Any, tmp_path: Path, change: dict[str, Any], says: str
) -> None:
    """Another kind of adapter, or one that does not fit: a sentence, no verdict."""
    merge = Merge(tmp_path, claims.registry, r=4, lora_alpha=8)
    path = tmp_path / "adapter" / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    wrong = claims.registry.commit("model", "wrong", tmp_path / "adapter").id
    child = merge.commit("child", merge.state, *merge.edges(wrong))
    found = claims.look(child)
    assert [one.verdict for one in found] == ["undecided", "undecided"]
    assert all(says in one.sentence for one in found)
