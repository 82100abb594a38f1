"""PROV-JSON: prov's own reader finds the same graph in it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st

from lineage.audit import as_prov
from lineage.audit.report import report
from lineage.erase import erase, plan_erasure
from tests.lineage.audit.machine import NAME, edges, rendered, share, urn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lineage.registry import Registry

    Story = Any


def test_prov_reads_back_as_the_same_graph(told: Story) -> None:
    """From prov's own objects come all ids and edges, with evidence and shares."""
    import prov.model as pm

    registry = told.registry
    made = report(registry, told.turns[2])
    text = rendered(registry, told.turns[2], "prov").decode()
    document = pm.ProvDocument.deserialize(content=text, format="json")
    ids = {each.id for each in made.artifacts}
    entities = {_uri(e.identifier): e for e in document.get_records(pm.ProvEntity)}

    assert set(entities) == {urn(id_) for id_ in ids}
    assert set(_read(document)) == edges(registry, ids)
    for id_ in ids:
        payload, root = registry.load(id_).payload, entities[urn(id_)].get_attribute
        assert {str(r) for r in root("lin:root")} == (
            {payload.root} if payload else set()
        )


def _read(document: Any) -> Iterator[tuple[str, ...]]:
    """The edges that a PROV document has: what was used, and what was revised."""
    import prov.model as pm

    made = {
        str(given.args[1]): _uri(given.args[0])
        for given in document.get_records(pm.ProvGeneration)
    }
    for used in document.get_records(pm.ProvUsage):
        if roles := used.get_attribute("prov:role"):
            yield _edge(used, made[str(used.args[0])], used.args[1], roles)
    for derived in document.get_records(pm.ProvDerivation):
        if roles := derived.get_attribute("lin:role"):
            yield _edge(derived, _uri(derived.args[0]), derived.args[1], roles)


def _uri(name: Any) -> str:
    return str(name.uri)


def _edge(relation: Any, of: str, source: Any, roles: Any) -> tuple[str, ...]:
    said = {name.localpart: value for name, value in relation.extra_attributes}
    units = (unit for unit in said if f"{unit}-of" in said)
    shares = {unit: [said[unit], said[f"{unit}-of"]] for unit in units}
    role = next(iter(roles)).localpart
    return of, role, source.uri, said["evidence"], share(shares)


def test_prov_is_the_same_through_every_serialisation(told: Story) -> None:
    """JSON, XML and JSON-LD of the library read back equal, and PROV-N has it all."""
    import prov.model as pm

    data = rendered(told.registry, told.turns[2], "prov").decode()
    document = pm.ProvDocument.deserialize(content=data, format="json")

    for form in ("json", "xml", "jsonld"):
        written = document.serialize(format=form)
        assert pm.ProvDocument.deserialize(content=written, format=form) == document
    notation = document.get_provn()
    members = {kind: m for kind, m in json.loads(data).items() if kind != "prefix"}
    assert len(document.records) == sum(map(len, members.values()))
    assert all(notation.count(f"  {kind}(") == len(m) for kind, m in members.items())


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_text_is_the_local_part_of_a_name(text: str) -> None:
    """PROV-N's grammar takes it, and the text comes back from it."""
    name = as_prov.local(text)

    assert unquote(name) == text
    assert re.fullmatch(
        r"(\w|~|%[0-9A-F]{2})(([\w~.-]|%[0-9A-F]{2})*([\w~-]|%[0-9A-F]{2}))?",
        name,
        re.ASCII,
    )


def test_hostile_text_stays_text(hostile: tuple[Registry, str]) -> None:
    """Every format is valid JSON that its reader takes, with the text as it was."""
    import prov.model as pm

    registry, id_ = hostile
    data = rendered(registry, id_, "prov")
    document = pm.ProvDocument.deserialize(content=data.decode(), format="json")
    again = document.serialize(format="json")

    assert data.isascii()
    assert pm.ProvDocument.deserialize(content=again, format="json") == document
    names = {
        str(e.get_attribute("lin:name")) for e in document.get_records(pm.ProvEntity)
    }
    assert str({NAME}) in names


def test_erased_bytes_are_told(folder: tuple[Registry, str]) -> None:
    """The entity keeps its digests, and says who had its files erased."""
    registry, id_ = folder
    payload = registry.load(id_).payload
    assert payload is not None
    plan = plan_erasure(registry, id_)
    erase(registry, plan, reason="consent withdrawn", authority="DPO, case 12")
    entity = json.loads(rendered(registry, id_, "prov"))["entity"][f"commit:{id_}"]

    assert (entity["lin:state"], entity["lin:root"]) == ("erased", payload.root)
    assert "DPO, case 12" in entity["lin:told"]
