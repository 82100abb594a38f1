"""One file of a bundle that somebody has changed: first its name, then its bytes.

A change is found, or fits all lists and digests that were made anew after it; then
nothing but an answer is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.bundle_check import check
from tests.fuzz.world import small_bundle
from tests.lineage.bundle_check.bag import PAYLOAD, TAGS, Bag

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RUNS = ("git", "sh")
TRIES = 1
KEPT: Sequence[bytes] = ()


def seeds(folder: Path) -> Sequence[bytes]:
    files = small_bundle(folder).files
    return [b"%b\n%b" % (name.encode(), data) for name, data in sorted(files.items())]


def changed(data: bytes, folder: Path) -> tuple[Bag, bool]:
    """The bundle with that file, and whether it is another one than before."""
    whole = small_bundle(folder)
    first, _, rest = data.partition(b"\n")
    name = first.decode(errors="replace")
    if name not in whole.files:
        name = sorted(whole.files)[len(data) % len(whole.files)]
    return Bag(whole.top, {**whole.files, name: rest}), whole.files[name] != rest


def attack(data: bytes, folder: Path) -> None:
    bag, is_other = changed(data, folder)
    path = folder / "b.zip"
    path.write_bytes(bag.data())
    assert bool(check(path).findings) == is_other
    for list_ in (PAYLOAD, TAGS):
        bag.relist(list_)
    path.write_bytes(bag.data())
    check(path)
