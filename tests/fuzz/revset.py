"""Revsets and revisions, read and answered by a small registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.errors import LineageError
from lineage.moments import event_at
from lineage.revset.parser import parse
from tests.fuzz.world import small_registry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

RUNS = ("git",)
TRIES = 3
KEPT: Sequence[bytes] = ()
SEEDS = (
    "model/tutor~1^trained_on | kind(model) & metric(loss < 0.5)",
    "ancestors(HEAD) ~ heads() & param(lr >= 2e-5, x)",
    "dataset/seed..model/tutor | roots()",
    "model/tutor...dataset/seed",
    "HEAD@{2026-11-01 10:00} | @{yesterday} | model/tutor^follows(model)~3",
    "merge_base(model/tutor, 'dataset/seed') | role(trained_on, HEAD)",
    "generation(3..5) | latest(2, all()) | since('2026-01-01')",
    "tainted() | tagged() | released() | branches(loop/*@*) | name(*tutor*)",
    "children(HEAD, includes) | descendants(roots()) | ~heads()",
)


def seeds(folder: Path) -> Sequence[bytes]:
    del folder
    return [text.encode() for text in SEEDS]


def attack(data: bytes, folder: Path) -> None:
    text = data.decode(errors="surrogateescape")
    registry = small_registry(folder)
    for read in (parse, registry.select, registry.resolve):
        _try(read, text)
    _try(lambda moment: event_at(registry, moment), text)


def _try(read: Callable[[str], object], text: str) -> None:
    try:
        read(text)
    except LineageError as error:
        place = error.place
    else:
        return
    assert place is None or 0 <= place.start <= place.end
