"""Proving that a record is in a dataset, to somebody who must not see the others.

A dataset's manifest has the SHA-256 of its files, and no root over its records: so an
event of the type `records` states the root. The proof holds the record, its path to
the root, that event and the manifest, and can be checked without a registry.
"""

from dataclasses import dataclass
from typing import Any

from lineage.blame import merkle
from lineage.errors import VerificationError
from lineage.records import rows
from lineage.records.values import canonical_record
from lineage.registry import Registry
from lineage.statements import statements
from lineage.store.canonical import digest
from lineage.store.event_commit import unsigned
from lineage.store.event_reading import Logged
from lineage.store.reading import Progress, unwatched

TREE, HASH = "rfc6962", "sha256"


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof as plain data; `stated` when the event that it names is new."""

    data: dict[str, Any]
    stated: bool


def prove(
    registry: Registry, id_: str, number: int, *, progress: Progress = unwatched
) -> Proof:
    """Prove that the dataset `id_` has its record `number`, counted from 1.

    Reads all records. The root is stated by an event, which is made where there is
    none, and signed as all events are.

    Raises:
        NotAllowed: when there is no statement yet, and none may be made here: of a
            registry as it was, or where it must be signed and no key is set.
        VerificationError: when one states another root.
        LineageError: when the dataset's files are not here, or not what they seem.
    """
    said = _statement(registry, id_)
    if said is None:
        registry.events_log.check_writable()
        registry.signer.ready()
    record, tree = _grown(registry, id_, number, progress)
    root = tree.root().hex()
    fact = _fact(registry, id_, tree.count, root)
    logged = said or _state(registry, id_, fact)
    _check(logged, fact)
    data = {
        "tree": TREE,
        "hash": HASH,
        "record": record.decode(),
        "index": number - 1,
        "count": tree.count,
        "path": [each.hex() for each in tree.path],
        "root": root,
        "dataset": id_,
        "manifest": registry.load(id_).manifest.decode(),
        **_cited(registry, logged),
    }
    return Proof(data, stated=said is None)


def _grown(
    registry: Registry, id_: str, number: int, progress: Progress
) -> tuple[bytes, merkle.Tree]:
    """The record of a number, and the tree of all, with the path to it."""
    record, tree = b"", merkle.Tree(number - 1)
    for row in rows(registry, id_, progress=progress):
        encoded = canonical_record(row.data, row.where)
        record = encoded if row.number == number else record
        tree.add(merkle.leaf(encoded))
    return record, tree


def _fact(registry: Registry, id_: str, count: int, root: str) -> dict[str, Any]:
    """What the statement says."""
    payload = registry.load(id_).payload
    assert payload is not None  # it has records
    said = {"tree": TREE, "hash": HASH, "count": count, "root": root}
    return {**said, "payload": payload.files}


def _statement(registry: Registry, id_: str) -> Logged | None:
    """The newest statement about the records of a dataset, in such a tree."""
    kind = {"tree": TREE, "hash": HASH}
    said = [
        logged
        for logged in statements(registry, id_, "records")
        if kind.items() <= logged.event.data.items()
    ]
    return said[-1] if said else None


def _state(registry: Registry, id_: str, fact: dict[str, Any]) -> Logged:
    registry.attest(
        "records",
        subject=id_,
        message=f"Merkle root of {fact['count']:,} records",
        data=fact,
    )
    found = _statement(registry, id_)  # another one may have come meanwhile
    assert found is not None
    return found


def _check(logged: Logged, fact: dict[str, Any]) -> None:
    if any(logged.event.data.get(name) != value for name, value in fact.items()):
        said = logged.event.data.get("root")
        message = f"event {logged.event.id[:12]} states the root {str(said)[:12]}"
        what = f"{message}, and the records have {fact['root'][:12]}"
        raise VerificationError(what, hint="run `lineage verify`")


def _cited(registry: Registry, logged: Logged) -> dict[str, Any]:
    """The event as it stands, and what its signature is over."""
    encoded = logged.event.encoded
    cited: dict[str, Any] = {"event": encoded.decode(), "event_id": digest(encoded)}
    found = registry.git.read(logged.git)
    assert found is not None  # its event was read through it
    over, signature = unsigned(found[1].data)
    if signature:
        cited["signed"] = {"over": over.decode(), "signature": signature.decode()}
    return cited
