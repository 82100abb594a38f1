"""What the loop's tests share: a spec that says no more than a test needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage.loop.spec import LoopSpec

SMALLEST: dict[str, Any] = {
    "name": "tutor",
    "num_generations": 2,
    "model": {"model_name_or_path": "model/tutor"},
    "dataset": {"train_file": "human.txt"},
}


@pytest.fixture
def parse(tmp_path: Path) -> Callable[..., LoopSpec]:
    """The smallest valid spec with some of its sections replaced."""

    def parse(**sections: Any) -> LoopSpec:
        from lineage.loop.spec import LoopSpec

        return LoopSpec.parse(SMALLEST | sections, tmp_path)

    return parse
