"""The short part of fuzzing: every reader, on a few inputs, the same every day."""

from __future__ import annotations

import zlib
from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.fuzz.harness import READERS, attempt, reader
from tests.fuzz.mutate import mutants
from tests.fuzz.world import opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAILY = [name for name in READERS if name != "verify_script"]  # seconds for each input


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield tmp_path_factory.mktemp("fuzz")
    opened.close()


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that no mutant has seen."""
    return tmp_path_factory.mktemp("seeds")


@pytest.mark.parametrize("name", DAILY)
def test_a_reader_takes_what_is_as_it_should_be(
    name: str, folder: Path, untouched: Path
) -> None:
    """Fuzzing starts from bytes that are read to their end."""
    found = reader(name)
    assert folder.exists()
    for seed in found.seeds(untouched):
        assert attempt(found, seed, untouched), seed


@pytest.mark.parametrize("name", DAILY)
def test_what_broke_a_reader_once_does_so_no_more(name: str, folder: Path) -> None:
    """Each input that fuzzing has found a fault with stays here."""
    found = reader(name)
    found.seeds(folder)
    for kept in found.KEPT:
        attempt(found, kept, folder)


@pytest.mark.parametrize("name", DAILY)
def test_a_reader_refuses_or_takes_whatever_comes(name: str, folder: Path) -> None:
    """Bytes that are nearly as they should be end in a value or in one sentence."""
    found = reader(name)
    random = Random(zlib.crc32(name.encode()))
    for data in mutants(found.seeds(folder), found.TRIES, random):
        attempt(found, data, folder)
