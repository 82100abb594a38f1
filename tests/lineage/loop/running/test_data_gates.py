"""The gates on data, in a real loop: recorded, the same again, and they stop it."""

from __future__ import annotations

from typing import Any

import pytest

from lineage.errors import GateFailed
from lineage.loop.reviews.packet import gates_of
from lineage.loop.running.journal import parts

Toy = Any

CODE = """
def verify_record(record):
    return None if "fox" not in record["text"] else "owl" not in record["text"]

def score(record):
    return len(set(record["text"].split()))
"""
LOOSE: list[dict[str, Any]] = [
    {"type": "schema", "fields": {"text": {"type": "string", "min_length": 2}}},
    {"type": "near_duplicates", "max_rate": 1.0},
    {"type": "contamination", "max_rate": 1.0},
    {"type": "drift", "max_js": 1.0, "max_ks": 1.0},
    {"type": "pii"},
    {"type": "toxicity", "max_rate_over_reference": 0.9},
    {"type": "novelty", "min": 0.0, "max_over_reference": 1.0},
    {"type": "fabrication", "verifier": "checks.py", "max": 1.0},
    {"type": "over_optimisation", "reward": "checks.py:score", "max_rise": 99.0},
]
LOOSE[-2]["max_over_reference"] = 1.0


def test_all_of_them_are_recorded_and_come_out_the_same(toy: Toy) -> None:
    """In the order of the list, in each generation; a second loop has the same ids."""
    toy.write("checks.py", CODE)
    first = toy.run(gates=LOOSE)
    ids = [parts(toy.registry, made.id).synthetic for made in first.made[1:]]
    for id_ in ids:
        verdicts = gates_of(toy.registry, id_)
        assert [verdict["type"] for verdict in verdicts] == [g["type"] for g in LOOSE]
        assert {verdict["verdict"] for verdict in verdicts} == {"pass"}
        assert all(verdict["threshold_from"] for verdict in verdicts)
    assert first.made[2].metrics["fabrication_rate"].n > 0
    again = toy.run(gates=LOOSE, name="again")
    assert [made.metrics for made in again.made] == [m.metrics for m in first.made]
    seconds = [parts(toy.registry, made.id).synthetic for made in again.made[1:]]
    assert [gates_of(toy.registry, i) for i in seconds] == [
        gates_of(toy.registry, i) for i in ids
    ]


def test_fabrication_stops_the_loop(toy: Toy) -> None:
    """What was written is kept on @rejected, with the rate and the reason."""
    toy.write("checks.py", "def verify_record(record): return False")
    gate = {"type": "fabrication", "verifier": "checks.py", "max": 0.0}
    with pytest.raises(GateFailed, match="claims are wrong") as stopped:
        toy.run(gates=[gate])
    assert stopped.value.exit_code == 3
    assert len(toy.branch()) == 1
    rejected = toy.registry.load(toy.registry.branches()["loop/toy@rejected"])
    assert rejected.metrics["fabrication_rate"].value == 1
