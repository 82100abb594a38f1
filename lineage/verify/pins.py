"""Checking pins that no commit names, and the cache of digests.

Such pins are no damage, and gc frees them; but a later commit of the same bytes would
trust them, so they have to be what they are called after.
"""

from collections.abc import Iterator

from lineage.registry import Registry
from lineage.store.pins import Pins
from lineage.verify.files import Objects
from lineage.verify.problem import Problem


def pin_problems(registry: Registry, objects: Objects) -> Iterator[Problem]:
    """Damaged pins of no commit; digests that contradict what is recorded."""
    pins = Pins(registry.payloads)
    named = {md5 for md5, _, _ in objects.wanted} | objects.erased.keys()
    known = {md5: sha256 for md5, sha256, _ in objects.wanted}
    for oid in pins:
        if oid not in named:
            if not oid.endswith(".dir"):  # old lists for DVC are such pins, too
                objects.spare.add(oid)
            md5, known[oid] = registry.payloads.digests(oid)
            if md5 != oid.partition(".")[0]:
                what = (
                    "is of no commit, and does not have the MD5 that it is called after"
                )
                yield Problem("", "", what, oid)
    objects.forgotten = registry.payloads.forget_wrong_digests(known)
