"""Telling DVC what we need: the keep commit, made anew when commits came."""

from lineage.registry import Registry
from lineage.store import keep, names
from lineage.store.git_objects import parse_tree
from lineage.store.objects import KINDS
from lineage.tombstones import tombstones

_PAYLOAD_FILES = {f"{kind}.dvc" for kind in KINDS}


def refresh_keep(registry: Registry, *, again: bool = False) -> None:
    """Rebuild the keep commit, if commits came since it was made (or `again`)."""
    git, payloads = registry.git, registry.payloads
    if not again and keep.is_kept(git, payloads, registry.events_log.tip() or ""):
        return
    known: dict[str, str] = {}
    _add_addresses(registry, known)
    with payloads.writing(), registry.events_log.locked() as lock:
        _add_addresses(registry, known)  # of the few that came meanwhile
        tip = registry.events_log.tip() or ""
        keep.keep(git, payloads, _wanted(registry, known), tip, lock)


def is_kept_rightly(registry: Registry) -> bool:
    """Whether a keep commit that claims to be of the newest event is the right one.

    So it is too when it is missing or of an older event: then it is made anew.
    """
    git, tip = registry.git, registry.events_log.tip() or ""
    if keep.keep_is_broken(git):
        return False
    if not keep.is_kept(git, registry.payloads, tip):
        return True
    made, _ = keep.keep_objects(git, addresses(registry), tip)
    return git.ref(names.KEEP) == made[-1].oid


def addresses(registry: Registry) -> set[str]:
    """What DVC calls the payloads that this registry has to have."""
    known: dict[str, str] = {}
    _add_addresses(registry, known)
    return _wanted(registry, known)


def _wanted(registry: Registry, known: dict[str, str]) -> set[str]:
    """Without those that DVC would miss: freed or erased and away, or packed."""
    gone = tombstones(registry)
    away = {registry.git_oid(id_) for id_ in {*gone.freed, *gone.stripped}}
    found = {
        address
        for oid, address in known.items()
        if address and (oid not in away or registry.payloads.is_pinned(address))
    }
    if not any(registry.payloads.packs):
        return found
    return {address for address in found if not _is_packed(registry, address)}


def _is_packed(registry: Registry, address: str) -> bool:
    """Whether a payload, or a file of it, is in the packs alone."""
    payloads, oids = registry.payloads, [address]
    if address.endswith(".dir") and payloads.is_loose(address):
        with payloads.open(address) as listing:
            oids = keep.named_in(listing.read())
    return any(map(payloads.is_packed, oids))


def _add_addresses(registry: Registry, known: dict[str, str]) -> None:
    """Add what DVC calls the payloads of commits that are not in `known` by git oid."""
    oids = [record.git for record in registry.ids if record.git not in known]
    trees = registry.git.read_many(f"{oid}^{{tree}}" for oid in oids)
    for oid, found in zip(oids, trees, strict=True):
        entries = parse_tree(found[1].data) if found else {}
        files = [entry for name, entry in entries.items() if name in _PAYLOAD_FILES]
        data = registry.git.blob(files[0].oid) if files else None
        known[oid] = keep.address(data or b"") or ""
