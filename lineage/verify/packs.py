"""Checking packs: is each what it is called after, and whose files does it cost?

Packed files of commits are read as all files are (see `lineage.verify.files`). This
finds damage that costs none of them yet, and files that no commit names.
"""

from collections.abc import Iterable, Iterator

from lineage.errors import VerificationError
from lineage.registry import Registry
from lineage.store.digests import sha256_at
from lineage.store.files import FileEntry
from lineage.store.packed.packs import Pack
from lineage.store.places import packers
from lineage.verify.files import Objects
from lineage.verify.problem import Problem

_SHOWN = 3


def pack_problems(
    registry: Registry, objects: Objects, found: Iterable[Problem]
) -> Iterator[Problem]:
    """Damaged packs, with the commits of which files were `found` damaged for it."""
    packs = registry.payloads.packs
    hurt: dict[str, set[str]] = {}
    for problem in found:
        hurt.setdefault(problem.object, set()).add(problem.id)
    named = {md5 for md5, _, _ in objects.wanted} | objects.erased.keys()
    for pack in packs:
        files = pack.tables.oids()
        objects.spare_packed |= files - named
        if wrong := _wrong(pack):
            costs = {id_ for oid in files & hurt.keys() for id_ in hurt[oid]}
            yield Problem("", "", _told(pack.name, wrong, costs), pack.name)
    for name in packs.damaged.keys() - {pack.name for pack in packs}:
        what = f"the pack {name[:12]} cannot be read: {packs.damaged[name]}"
        yield Problem("", "", what, name)


def other_notes(registry: Registry, lost: Iterable[FileEntry]) -> Iterator[str]:
    """Where packs of another name in the cache have files that are `lost` here."""
    places, lost = registry.payloads.places, list(lost)
    if not lost or set(packers(places.cache)) <= {places.registry}:
        return
    from lineage.store.packed.others import Others

    for name, count in Others(places).count(lost).items():
        yield (
            f"missing objects that are in packs of another name, {name}: {count:,} "
            "(`lineage verify --repair` takes them over)"
        )


def _wrong(pack: Pack) -> str:
    try:
        pack.check()
        digest = sha256_at(pack.path)
    except FileNotFoundError:  # others have written it anew meanwhile
        return ""
    except VerificationError as error:
        return str(error)
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    return "" if digest == pack.name else "it does not have its SHA-256"


def _told(name: str, wrong: str, costs: set[str]) -> str:
    short = [id_[:12] for id_ in sorted(costs)]
    more = f" and {len(short) - _SHOWN:,} more" if len(short) > _SHOWN else ""
    lost = f", which costs files of {', '.join(short[:_SHOWN])}{more}" if costs else ""
    return f"the pack {name[:12]} is damaged: {wrong}{lost}"
