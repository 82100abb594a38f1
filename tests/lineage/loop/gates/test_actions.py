"""What a failed gate leads to: any action that makes sense for its type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import pytest

from lineage.errors import UsageError
from lineage.loop.spec.gates import Action

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.loop.spec import LoopSpec

SINGLES: dict[str, dict[str, Any]] = {
    "check_record": {},
    "contamination": {},
    "fabrication": {"verifier": "checks.py"},
    "near_duplicates": {},
    "pii": {},
    "schema": {"fields": {"text": {"type": "string"}}},
    "toxicity": {},
}
WHOLE: dict[str, dict[str, Any]] = {
    "diversity": {},
    "drift": {},
    "group_rate": {"lexicon": "groups.yaml"},
    "novelty": {},
    "over_optimisation": {},
}


@pytest.mark.parametrize("action", get_args(Action))
def test_gates_on_data_take_every_action(
    parse: Callable[..., LoopSpec], action: str
) -> None:
    """But those on data as a whole, which have no single record to drop."""
    for type_, fields in (SINGLES | WHOLE).items():
        gate = {"type": type_, "action": action} | fields
        if action == "drop" and type_ in WHOLE:
            with pytest.raises(UsageError, match="drop is for gates that judge single"):
                parse(gates=[gate])
        else:
            assert parse(gates=[gate]).gates[0].action == action
