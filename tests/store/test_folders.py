"""Folders that several threads make at once."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

import pytest

from lineage.store.disk import make_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

THREADS, ROUNDS = 8, 100


@pytest.fixture
def _hasty() -> Iterator[None]:
    """Let threads take turns as often as can be."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("_hasty")
def test_folders_are_made_side_by_side(tmp_path: Path) -> None:
    """A folder above that somebody else has just made is no failure."""
    with ThreadPoolExecutor(THREADS) as pool:
        for number in range(ROUNDS):
            together = Barrier(THREADS)
            places = [tmp_path / f"{number}/a/b/c/{i}" for i in range(THREADS)]

            def make(place: Path, together: Barrier = together) -> set[str]:
                together.wait()
                return make_folder(str(place))

            made = list(pool.map(make, places))
            assert all(place.is_dir() for place in places)
            assert all(
                str(place.parent) in one
                for place, one in zip(places, made, strict=True)
            )


def test_a_place_that_takes_no_folders(tmp_path: Path) -> None:
    """It is said once, and not tried for ever."""
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        make_folder(str(tmp_path / "file" / "a" / "b"))
