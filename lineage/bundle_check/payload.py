"""Payload files of a bundle: what they are called, and whether all are here."""

from collections.abc import Iterator, Mapping

from lineage.bundle_check.archive import Bundle
from lineage.bundle_check.looked import Looked
from lineage.bundle_check.source import Source

_PREFIX, _MISSING = "data/payload/", "data/missing.txt"


def check_payload(
    bundle: Bundle,
    source: Source,
    artifacts: frozenset[str],
    info: Mapping[str, str],
    looked: Looked,
) -> None:
    """Payload files are what they are called, and are listed; who says all has all."""
    level = info.get("Lineage-Payloads")
    listed = _listed(source, artifacts)
    here = {n.removeprefix(_PREFIX) for n in bundle.sizes if n.startswith(_PREFIX)}
    for name in sorted(here):
        looked.at("payload")
        if bundle.digests.get(_PREFIX + name) != name:
            looked.found("payload", _PREFIX + name, "does not have this SHA-256")
        elif name not in listed:
            looked.found("payload", _PREFIX + name, "is listed by no artifact")
    if level != "all":
        if here or _MISSING in bundle.sizes:
            what = f"says {level}, and files of the payload are here"
            looked.found("payload", "bag-info.txt", what)
        looked.skip("payload", "the bundle has the hashes of files, and not the files")
        return
    looked.at("payload")
    for where, what in _away_faults(bundle, source, here, listed):
        looked.found("payload", where, what)


def _listed(source: Source, artifacts: frozenset[str]) -> dict[str, set[str]]:
    """The files of the artifacts by SHA-256, with the commits that have them."""
    found: dict[str, set[str]] = {}
    for id_ in sorted(artifacts & source.files.keys()):
        for entry in source.files[id_]:
            if entry.sha256:
                found.setdefault(entry.sha256, set()).add(id_)
    return found


def _away_faults(
    bundle: Bundle, source: Source, here: set[str], listed: Mapping[str, set[str]]
) -> Iterator[tuple[str, str]]:
    """Whatever is listed is here, or an event or a manifest says that it is away."""
    lines = bundle.text(_MISSING).splitlines()
    said = dict(line.split(" ", 1) for line in lines if " " in line)
    for digest, why in sorted(said.items()):
        if digest in here or digest not in listed:
            yield _MISSING, f"{digest} is here, or is listed by no artifact"
        elif not _is_away(source, digest, why, listed[digest]):
            yield _MISSING, f"{digest}: {why}, which nothing bears out"
    for digest in sorted(listed.keys() - here - said.keys()):
        commit = min(listed[digest])
        yield commit, f"its file {digest} is neither here nor said to be away"


def _is_away(source: Source, digest: str, why: str, commits: set[str]) -> bool:
    """Whether the event or manifest that is named says so."""
    word, _, id_ = why.partition(" ")
    if word == "not-stored":
        payload = source.commits[id_].payload if id_ in commits else None
        return payload is not None and not payload.stored
    event = source.event(id_)
    if event is None:
        return False
    if word == "erased" and event.type == "erase":
        return any(item["sha256"] == digest for item in event.data["objects"])
    freed = {item["id"] for item in event.data["commits"]} if event.type == "gc" else {}
    return word == "freed" and bool(commits & set(freed))
