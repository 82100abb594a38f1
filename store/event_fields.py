"""What the fields of event.json may be, before anything relies on them.

Oids and names of an event become paths of trees and refs, its time and actor the
header of a git commit.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lineage.store.names import SPACES

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
_ID, _OID = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{40}")
_ADDRESS = re.compile(r"[0-9a-f]{32}(?:\.dir)?")


def check_event(fields: Mapping[str, Any]) -> None:
    """Refuse fields that FORMAT.md does not allow.

    Raises:
        LookupError, TypeError, ValueError: saying which one.
    """
    actor = fields["actor"]
    for what in (fields["type"], fields.get("message", ""), fields.get("subject", "")):
        _text(what)
    for key in ("name", "email"):
        _text(actor[key])
    check_time(fields["time"])
    for id_ in fields.get("prev", ()):
        _match(_ID, id_, "the id of an event")
    for pair in fields.get("commits", ()):
        _match(_ID, pair["id"], "the id of a commit")
        _match(_OID, pair["git"], "a git oid")
    for change in fields.get("refs", ()):
        _check_change(change)
    data = dict(fields.get("data", {}))
    if fields["type"] in ("erase", "gc"):
        _check_gone(fields["type"], data)
    if fields["type"] == "undo":
        _match(_ID, data["undoes"], "the id of an event")


def _check_gone(type_: str, data: Mapping[str, Any]) -> None:
    """Bytes that are away on purpose: readers rely on these fields."""
    if type_ == "gc":
        _text(data["clone"])
        for item in data["commits"]:
            _match(_ID, item["id"], "the id of a commit")
        return
    for word in (data["reason"], data["authority"]):
        _text(word)
    for id_ in data["commits"]:
        _match(_ID, id_, "the id of a commit")
    for item in data["objects"]:
        _match(_ID, item["sha256"], "a SHA-256")
        _match(_ADDRESS, item["md5"], "the address of an object")
        int(item["size"])


def check_time(value: str) -> str:
    """`value`, which has to be a time as events hold it.

    Raises:
        TypeError, ValueError: when it is none.
    """
    _match(_TIME, value, "a time in UTC")
    datetime.fromisoformat(value)
    return value


def _check_change(change: Mapping[str, Any]) -> None:
    space, _, name = change["ref"].partition("/")
    if space not in SPACES or not name:
        raise ValueError(f"{change['ref']!r} is not a name")
    for id_ in (change["before"], change["after"]):
        if id_ is not None:
            _match(_ID, id_, "the id of a commit")


def _text(value: object) -> None:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")


def _match(form: re.Pattern[str], value: str, what: str) -> None:
    if not form.fullmatch(value):
        raise ValueError(f"{value!r} is not {what}")
