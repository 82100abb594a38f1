"""What a report says: recorded, stated or not provided, and nothing inferred."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lineage.audit import as_html, as_md
from lineage.audit.report import report
from lineage.audit.words import judged
from lineage.erase import erase, plan_erasure
from lineage.errors import NotFound
from lineage.loop.reviews.labels import audits
from lineage.store.objects import Edge, Metric

if TYPE_CHECKING:
    from lineage.audit.model import Artifact, Report
    from lineage.registry import Registry


def artifact(made: Report, id_: str) -> Artifact:
    return next(found for found in made.artifacts if found.id == id_)


def test_generations_in_order(told: Any) -> None:
    """Numbers, parts, status and the reason of a rejection."""
    made = report(told.registry, "loop/tutor")

    assert [turn.number for turn in made.loops[0].generations] == [0, 1, 2]
    assert {turn.status for turn in made.loops[0].generations} == {"accepted"}
    assert [part.id for part in made.loops[0].generations[0].parts] == [
        told.ids[key] for key in ("config", "human", "model-0")
    ]
    [turn] = made.loops[0].rejected
    assert (turn.number, turn.status) == (2, "rejected")
    assert turn.reason is not None
    assert turn.reason.status == "stated"
    assert turn.reason.value == "the gate diversity failed: 0.64 is below 0.8"


def test_turns_are_counted_as_their_loop_counts_them(loop: Any) -> None:
    """A rejected try that nothing was written for is generation 1, as `log` says."""
    loop.start()
    start = loop.turns[0]
    tried = loop.registry.commit(
        "generation",
        "tutor",
        edges=[Edge("follows", start)],
        params={"generation": 1, "attempt": 0},
        branch="loop/tutor@rejected",
    ).id
    odd = loop.registry.commit(
        "generation",
        "tutor",
        edges=[Edge("follows", start)],
        params={"generation": "x"},
        branch="loop/tutor@rejected",
    ).id

    found = {
        turn.id: turn for turn in report(loop.registry, "loop/tutor").loops[0].turns
    }

    assert {id_: found[id_].number for id_ in (start, tried, odd)} == {
        start: 0,
        tried: 1,
        odd: 0,
    }
    assert artifact(report(loop.registry, tried), tried).generation == 1


def test_labels_that_are_none_do_not_count(story: Any) -> None:
    """An event `label` that says nothing is a statement, and labels no record."""
    strata = {"kept": 1, "dropped": 1}
    events = [
        story.registry.attest(
            "label",
            subject=story.turns[1],
            data={"loop": "tutor", "generation": 1, **data},
        )
        for data in (
            {},
            {"datasets": None},
            {"datasets": {"kept": "a" * 64}, "records": {}, "labels": []},
            {"datasets": strata, "records": strata, "labels": [{"sha256": []}]},
            {"datasets": strata, "records": strata, "labels": [{"sha256": "a"}]},
        )
    ]

    made = report(story.registry, "loop/tutor")

    assert {*events} <= {said.event for said in made.statements}
    assert made.loops[0].oversight.labelled == 0
    assert audits(story.registry, "tutor", story.registry.events_log.iterate()) == []


def test_training_records_are_counted_by_origin(told: Any) -> None:
    """Shares on edges are added up exactly, by what the sources say of themselves."""
    made = report(told.registry, "loop/tutor")
    counts = {model.model: model for model in made.training}
    last = counts[told.ids["model-2"]]

    assert (last.records, last.unaccounted) == (3750, 0)
    assert last.counts == {"human": 1250, "machine": 2500}
    assert counts[told.ids["model-0"]].counts == {"human": 1250}


def test_what_shares_leave_open_is_not_guessed(repo: Registry) -> None:
    """Without shares there is no sum; records without a source are counted as such."""
    human = repo.commit("dataset", "h", params={"n": 1}, origin={"type": "human"}).id
    other = repo.commit("dataset", "o", params={"n": 2}).id
    edges = [Edge("trained_on", human, share={"records": [50, 90]})]
    some = repo.commit("model", "some", params={"n": 3}, edges=edges).id
    edges += [Edge("trained_on", other)]
    none = repo.commit("model", "none", params={"n": 4}, edges=edges).id
    [of_some] = report(repo, some).training
    [of_none] = report(repo, none).training

    assert (of_some.counts, of_some.records) == ({"human": 50}, 90)
    assert of_some.unaccounted == 40
    assert (of_none.counts, of_none.records, of_none.unaccounted) == (None, None, None)


def test_shares_of_different_totals_are_not_added(repo: Registry) -> None:
    """50 of 90 and 10 of 80 do not speak of the same records."""
    a, b = (repo.commit("dataset", n, params={"n": n}).id for n in "ab")
    edges = [
        Edge("trained_on", a, share={"records": [50, 90]}),
        Edge("trained_on", b, share={"records": [10, 80]}),
    ]
    repo.commit("model", "m", params={"n": 3}, edges=edges)

    assert report(repo, "model/m").training[0].counts is None


def test_who_wrote_data_and_how_much_was_kept(told: Any) -> None:
    """The generator is named by its content, the counts by the commit with them."""
    made = report(told.registry, "loop/tutor")
    wrote = {found.dataset: found for found in made.written}
    first = wrote[told.ids["synthetic-1"]]

    assert [edge.id for edge in first.generators] == [told.ids["model-0"]]
    assert (first.generated.value, first.rejected.value) == (1300, 50)
    assert (first.kept.value, first.kept.commit) == (1250, told.turns[1])


def test_what_was_filtered_speaks_for_what_was_generated(repo: Registry) -> None:
    """A dataset of kept records and the one that it was kept from count once."""
    model = repo.commit("model", "m", params={"n": 1}).id
    by = Edge("generated_by", model)
    raw = repo.commit("dataset", "raw", params={"n": 2}, edges=[by]).id
    edges = [by, Edge("derived_from", raw)]
    counts = {"generated": 10, "rejected": 3, "kept": 7}
    kept = repo.commit("dataset", "kept", params={"n": 3}, edges=edges, metrics=counts)
    [found] = report(repo, "dataset/kept").written

    assert (found.dataset, found.kept.value) == (kept.id, 7)


def test_origins_are_stated_by_whom_they_name(told: Any) -> None:
    """An origin has an author and a time; an edge that was observed has a commit."""
    made = report(told.registry, "loop/tutor")
    human = artifact(made, told.ids["human"])
    [trained] = [
        edge
        for edge in artifact(made, told.ids["model-0"]).sources
        if edge.role == "trained_on"
    ]

    licence = human.origin["licence"]
    assert (licence.status, licence.value) == ("stated", "PSF-2.0")
    assert (licence.by, licence.time) == ("Ada Example", human.time)
    assert trained.evidence.status == "recorded"
    assert trained.evidence.commit == told.ids["model-0"]
    assert (trained.kind, trained.origin) == ("dataset", "human")


def test_declared_edges_are_statements(repo: Registry) -> None:
    """Whoever recorded the commit stated them, and the shares on them."""
    data = repo.commit("dataset", "d", params={"n": 1}).id
    edges = [Edge("trained_on", data, share={"records": [1, 2]})]
    repo.commit("model", "m", params={"n": 2}, edges=edges)
    [edge] = report(repo, "model/m").artifacts[-1].sources

    assert (edge.evidence.status, edge.evidence.value) == ("stated", "declared")
    assert edge.evidence.by == "Ada Example <ada@example.com>"
    assert edge.share is not None
    assert (edge.share.status, edge.share.value) == ("stated", {"records": [1, 2]})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"origin": {"type": "human"}}, "human"),
        ({"origin": {"type": "unknown"}}, "unknown"),
        ({}, "unknown"),
        ({"role": "generated_by"}, "machine"),
        ({"role": "derived_from"}, "derived"),
        ({"origin": {"type": "mixed"}, "role": "derived_from"}, "mixed"),
    ],
)
def test_origin_classes(repo: Registry, given: dict[str, Any], expected: str) -> None:
    """What is stated counts first, then who wrote it, then what it was made from."""
    source = repo.commit("dataset", "source", params={"n": 1}).id
    edges = [Edge(given["role"], source)] if "role" in given else []
    origin = given.get("origin")
    repo.commit("dataset", "d", params={"n": 2}, edges=edges, origin=origin)

    assert report(repo, "dataset/d").artifacts[-1].origin_class == expected


def test_bytes_that_were_erased(repo: Registry) -> None:
    """The report says so, by whom and why, and goes on with what is left."""
    folder = repo.root / "chats"
    folder.mkdir()
    for name in "ab":
        (folder / name).write_text(name, encoding="utf-8")
    made = repo.commit("dataset", "chats", folder)
    for paths, state in ((["a"], "erased in part"), ([], "erased")):
        plan = plan_erasure(repo, made.id, paths=paths)
        erase(repo, plan, reason="consent withdrawn", authority="DPO")
        found = report(repo, "dataset/chats")
        held = found.artifacts[0].bytes.value or {}

        assert held["state"] == state
        assert "by Ada Example for DPO: consent withdrawn" in str(held["told"])
        assert any(str(held["told"]) in gap.what for gap in found.gaps)
        assert "consent withdrawn" in as_html.render(found)


def test_where_bytes_are(repo: Registry) -> None:
    """Stored, only hashed, elsewhere or none: each commit says which."""
    (repo.root / "a.txt").write_text("text", encoding="utf-8")
    repo.commit("dataset", "stored", repo.root / "a.txt")
    repo.commit("dataset", "hashed", repo.root / "a.txt", reference=True)
    repo.commit("model", "away", external={"uri": "hf://org/model"})
    repo.commit("config", "settings", params={"seed": 1})
    found = {
        name: report(repo, name).artifacts[0].bytes
        for name in ("dataset/stored", "dataset/hashed", "model/away")
    }
    states = [(field.value or {})["state"] for field in found.values()]

    assert states == ["stored", "hashed only", "elsewhere"]
    assert [f.status for f in found.values()] == ["recorded", "recorded", "stated"]
    assert (found["dataset/stored"].value or {})["size"] == 4
    assert report(repo, "config/settings").artifacts[0].bytes.value == {
        "state": "no files"
    }


def test_measures_break_where_their_definition_changes(loop: Any) -> None:
    """Values of another version are another measure."""
    loop.start()
    new = {"perplexity": Metric(50, "perplexity", 2, "lower")}
    loop.go_on(metrics=new)
    made = report(loop.registry, "loop/tutor")
    found = [m for m in made.loops[0].measures if m.name == "perplexity"]

    assert [(m.version, len(m.points)) for m in found] == [(1, 1), (2, 1)]
    assert found[0].meaning is not None
    assert found[0].meaning.startswith("exp of the mean negative log-likelihood")
    assert found[1].meaning is None


def test_metrics_of_parts_count_when_they_leave_no_doubt(repo: Registry) -> None:
    """A model's metric is its generation's; one that two parts have is neither's."""
    data = repo.commit("dataset", "d", params={"n": 1}, metrics={"size": 1, "x": 1}).id
    model = repo.commit("model", "m", params={"n": 2}, metrics={"size": 2, "y": 3}).id
    edges = [Edge("includes", data), Edge("includes", model)]
    repo.commit("generation", "g", edges=edges, metrics={"y": 4})
    [turn] = report(repo, "loop/g").loops[0].generations

    assert {m.name: m.value for m in turn.metrics} == {"x": 1, "y": 4}


