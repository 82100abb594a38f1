"""Is the report what the history gives? Somebody else's code makes it again.

Who holds a key can sign a page that says other than the record. What makes the report
anew is given by the caller, for nothing here knows how a report is made.
"""

import json
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from lineage.bundle_check.archive import Bundle
from lineage.bundle_check.looked import Looked, Maker
from lineage.bundle_check.values import mapping
from lineage.errors import LineageError
from lineage.store.canonical import digest
from lineage.store.git import GitRepository

_REPORT, _FORMATS = "data/report.json", "data/formats/"
_SOUND = {"archive", "bag", "git", "log", "event", "chain", "commit", "edge", "files"}
_UNLIKE = "is not what this history gives"


def check_again(
    bundle: Bundle,
    git: GitRepository,
    info: Mapping[str, str],
    maker: Maker | None,
    looked: Looked,
) -> None:
    """Make the page, the report and the machine formats again, and compare bytes."""
    if why := _why_not(info, maker, looked):
        looked.skip("report", f"its page and its sums were not made again: {why}")
        return
    assert maker is not None
    report = _report(bundle)
    subjects = info.get("External-Identifier", "").split()
    try:
        made = maker.make(git.root, subjects, _template(report))
    except LineageError as error:
        looked.found("report", _REPORT, f"cannot be made again: {error}")
        return
    if made is None:
        why = "it answers a template that this lineage does not have"
        looked.skip("report", f"its page and its sums were not made again: {why}")
        return
    for name in sorted({*made, *(n for n in bundle.sizes if n.startswith(_FORMATS))}):
        looked.at("report")
        if name not in made or not _alike(bundle, name, made[name]):
            looked.found("report", name, _UNLIKE)


def _why_not(info: Mapping[str, str], maker: Maker | None, looked: Looked) -> str:
    agent = info.get("Bag-Software-Agent")
    if maker is None:
        return "nothing here makes reports"
    if agent != maker.agent:
        return f"{agent or 'nobody knows what'} made it, and this is {maker.agent}"
    if any(finding.check in _SOUND for finding in looked.findings):
        return "what it would be made from is not sound"
    return ""


def _report(bundle: Bundle) -> dict[str, Any]:
    try:
        return mapping(json.loads(bundle.read(_REPORT)))
    except (ValueError, RecursionError):
        return {}


def _template(report: Mapping[str, Any]) -> tuple[str, int] | None:
    filled = report.get("obligations")
    if filled is None:
        return None
    return str(mapping(filled).get("id")), mapping(filled).get("version") or 0


def _alike(bundle: Bundle, name: str, made: bytes) -> bool:
    """Whether a file has these bytes, beneath a signature where it is signed."""
    if bundle.digests.get(name) == digest(made):
        return True
    return (
        name.startswith(_FORMATS)
        and name in bundle.sizes
        and (_unsigned(bundle.read(name)) == _unsigned(made))
    )


def _unsigned(data: bytes) -> Any:
    """What a DSSE envelope holds, in a bundle of Sigstore or alone; else the bytes."""
    try:
        found = mapping(json.loads(data))
        held = mapping(found.get("dsseEnvelope")) or found
        return json.loads(b64decode(held["payload"])) if "payload" in held else found
    except (ValueError, RecursionError, TypeError):
        return data
