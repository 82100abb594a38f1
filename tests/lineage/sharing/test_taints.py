"""Taints that clones share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.store.objects import Edge
from lineage.taints import lift, of_event, taint
from lineage.taints.marks import marks

if TYPE_CHECKING:
    from lineage.registry import Registry
    from tests.lineage.sharing.conftest import Hub


def _marked(registry: Registry) -> dict[str, set[str]]:
    found = marks(registry)
    return {r.id: {m.taint.event for m in found.of(r.id)} for r in registry.ids}


def test_taints_of_another_clone_count_after_a_pull(hub: Hub) -> None:
    """What they found bad is bad here, with what came of it on both sides."""
    ours = hub.first()
    [first] = [record.id for record in ours.ids]
    theirs = hub.clone()
    child = ours.commit("model", "m", edges=[Edge("trained_on", first)]).id
    event, mine = taint(theirs, first, "theirs"), taint(ours, child, "ours")
    hub.push(ours)
    hub.pull(theirs)
    hub.exchange(theirs, ours)

    for registry in (ours, theirs):
        assert _marked(registry) == {first: {event}, child: {event, mine}}
    lift(ours, of_event(ours, event), "no")
    hub.exchange(ours, theirs)
    assert _marked(theirs) == {first: set(), child: {mine}}