def test_gates_of_any_shape(loop: Any) -> None:
    """Known fields have their place, others are details, nothing is lost."""
    loop.start()
    loop.go_on(gates=[{"id": "a", "verdict": "pass", "max": 2, "extra": [1]}, {}])
    first, second = report(loop.registry, "loop/tutor").loops[0].generations[1].gates

    assert (first.id, first.verdict, first.bounds) == ("a", "pass", {"max": 2})
    assert first.details == {"extra": [1]}
    assert (second.value, second.verdict) == (None, None)


def test_a_value_that_missed_does_not_look_like_its_bound(loop: Any) -> None:
    """Every table shows both in the digits that tell them apart."""
    loop.start()
    gate = {"id": "near", "verdict": "fail", "value": 0.05000000004, "max": 0.05}
    loop.go_on(gates=[gate, {"id": "text", "value": "much", "min": 1}])
    told = report(loop.registry, "loop/tutor")
    near = told.loops[0].generations[1].gates[0]

    assert judged(near.value, near.bounds) == ("0.05000000004", "at most 0.05")
    page = as_html.render(told)
    assert '<td class="num">0.05000000004</td><td>at most 0.05</td>' in page
    assert "much</td><td>at least 1</td>" in page
    assert "| fail | 0.05000000004 | at most 0.05 |" in as_md.render(told).decode()


def test_coverage_counts_every_field(repo: Registry) -> None:
    """A dataset from nowhere: its bytes are recorded, its origin is not provided."""
    (repo.root / "a.txt").write_text("text", encoding="utf-8")
    repo.commit("dataset", "d", repo.root / "a.txt", message="found on a disk")

    assert report(repo, "dataset/d").coverage == {
        "recorded": 2,  # bytes, circumstances
        "stated": 1,  # message
        "not provided": 3,  # origin, source, licence
    }


def test_as_of_is_the_newest_event(told: Any) -> None:
    """Whatever happened later in the registry is not in the report."""
    made = report(told.registry, "loop/tutor")
    newest, event = next(told.registry.events())

    assert (made.as_of.event, made.as_of.time) == (newest, event.time)


def test_unknown_revision(repo: Registry) -> None:
    """There is no report on nothing."""
    with pytest.raises(NotFound, match="nothing"):
        report(repo, "nothing")
