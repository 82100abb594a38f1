"""Whether weights come from those that are claimed, on models trained by torch."""

from __future__ import annotations

import itertools
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch.nn.functional import cosine_similarity

from lineage.evidence.kinship import kinship
from lineage.evidence.tensors import tensors
from lineage.store.objects import Edge
from tests.lineage.evidence.models import Net, fresh, saved, trained

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

State = dict[str, torch.Tensor]


@cache
def base(seed: int) -> Net:
    return trained(fresh(seed), seed=seed)  # type: ignore[no-any-return]


@cache
def child(seed: int, of: int) -> Net:
    return trained(base(of), seed=1000 + seed)  # type: ignore[no-any-return]


class Models:
    """Commits models with claims, and looks at them."""

    def __init__(self, claims: Any, folder: Path) -> None:
        self.claims = claims
        self.registry = claims.registry
        self._places = (folder / f"m{n}" for n in itertools.count())

    def commit(self, what: Net | Mapping[str, torch.Tensor], *edges: Edge) -> str:
        state = what.state_dict() if isinstance(what, Net) else dict(what)
        place = saved(state, next(self._places))
        made = self.registry.commit("model", "m", place, edges=edges, revise=False)
        return str(made.id)

    def claim(self, what: Net | State, role: str, *parents: str) -> list[Any]:
        """What is found of the claim, in the order of the parents."""
        edges = [Edge(role, parent) for parent in parents]
        looked = self.claims.look(self.commit(what, *edges))
        found = {one.edge.id: one for one in looked}
        return [found[parent] for parent in parents]


@pytest.fixture
def models(claims: Any, tmp_path: Path) -> Models:
    return Models(claims, tmp_path)


def test_a_child_is_told_from_a_stranger(models: Models) -> None:
    """What was trained on from the parent is verified, from another contradicted."""
    own, other = models.commit(base(1)), models.commit(base(2))
    [true] = models.claim(child(1, of=1), "fine_tuned_from", own)
    [false] = models.claim(child(1, of=1), "fine_tuned_from", other)
    assert (true.verdict, false.verdict) == ("verified", "contradicted")
    assert true.figures["matrices"] == 4
    assert true.figures["z"] > 6
    assert abs(false.figures["z"]) < 3
    assert "no more alike than by chance" in false.sentence


@pytest.mark.parametrize("steps", [0, 1, 60, 250])
def test_a_child_stays_one_however_long(models: Models, steps: int) -> None:
    """From no step at all to several times the parent's own training."""
    own = models.commit(base(1))
    made = trained(base(1), seed=7, steps=steps)
    assert models.claim(made, "fine_tuned_from", own)[0].verdict == "verified"


def test_a_sibling_is_no_child(models: Models) -> None:
    """Beside the claimed parent, from its own parent: it lacks what that learned."""
    root = models.commit(base(1))
    parent = models.commit(child(1, of=1), Edge("fine_tuned_from", root))
    [false] = models.claim(child(2, of=1), "fine_tuned_from", parent)
    assert false.verdict == "contradicted"
    assert false.figures["carried"] < 0.25
    grandchild = trained(child(1, of=1), seed=9)
    [true] = models.claim(grandchild, "fine_tuned_from", parent)
    assert true.verdict == "verified"
    assert true.figures["carried"] > 0.5


def test_a_nearer_model_is_named(models: Models) -> None:
    """A relative that is much nearer than the claimed parent leaves it undecided."""
    root = models.commit(base(1))
    far = models.commit(trained(base(1), seed=5, steps=200))
    [found] = models.claim(trained(base(1), seed=6, steps=5), "fine_tuned_from", far)
    assert found.verdict == "undecided"
    assert found.figures["nearest"] == root
    assert f"{root[:12]} is nearer" in found.sentence


def test_part_of_the_weights_is_enough(models: Models) -> None:
    """A last layer tuned, or replaced by a larger one, with the rest as it was."""
    own = models.commit(base(1))
    state = child(1, of=1).state_dict()
    frozen = {**base(1).state_dict(), "head.weight": state["head.weight"]}
    assert models.claim(frozen, "fine_tuned_from", own)[0].verdict == "verified"
    larger = {
        **frozen,
        "head.weight": torch.randn(200, 48),
        "head.bias": torch.zeros(200),
    }
    assert models.claim(larger, "fine_tuned_from", own)[0].verdict == "verified"
    renamed = {f"model.{name}": tensor for name, tensor in state.items()}
    assert models.claim(renamed, "fine_tuned_from", own)[0].verdict == "verified"


def test_too_little_decides_nothing(models: Models) -> None:
    """Other shapes, norms alone, and matrices too small to tell."""
    own = models.commit(base(1))
    other = {"w": torch.randn(48, 48)}
    [found] = models.claim(other, "fine_tuned_from", own)
    assert (found.verdict, found.figures["matrices"]) == ("undecided", 0)
    norm = {k: v for k, v in base(1).state_dict().items() if k.startswith("norm")}
    assert models.claim(norm, "fine_tuned_from", own)[0].verdict == "undecided"
    small = models.commit({"w": torch.randn(4, 4)})
    [few] = models.claim({"w": torch.randn(4, 4)}, "fine_tuned_from", small)
    assert few.verdict == "undecided"


