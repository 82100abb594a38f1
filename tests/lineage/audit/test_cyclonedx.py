"""CycloneDX: the official schema and library take it, and nothing is lost."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from lineage.audit.report import report
from lineage.erase import erase, plan_erasure
from lineage.releases import release
from lineage.store.objects import Edge
from lineage.taints import taint
from tests.lineage.audit.machine import HOSTILE, NAME, edges, rendered, urn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lineage.registry import Registry

    Story = Any


def accepted(data: bytes) -> bytes:
    """A bill of materials that the official schema and the library take."""
    from cyclonedx.model.bom import Bom
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    check = JsonStrictValidator(SchemaVersion.V1_6).validate_str
    errors = check(data.decode(), all_errors=True) or ()
    assert [str(error.data) for error in errors] == []
    assert Bom.from_json(json.loads(data)).validate()  # type: ignore[attr-defined]
    return data


@pytest.mark.parametrize("revset", ["loop/tutor", "model", "several", "rejected"])
def test_the_official_library_accepts_the_bill(told: Story, revset: str) -> None:
    """Of a generation, a model, several commits, a rejected turn."""
    chosen = {
        "model": told.ids["model-2"],
        "several": f"{told.turns[1]} | {told.ids['human']}",
        "rejected": "loop/tutor@rejected",
    }.get(revset, revset)

    accepted(rendered(told.registry, chosen, "cyclonedx"))


def test_nothing_is_invalid_by_accident(told: Story) -> None:
    """The check that the others rest on refuses a field too much and a lost link."""
    from cyclonedx.exception.model import (
        UnknownComponentDependencyException as Unknown,
    )

    bill = json.loads(rendered(told.registry, told.turns[2], "cyclonedx"))
    wrong = {**bill, "metadata": {**bill["metadata"], "mood": "good"}}
    lost = [*bill["dependencies"], {"ref": "nobody", "dependsOn": ["nothing"]}]

    with pytest.raises(AssertionError):
        accepted(json.dumps(wrong).encode())
    with pytest.raises(Unknown):
        accepted(json.dumps({**bill, "dependencies": lost}).encode())


def test_a_bill_has_every_commit_edge_and_verdict(told: Story) -> None:
    """Components, inputs of tasks and links agree with the manifests, as do gates."""
    registry, turn = told.registry, told.turns[2]
    made = report(registry, turn)
    ids = {each.id for each in made.artifacts}
    bill = json.loads(rendered(registry, turn, "cyclonedx"))
    parts = {
        c["bom-ref"]: c for c in (bill["metadata"]["component"], *bill["components"])
    }
    tasks = [t for flow in bill["formulation"][0]["workflows"] for t in flow["tasks"]]

    assert set(parts) == {urn(id_) for id_ in ids}
    for id_ in ids:
        payload = registry.load(id_).payload
        hashes = [{"alg": "SHA-256", "content": payload.root}] if payload else None
        assert parts[urn(id_)].get("hashes") == hashes
    linked = {(d["ref"], to) for d in bill["dependencies"] for to in d["dependsOn"]}
    assert linked == {(edge[0], edge[2]) for edge in edges(registry, ids)}
    steps = {id_ for id_ in ids if registry.load(id_).kind != "generation"}
    assert set(_inputs(tasks)) == edges(registry, steps)
    verdicts = [
        (claim["target"], "not" not in claim["predicate"].split())
        for claim in bill["declarations"]["claims"]
        if "gate" in claim["predicate"]
    ]
    assert Counter(verdicts) == Counter(
        (urn(id_), gate["verdict"] == "pass")
        for id_ in ids
        for gate in registry.load(id_).gates or ()
    )


def _inputs(tasks: Iterable[Any]) -> Iterator[tuple[str, ...]]:
    for task in tasks:
        [output] = task["outputs"]
        for each in task["inputs"]:
            told = {p["name"]: p["value"] for p in each.get("properties", ())}
            if role := told.get("lineage:role"):
                evidence, share = (
                    told["lineage:evidence"],
                    told.get("lineage:share", "{}"),
                )
                source = each["resource"]["ref"]
                yield output["resource"]["ref"], role, source, evidence, share


def test_every_reference_in_a_bill_leads_somewhere(told: Story) -> None:
    """Whatever is referred to has its `bom-ref`, and no two have the same."""
    bill = json.loads(
        rendered(told.registry, "loop/tutor | loop/tutor@rejected", "cyclonedx")
    )
    named, used = [], set()
    for key, value in _members(bill):
        if key == "bom-ref":
            named.append(value)
        elif key in _REFERRING and isinstance(value, str):
            used.add(value)
        elif key in _REFERRING and isinstance(value, list):
            used |= {each for each in value if isinstance(each, str)}

    assert len(named) == len(set(named))
    assert used <= set(named)
    assert len(used) > 30


_REFERRING = {
    *("ref", "dependsOn", "assessor", "target", "requirement"),
    *("claims", "counterClaims", "evidence"),
}


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from value.items()
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _members(each)


def test_a_model_card_has_what_was_measured(told: Story) -> None:
    """Training and held-out data by reference, metrics with their intervals."""
    bill = json.loads(rendered(told.registry, told.ids["model-2"], "cyclonedx"))
    card = bill["metadata"]["component"]["modelCard"]
    measured = card["quantitativeAnalysis"]["performanceMetrics"]
    by_name = {metric["type"]: metric for metric in measured}
    expected = told.registry.load(told.turns[2]).metrics

    assert {ref["ref"] for ref in card["modelParameters"]["datasets"]} == {
        urn(told.ids["mixed-2"]),
        urn(told.ids["held-out"]),
    }
    assert {name: float(m["value"]) for name, m in by_name.items()} == {
        name: metric.value
        for name, metric in expected.items()
        if name not in {"generated", "rejected", "kept"}
    }
    interval = by_name["perplexity"]["confidenceInterval"]
    assert [float(v) for v in interval.values()] == expected["perplexity"].interval


def test_hostile_text_and_bytes_elsewhere(hostile: tuple[Registry, str]) -> None:
    """The schema takes any name and place; what is no URL is only a property."""
    registry, id_ = hostile
    data = rendered(registry, id_, "cyclonedx")
    [judge] = (
        component
        for component in json.loads(accepted(data))["components"]
        if component["name"] == NAME and component["type"] == "machine-learning-model"
    )

    assert data.isascii()
    assert not {"hashes", "externalReferences"} & judge.keys()
    assert {"name": "lineage:bytes:uri", "value": HOSTILE} in judge["properties"]


def test_a_url_and_a_digest_elsewhere(repo: Registry) -> None:
    """What was stated of an artifact that is not here has its usual place."""
    url, digest = "https://models.example/tutor.bin", "ab" * 32
    known = {"uri": url, "digest": f"sha256:{digest}"}
    made = repo.commit("model", "tutor", external=known)
    bill = json.loads(accepted(rendered(repo, made.id, "cyclonedx")))
    component = bill["metadata"]["component"]

    assert component["hashes"] == [{"alg": "SHA-256", "content": digest}]
    assert component["externalReferences"] == [{"type": "distribution", "url": url}]


def test_files_of_the_subject_and_erasures(folder: tuple[Registry, str]) -> None:
    """Each file has its digest, also after its bytes are gone, which is said."""
    registry, id_ = folder
    plan = plan_erasure(registry, id_)
    erase(registry, plan, reason="consent withdrawn", authority="DPO, case 12")
    bill = json.loads(accepted(rendered(registry, id_, "cyclonedx")))
    component = bill["metadata"]["component"]
    told = {each["name"]: each["value"] for each in component["properties"]}

    assert {f["name"]: f["hashes"][0]["content"] for f in component["components"]} == {
        file.path: file.sha256 for file in registry.files(id_) if file.sha256
    }
    assert told["lineage:bytes:state"] == "erased"
    assert "DPO, case 12" in told["lineage:bytes:told"]


def test_releases_taints_and_shares_are_told(repo: Registry) -> None:
    """What was live, what is tainted and what a model is made of are properties."""
    for name in ("human", "machine"):
        (repo.root / name).write_text(name)
        repo.commit("dataset", name, path=repo.root / name, origin={"type": name})
    edges = [
        Edge("trained_on", repo.resolve(f"dataset/{name}"), share={"records": [n, 4]})
        for name, n in {"human": 1, "machine": 3}.items()
    ]
    (repo.root / "weights").write_text("weights")
    made = repo.commit("model", "tutor", path=repo.root / "weights", edges=edges)
    repo.commit("generation", "tutor", edges=[Edge("includes", made.id)])
    event = release(repo, made.id, "prod").event
    taint(repo, repo.resolve("dataset/machine"), "leaked")
    bill = json.loads(accepted(rendered(repo, made.id, "cyclonedx")))
    model = bill["metadata"]["component"]
    told = {each["name"]: each["value"] for each in model["properties"]}
    card = {each["name"]: each["value"] for each in model["modelCard"]["properties"]}
    [tainted] = (value for name, value in told.items() if "tainted" in name)

    assert json.loads(told[f"lineage:released:prod:{event[:12]}"])["until"] is None
    assert json.loads(tainted)["reason"] == "leaked"
    shares = json.loads(card["lineage:made-of"])
    assert (shares["human"], shares["machine"], shares["count"]) == ("1/4", "3/4", 4)
