"""Models as files, and two of them compared in a registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lineage.diff import Options, diff

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lineage.diff import Diff
    from lineage.registry import Registry


@pytest.fixture
def compared(repo: Registry) -> Callable[..., Diff]:
    """Commit two models, each file written by a function of its path; compare them."""

    def compared(
        old: Mapping[str, Any], new: Mapping[str, Any], *, rank: bool = False
    ) -> Diff:
        made = []
        for number, files in enumerate((old, new)):
            folder = repo.root / f"model-{number}"
            for name, write in files.items():
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                if isinstance(write, bytes):
                    path.write_bytes(write)
                else:
                    write(path)
            made.append(repo.commit("model", "m", folder).id)
        return diff(repo, made[0], made[1], ["tensors"], options=Options(rank=rank))

    return compared