def test_what_cannot_be_read_decides_nothing(models: Models, tmp_path: Path) -> None:
    """NaN, a text file and bytes elsewhere: a sentence each, and no verdict."""
    own = models.commit(base(1))
    state = base(1).state_dict()
    state["first.weight"] = torch.full_like(state["first.weight"], torch.nan)
    [found] = models.claim(state, "fine_tuned_from", own)
    assert (found.verdict, "NaN" in found.sentence) == ("undecided", True)
    (tmp_path / "note.txt").write_text("no weights", encoding="utf-8")
    registry, edge = models.registry, Edge("fine_tuned_from", own)
    for extra in ({"path": tmp_path / "note.txt"}, {"external": {"uri": "hf://a/b"}}):
        made = registry.commit("model", "x", edges=[edge], revise=False, **extra)
        [found] = models.claims.look(made.id)
        assert found.verdict == "undecided"


def test_cosines_are_those_of_torch(models: Models) -> None:
    """Per matrix, in float64; norms and biases are left out."""
    a, b = base(1).state_dict(), child(1, of=1).state_dict()
    ids = [models.commit(state) for state in (a, b)]
    x, y = (tensors(models.registry, id_) for id_ in ids)
    kin = kinship(x, y, lambda _: None)
    names = ["embed.weight", "first.weight", "head.weight", "second.weight"]
    wanted = [
        float(
            cosine_similarity(a[n].double().flatten(), b[n].double().flatten(), dim=0)
        )
        for n in names
    ]
    assert list(kin.cosines) == pytest.approx(wanted, rel=1e-12)
    assert list(kin.breadths) == [48] * 4
    apart = sum(float((a[n].double() - b[n].double()).square().sum()) for n in names)
    size = sum(float(b[n].double().square().sum()) for n in names)
    assert kin.distance == pytest.approx((apart / size) ** 0.5, rel=1e-9)


DTYPES = [torch.float32, torch.bfloat16, torch.float16]


def summed(dtype: torch.dtype, *parts: tuple[float, Net]) -> State:
    """A linear merge as tools make it, in the format that it is stored in."""
    states = [(w, net.state_dict()) for w, net in parts]
    return {
        name: sum((w * s[name].to(dtype) for w, s in states[1:]),
                  states[0][0] * states[0][1][name].to(dtype))
        for name in states[0][1]
    }  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_a_linear_merge_is_made_again(models: Models, dtype: torch.dtype) -> None:
    """The weights are found, and every number is the sum, rounded."""
    nets = [child(1, of=1), child(2, of=1), child(1, of=2)]
    ids = [
        models.commit({k: v.to(dtype) for k, v in net.state_dict().items()})
        for net in nets
    ]
    merged = summed(dtype, (0.5, nets[0]), (0.3, nets[1]), (0.2, nets[2]))
    found = models.claim(merged, "merged_from", *ids)
    assert [one.verdict for one in found] == ["verified"] * 3
    weights = [one.figures["weight"] for one in found]
    assert weights == pytest.approx([0.5, 0.3, 0.2], abs=2e-3)


def test_who_is_not_in_a_merge_is_told(models: Models) -> None:
    """Made whole by others it has no weight; and a stranger is no relation."""
    nets = [child(1, of=1), child(2, of=1), child(1, of=2)]
    ids = [models.commit(net) for net in nets]
    merged = summed(torch.float32, (0.5, nets[0]), (0.5, nets[1]))
    found = models.claim(merged, "merged_from", *ids)
    assert [one.verdict for one in found] == ["verified", "verified", "contradicted"]
    assert "has no weight" in found[2].sentence
    touched = {**merged, "head.weight": merged["head.weight"] + 1e-3}
    found = models.claim(touched, "merged_from", *ids)
    assert [one.verdict for one in found] == ["undecided", "undecided", "contradicted"]
    assert found[0].figures["off"] >= 96 * 48


def test_a_cast_is_the_same_numbers_in_fewer_bits(models: Models) -> None:
    """Rounded to bf16 or f16 is verified; trained on after that it is not."""
    own = models.commit(base(1))
    for dtype in DTYPES[1:]:
        state = {k: v.to(dtype) for k, v in base(1).state_dict().items()}
        [found] = models.claim(state, "quantized_from", own)
        assert found.verdict == "verified"
        assert found.figures["off"] == 0
    tuned = {k: v.bfloat16() for k, v in child(1, of=1).state_dict().items()}
    [found] = models.claim(tuned, "quantized_from", own)
    assert found.verdict == "undecided"
    alien = {k: v.bfloat16() for k, v in base(2).state_dict().items()}
    [found] = models.claim(alien, "quantized_from", own)
    assert found.verdict == "contradicted"
    packed = {k: v.to(torch.int8) for k, v in base(1).state_dict().items()}
    [found] = models.claim(packed, "quantized_from", own)
    assert found.verdict == "undecided"
