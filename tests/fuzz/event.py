"""event.json: canonical, the same again, and fit for the git commit that holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.keys.ring import Seen, read_change
from lineage.store.canonical import canonical, digest
from lineage.store.event_commit import event_commit, parse_parents, unsigned
from lineage.store.objects import Event, RefChange
from lineage.store.sshsig import PublicKey
from lineage.timestamps import is_stamp, stamp_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RUNS: Sequence[str] = ()
TRIES = 60
TIME = "2026-11-03T10:00:01.000000Z"
ADA = {"name": "Ada", "email": "ada@example.com"}
KEPT = [Event("note", TIME, {**ADA, "later": [{}]}).encoded]  # type: ignore[dict-item]
KEY = PublicKey.of(b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + bytes(32))


def seeds(folder: Path) -> Sequence[bytes]:
    del folder
    id_, other, oid = "1" * 64, "2" * 64, "3" * 40
    some = [
        Event(
            "commit", TIME, ADA, "a message\n\nof two parts", (id_,),
            (RefChange("heads/model/tutor", None, id_),), ((id_, oid),), id_,
            {"seconds": 1.5}, {"later": True},
        ),
        Event("undo", TIME, ADA, refs=(RefChange("tags/v1", id_, other),),
              data={"undoes": other}),
        Event("gc", TIME, ADA, data={"clone": "x", "commits": [{"id": id_}]}),
        Event("erase", TIME, ADA, data={
            "reason": "r", "authority": "a", "commits": [id_],
            "objects": [{"sha256": id_, "md5": "4" * 32 + ".dir", "size": 3}]}),
        Event("key", TIME, ADA, data={
            "action": "add", "key": KEY.line, "fingerprint": KEY.fingerprint,
            "name": "Bob", "email": "b@example.com", "roles": ["reviewer"],
            "from": TIME, "until": TIME}),
        Event("key", TIME, ADA, data={
            "action": "revoke", "fingerprint": KEY.fingerprint, "since": TIME}),
        Event("timestamp", TIME, ADA, data={
            "of": id_, "time": TIME, "tsa": "Stamps", "token": "MAAA"}),
    ]  # fmt: skip
    return [event.encoded for event in some]


def attack(data: bytes, folder: Path) -> None:
    del folder
    event = Event.parse(data)
    assert event.encoded == data
    assert event.id == digest(data)
    again = Event.parse(canonical(event.to_json()))
    assert again.to_json() == event.to_json()
    commit = event_commit(event, "5" * 40, ["6" * 40])
    assert parse_parents(commit.data) == ["6" * 40]
    forged = commit.data.replace(b"author ", b"author x\xe2\x80\xa8parent 8\xc2\x85", 1)
    assert parse_parents(forged) == ["6" * 40]
    assert unsigned(commit.data) == (commit.data, None)
    read_change(Seen("7" * 40, event, event.time))
    if is_stamp(event):
        stamp_of(event)
