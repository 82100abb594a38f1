"""What is not recorded is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lineage.audit.report import report
from lineage.store.objects import Edge

if TYPE_CHECKING:
    from lineage.registry import Registry


def gaps(registry: Registry, revision: str) -> dict[str, tuple[str, ...]]:
    return {gap.what: gap.where for gap in report(registry, revision).gaps}


def test_a_well_kept_loop_has_few(told: Any) -> None:
    """Generation 0 has no gates and no review, and that is all."""
    assert gaps(told.registry, "loop/tutor") == {
        "gates: no verdict recorded": (told.turns[0],),
        "human review: none recorded": (told.turns[0],),
    }


def test_generations_that_are_jumped_over(repo: Registry) -> None:
    """Their numbers follow from the edges; whoever recorded none is told so."""
    model = repo.commit("model", "m0", params={"n": 0}).id
    edges: list[Edge] = [Edge("includes", model)]
    last = repo.commit("generation", "g", edges=edges).id
    for number in (1, 2, 3):
        by = [Edge("generated_by", model)]
        data = repo.commit("dataset", f"d{number}", params={"n": 1}, edges=by).id
        trained = [Edge("trained_on", data)]
        model = repo.commit("model", f"m{number}", params={"n": 1}, edges=trained).id
    repo.commit("generation", "g", edges=[Edge("includes", model)])
    found = gaps(repo, "loop/g")

    assert "generations 1 to 2: not recorded" in found
    assert found["the generation includes no config"][0] == last


def test_origins(repo: Registry) -> None:
    """Nobody said, and somebody said that nobody knows, are two things."""
    silent = repo.commit("dataset", "a", params={"n": 1}).id
    unknown = repo.commit("dataset", "b", params={"n": 2}, origin={"type": "unknown"})
    edges = [Edge("derived_from", silent), Edge("derived_from", unknown.id)]
    repo.commit("dataset", "c", params={"n": 3}, edges=edges)
    found = gaps(repo, "dataset/c")

    assert found["origin: unknown, nobody said"] == (silent,)
    assert found["origin: stated as unknown"] == (unknown.id,)
    assert found["licence: not provided"] == (silent, unknown.id)


def test_bytes_that_are_not_here(repo: Registry) -> None:
    """Hashes without files, and files elsewhere with or without a digest."""
    (repo.root / "a.txt").write_text("text", encoding="utf-8")
    digest = "sha256:" + "0" * 64
    hashed = repo.commit("dataset", "a", repo.root / "a.txt", reference=True).id
    known = repo.commit("model", "b", external={"uri": "hf://b", "digest": digest}).id
    other = repo.commit("model", "c", external={"uri": "hf://c"}).id
    edges = [
        Edge("trained_on", hashed),
        *(Edge("merged_from", i) for i in (known, other)),
    ]
    repo.commit("model", "d", params={"n": 1}, edges=edges)
    found = gaps(repo, "model/d")
    elsewhere = "its files are elsewhere, and were never here"

    assert found["only the hashes of its files are recorded, not the files"] == (
        hashed,
    )
    assert found[elsewhere] == (known,)
    assert found[f"{elsewhere}; no digest of them is recorded"] == (other,)
    assert found["what the model was trained on: not provided"] == (known, other)


def test_training_without_shares_or_config(repo: Registry) -> None:
    """Counts, a config and the counts of what was kept are missed."""
    model = repo.commit("model", "m", params={"n": 1}).id
    edges = [Edge("generated_by", model)]
    data = repo.commit("dataset", "d", params={"n": 1}, edges=edges).id
    edges = [Edge("trained_on", data)]
    trained = repo.commit("model", "t", params={"n": 2}, edges=edges).id
    found = gaps(repo, "model/t")

    what = "how many training records came from each source: not provided"
    assert found[what] == (trained,)
    assert found["how many records were kept: not provided"] == (data,)
    assert found["the config that it was made with: not provided"] == (data, trained)


def test_records_without_a_source(repo: Registry) -> None:
    """40 of 90 records came along no edge."""
    data = repo.commit("dataset", "d", params={"n": 1}, origin={"type": "human"}).id
    edges = [Edge("trained_on", data, share={"records": [50, 90]})]
    model = repo.commit("model", "m", params={"n": 2}, edges=edges).id

    found = gaps(repo, "model/m")
    assert found["40 of 90 training records: no source recorded"] == (model,)


def test_metrics_that_stop_or_mean_nothing(loop: Any) -> None:
    """A measure that later generations lack, and one that nobody defined."""
    loop.start()
    loop.go_on(metrics={"score": 1})
    loop.go_on(metrics={}, gates=[])
    found = gaps(loop.registry, "loop/tutor")

    assert found["perplexity: not recorded"] == tuple(loop.turns[1:])
    assert found["how score is defined: not provided"] == (loop.turns[1],)
    assert found["metrics: none recorded"] == (loop.turns[2],)
    assert found["gates: no verdict recorded"] == (loop.turns[0], loop.turns[2])


def test_reviews_that_nobody_answered(loop: Any) -> None:
    """A request without a verdict is not the same as no request."""
    loop.start()
    loop.go_on()
    loop.registry.attest("review_requested", subject=loop.turns[1])
    found = gaps(loop.registry, "loop/tutor")

    assert found["review requested, no verdict recorded"] == (loop.turns[1],)
    assert found["human review: none recorded"] == (loop.turns[0],)


def test_a_rejection_without_a_word(loop: Any) -> None:
    """Why a generation was rejected is missed when nobody said."""
    loop.start()
    edges = [Edge("includes", loop.ids["config"]), Edge("follows", loop.turns[0])]
    branch = "loop/tutor@rejected"
    rejected = loop.registry.commit("generation", "tutor", edges=edges, branch=branch)
    found = gaps(loop.registry, "loop/tutor")

    assert found["why it was rejected: not provided"] == (rejected.id,)
