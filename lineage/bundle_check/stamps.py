"""Time stamps (RFC 3161): whose event, and by an authority that the auditor trusts?"""

import re
from collections.abc import Mapping
from contextlib import suppress

from lineage.bundle_check.archive import Bundle
from lineage.bundle_check.looked import Held, Looked
from lineage.errors import UsageError, VerificationError
from lineage.store import rfc3161
from lineage.store.objects import Event

_FOLDER = "data/timestamps/"
_NAME = re.compile(rf"{_FOLDER}([0-9a-f]{{64}})\.([0-9a-f]{{12}})\.tsr")
_GIVE = "--tsa-ca FILE"


def check_stamps(
    bundle: Bundle, events: Mapping[str, Event], held: Held, looked: Looked
) -> None:
    """Each token is there, is its event's, and stamps what it is called after."""
    made = {
        f"{_FOLDER}{event.data.get('of')}.{id_[:12]}.tsr": event
        for id_, event in events.items()
        if event.type == "timestamp"
    }
    here = {name for name in bundle.sizes if name.startswith(_FOLDER)}
    for name in sorted(here ^ made.keys()):
        lacks = "is missing" if name in made else "is of no event in this log"
        looked.found("timestamp", name, lacks)
    names = sorted(here & made.keys())
    if not names:
        return
    if not rfc3161.is_there():
        why = "rfc3161-client is not installed"
        looked.skip("timestamp", why, "pip install 'lineage-vcs[audit]'")
        return
    if held.tsa_ca is None:
        why = f"{len(names)} by authorities whose certificates you did not give"
        looked.skip("timestamp", why, _GIVE)
    roots = None if held.tsa_ca is None else rfc3161.read_certificates(held.tsa_ca)
    for name in names:
        looked.at("timestamp")
        for what in _faults(bundle, name, made[name], events, roots):
            looked.found("timestamp", name, what)


def _faults(
    bundle: Bundle,
    name: str,
    event: Event,
    events: Mapping[str, Event],
    roots: bytes | None,
) -> list[str]:
    import base64

    data, of = bundle.read(name), str(event.data.get("of"))
    token = event.data.get("token")
    if of not in events:
        return [f"stamps {of}, which is no event of this log"]
    with suppress(ValueError, TypeError):
        if base64.b64decode(token or "", validate=True) != data:
            return ["is not the token that its event recorded"]
    try:
        stamp = rfc3161.read(data)
        if stamp.digest != of:
            return [f"stamps {stamp.digest}, not the event that it is called after"]
        if roots is not None:
            rfc3161.check(data, of, roots)
    except (UsageError, VerificationError) as error:
        return [f"does not hold: {error}"]
    return []
