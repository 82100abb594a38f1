"""Who signed what: by the log's own keys, and by those that the auditor holds.

The rules are those of FORMAT.md, applied by `lineage.keys.ring`; what they are applied
to is read here, out of the bundle alone.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from lineage.bundle_check.archive import Bundle, Refused
from lineage.bundle_check.bag import SIGNATURE, TAGS
from lineage.bundle_check.log import Entry, Log
from lineage.bundle_check.looked import Held, Looked
from lineage.bundle_check.signers import Signers
from lineage.keys.ring import RUNNER, Keys, Seen, Standing, founds, read_change
from lineage.store.event_commit import KEY, unsigned
from lineage.store.merging import PULL
from lineage.store.sshsig import Signature

_EVENTS, _FILES = "git", "lineage-report"  # namespaces
_NONE: frozenset[str] = frozenset()
_CHECK = {"unsigned": "unsigned", "role": "role"}
_GIVE = "--signers FILE"


class People(NamedTuple):
    """The keys of a log at the `time` of its newest event, and who signed what.

    `standings` say what the signature of each event is worth, by its id.
    """

    time: str
    keys: Keys
    standings: Mapping[str, Standing | None]


def check_people(
    log: Log, held: Held, signers: Signers | None, looked: Looked
) -> People:
    """Judge the signature of every event, from the first key on."""
    seen = list(_seen(log.entries))
    changes = [read_change(one) for one in _ordered(seen)]
    able = [change for change in changes if founds(change)]
    if held.anchor:
        able = [c for c in able if c.key and c.key.fingerprint == held.anchor]
    keys = Keys(changes, _root([change.seen for change in able], log.entries))
    _check_root(keys, held, signers, looked)
    standings = {one.event.id: keys.standing(one) for one in seen}
    for one in seen:
        if standing := standings[one.event.id]:
            _check_event(one, standing, signers, looked)
    return People(log.newest.time, keys, standings)


def _check_root(
    keys: Keys, held: Held, signers: Signers | None, looked: Looked
) -> None:
    if keys.root is None:
        why = "the log has no key, so nothing in it is signed"
        for check in ("unsigned", "signer", "role"):
            looked.skip(check, why)
        if signers or held.anchor:
            looked.found("unsigned", "data/log", why)
    elif signers is None and not held.anchor:
        why = f"trust starts at {keys.root.fingerprint}, which anybody could have made"
        looked.skip("signer", why, f"{_GIVE} (or --anchor FINGERPRINT)")


def _check_event(
    seen: Seen, standing: Standing, signers: Signers | None, looked: Looked
) -> None:
    event = seen.event
    if standing.state == "unsigned" and event.type == PULL and not event.commits:
        return  # its names follow from the two logs, so it needs no signature
    looked.at("signer", "role", "unsigned")
    if standing.state != "good":
        check = _CHECK.get(standing.state, "signer")
        looked.found(check, event.id, f"the {event.type} event {standing.says}")
    if standing.state not in ("good", "role") or not (signers and standing.fingerprint):
        return
    if fault := signers.fault(standing.fingerprint, _EVENTS, event.time):
        what = f"the {event.type} event is signed with {standing.fingerprint}, which"
        looked.found("signer", event.id, f"{what} {fault}")


def check_bag_signature(
    bundle: Bundle,
    info: Mapping[str, str],
    people: People | None,
    signers: Signers | None,
    looked: Looked,
) -> None:
    """The list of files is signed by a person: one whom the auditor knows, if told."""
    if SIGNATURE not in bundle.sizes:
        if signers or info.get("Lineage-Signature") != "none":
            looked.found("signature", SIGNATURE, "is missing: nobody signed this bag")
        looked.skip("signature", "nobody signed this bag")
        return
    looked.at("signature")
    try:
        signature = Signature.parse(bundle.read(SIGNATURE))
        holds = signature.holds(bundle.read(TAGS), _FILES)
    except (Refused, ValueError):
        looked.found("signature", SIGNATURE, "is no signature of SSH")
        return
    fingerprint = signature.key.fingerprint
    if not holds:
        looked.found("signature", SIGNATURE, f"does not hold: it is not {TAGS} that "
                     f"{fingerprint} signed as a report")  # fmt: skip
    time = people.time if people else ""
    fault = signers.fault(fingerprint, _FILES, time) if signers and people else ""
    if fault := fault or (_unfit(fingerprint, people) if people else ""):
        looked.found("signature", SIGNATURE, f"{fingerprint} {fault}")
    elif signers is None:
        looked.skip("signature", f"it holds, and is by {fingerprint}: whose?", _GIVE)


def _unfit(fingerprint: str, people: People) -> str:
    """Why a key may not sign a bag by the keys of the log itself; "" if it may."""
    if people.keys.root is None:
        return ""
    ring = people.keys.ring(people.keys.all)
    key = ring.keys.get(fingerprint)
    if key is None:
        return "is no key of this log"
    if fingerprint in ring.revoked:
        return f"is the key of {key.name}, which was revoked"
    if RUNNER in key.roles:
        return f"is a runner's key ({key.name}), which signs no report"
    state = key.state(people.time)
    return "" if state == "active" else f"is the key of {key.name}, which is {state}"


def _seen(entries: Sequence[Entry]) -> Iterator[Seen]:
    """Events with the key events before and after them, their signature, their time."""
    before, after = _around(entries)
    times: dict[str, str] = {}
    for entry in entries:
        message, armored = unsigned(entry.commit)
        signature = Signature.read(armored)
        times[entry.git] = entry.event.time
        yield Seen(
            entry.git,
            entry.event,
            max([entry.event.time, *(times[oid] for oid in entry.parents)]),
            before[entry.git],
            after[entry.git],
            signature,
            signature is not None and signature.holds(message, _EVENTS),
            armored is not None,
        )


def _around(
    entries: Sequence[Entry],
) -> tuple[Mapping[str, frozenset[str]], Mapping[str, frozenset[str]]]:
    """Of every event, the key events before it and those after it."""
    own = {e.git: frozenset([e.git]) if e.event.type == KEY else _NONE for e in entries}
    before: dict[str, frozenset[str]] = {}
    for entry in entries:
        sets = [before[oid] | own[oid] for oid in entry.parents]
        before[entry.git] = _NONE.union(*sets)
    after = dict.fromkeys(own, _NONE)
    for entry in reversed(entries):
        for oid in entry.parents:
            after[oid] |= after[entry.git] | own[entry.git]
    return before, after


def _ordered(seen: Iterable[Seen]) -> list[Seen]:
    """The key events: those before others first, those beside by time."""
    chosen = [one for one in seen if one.event.type == KEY]
    return sorted(chosen, key=lambda s: (len(s.before), s.event.time, s.event.id))


def _root(able: Sequence[Seen], entries: Sequence[Entry]) -> str | None:
    """The first key event that can be the root, on the newest event's own chain."""
    gits = {one.git for one in able}
    first = {one.git: one for one in able if not one.before & gits}
    if len(first) < 2:
        return next(iter(first), None)
    known = {entry.git: entry for entry in entries}
    chain, oid = [], entries[-1].git
    while oid:
        chain.append(oid)
        oid = next(iter(known[oid].parents), "")
    before, _ = _around(entries)
    for oid in reversed(chain):
        here = before[oid] | {oid}
        if found := [git for git in first if git in here]:
            return found[0]
    return next(iter(first))
